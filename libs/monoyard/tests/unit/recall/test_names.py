"""Names of runs."""

from monoyard.recall import new_run_id


def test_names_of_runs_sort_by_time() -> None:
    """Runs that begin in one second have names in the order in which they began."""
    moments = [1_700_000_000.9999996, *(1_700_000_001 + step / 1000 for step in range(1, 200))]
    names = [new_run_id(moment) for moment in moments]
    assert names == sorted(names)
    assert names[0].startswith("20231114T221321.000000-")
    assert len({new_run_id(1.0) for _ in range(100)}) == 100
