"""Directories of runs: the newest are kept, and those of runs that have not ended."""

from __future__ import annotations

from pathlib import Path

from monoyard.recall import Records


def test_names_of_runs_sort_by_time(tmp_path: Path) -> None:
    """Runs that begin in one second have names in the order in which they began."""
    records = Records(tmp_path)
    moments = [1_700_000_000.9999996, *(1_700_000_001 + step / 1000 for step in range(1, 200))]
    names = [records.new_id(moment) for moment in moments]
    assert names == sorted(names)
    assert names[0].startswith("20231114T221321.000000-")
    assert len({records.new_id(1.0) for _ in range(100)}) == 100


def test_newest_run_is_the_last_one_though_the_clock_was_set_back(tmp_path: Path) -> None:
    """After a run of an hour ahead the next ones sort behind it, each behind the one before."""
    names = []
    for moment in (1_700_003_600.5, 1_700_000_000.0, 1_700_000_060.0, 1_700_003_601.0):
        name = Records(tmp_path).new_id(moment)
        Records(tmp_path).begin(name)
        names.append(name)
    (tmp_path / "zzz").mkdir()  # it is nobody's run
    assert names == sorted(names)
    assert [name[:22] for name in names] == [
        "20231114T231320.500000", "20231114T231320.500001", "20231114T231320.500002",
        "20231114T231321.000000",
    ]  # fmt: skip
    assert Records(tmp_path).new_id(1_700_003_600.0) > names[-1]


def test_only_ended_runs_make_room(tmp_path: Path) -> None:
    """Old records go but for that of a run that is still going, however many end meanwhile."""
    place = tmp_path / "runs"
    long, own = Records(place), Records(place)
    oldest = long.begin("0000")
    for number in range(1, 25):
        (place / f"{number:04d}").mkdir()
    own.begin("0025")
    own.prune()
    kept = [f"{number:04d}" for number in range(6, 26)]
    assert sorted(path.name for path in place.iterdir()) == ["0000", *kept]
    assert oldest.is_dir()


def test_a_run_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    """The directory of a run that has ended, or was killed, goes like any other."""
    place = tmp_path / "runs"
    Records(place).begin("0000")  # and its only holder is gone
    for number in range(1, 21):
        (place / f"{number:04d}").mkdir()
    Records(place).prune()
    assert min(path.name for path in place.iterdir()) == "0001"
