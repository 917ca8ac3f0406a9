"""Directories of runs: the newest are kept, and those of runs that have not ended."""

from __future__ import annotations

from pathlib import Path

from monoyard.recall import Records


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
