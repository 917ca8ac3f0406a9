"""What `nox -s bench` understands, and the page it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monoyard.bindings.benching import bench
from monoyard.errors import UsageError
from monoyard.report.benchmarks import speed_chart, speed_lines

SECONDS = {
    "cold, ours": 4.0, "cold, turbo": 30.0, "cold, doit": 24.0, "cold, xargs": 20.0,
    "empty nox session": 0.3, "git status": 0.1, "nothing changed, ours": 0.6,
    "nothing changed, turbo": 0.5, "nothing changed, doit": 2.0, "empty invoke task": 0.2,
    "affected, one leaf edited": 0.6, "one leaf edited, ours": 1.5,
}  # fmt: skip


def _data(packages: int = 1000, **changes: Any) -> dict[str, Any]:
    found = {
        "load before": 0.2, "runs": 5, "cold runs": 1, "seconds": SECONDS, "memory to plan, MB": 80,
        "not measured": "",
    }  # fmt: skip
    return {
        "version": 1, "processors": 2, "scheduler, seconds a task": 0.0005,
        "packages": {str(packages): {**found, **changes}},
    }  # fmt: skip


@pytest.mark.parametrize("word", ["--runs=0", "--cold=x", "--json=", "0", "--what=1"])
def test_unknown_words_are_refused(word: str, tmp_path: Path) -> None:
    """Nothing is generated for a word that is not understood."""
    with pytest.raises(UsageError, match="does not understand"):
        bench(tmp_path, [word])
    assert list(tmp_path.iterdir()) == []


def test_ratios_follow_from_the_figures() -> None:
    """Each budget stands beside a ratio that is made of the figures alone."""
    lines = speed_lines(_data())
    assert "| nothing changed / (empty nox session + git status) | 1000 | 1.50 | 2.0 |" in lines
    assert "| nothing changed / turbo | 1000 | 1.20 | 1.0 |" in lines
    assert "| affected / (empty invoke task + git status) | 1000 | 2.00 | 2.0 |" in lines
    assert "| fastest other tool / ours, cold | 1000 | 5.00 | at least 5.0 |" in lines
    assert "| scheduler, for a task | 3000 tasks | 0.50 ms | 1 ms |" in lines
    assert "| memory to plan | 1000 | 80 MB | 150 MB |" in lines


def test_budgets_hold_for_the_size_that_they_are_for() -> None:
    """A small repository is measured too, but nothing was promised of it."""
    lines = speed_lines(_data(200))
    assert "| nothing changed / turbo | 200 | 1.20 | - |" in lines
    assert "| fastest other tool / ours, cold | 200 | 5.00 | at least 5.0 |" in lines
    small = speed_lines(_data(40))
    assert "| fastest other tool / ours, cold | 40 | 5.00 | - |" in small


def test_what_was_not_measured_is_said() -> None:
    """Without other tools there is no ratio to them, and the page says so."""
    seconds = {name: value for name, value in SECONDS.items() if "turbo" not in name}
    seconds = {name: value for name, value in seconds.items() if name[:4] != "cold"}
    seconds["cold, ours"] = 4.0
    missing = "turbo: npm has no program for this machine"
    data = _data(1000, **{"seconds": seconds, "cold runs": 0, "not measured": missing})
    text = "\n".join(speed_lines(data))
    assert f"Not measured: {missing}." in text
    assert "/ turbo" not in text
    assert "fastest other tool" not in text
    assert "turbo" not in speed_chart(data)
    assert "1000: doit" in speed_chart(data)
