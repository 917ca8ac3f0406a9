"""What a change of the engine itself means, for everybody and where it is developed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import monoyard
from monoyard.plan.keys import engine_digest

from .repository import Repository, everything_of, tasks

ROOM = "packages/engine/src/engine"


def test_other_version_of_the_engine(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of the engine runs everything again; nothing in the repository changed."""
    monkeypatch.setattr("monoyard.plan.keys.__version__", "999")
    assert repository.rerun() == everything_of("app", "base", "core", "other")
    assert repository.affected() == {}


def test_rooms_that_make_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit in any room changes every key, but for those that show, keep, assemble or act."""
    copy = tmp_path / "monoyard"
    shutil.copytree(Path(monoyard.__file__).parent, copy)
    monkeypatch.setattr("monoyard.plan.keys._ENGINE", copy)
    unseen = set()
    for room in [place for place in copy.iterdir() if (place / "__init__.py").exists()]:
        before = engine_digest()
        (room / "__init__.py").write_text("# edited\n", "utf-8")
        if engine_digest() == before:
            unseen.add(room.name)
    showing = {"bindings", "observing", "report", "testing"}
    acting = {
        "charts", "cluster", "delivery", "deployment", "diagnosis", "migrations", "supply",
    }  # fmt: skip
    assert unseen == {"cache", *showing, *acting}


@pytest.mark.parametrize("room", ["plan", "report"])
def test_engine_in_its_own_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    """Where the engine is developed it is a package as any; what makes keys affects everybody."""
    repository.package("engine")
    repository.write(f"{ROOM}/{room}/part.py", "VALUE = 1\n")
    repository.settle()
    monkeypatch.setattr("monoyard.plan.keys._ENGINE", repository.top / ROOM)
    repository.write(f"{ROOM}/{room}/part.py", "VALUE = 2\n")
    expected = tasks("engine")
    if room == "plan":
        expected = repository.everything("EngineChanged")
        expected |= tasks("engine", causes=("ChangedFile", "EngineChanged"))
    assert repository.affected() == expected
