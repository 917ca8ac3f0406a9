"""`python -m monoyard adopt` in a repository that never heard of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

OURS = ("noxfile.py", "tasks.py", "pyproject.toml", "requirements.txt")


@pytest.fixture
def foreign(empty: "Checkout") -> "Checkout":
    """A repository of two packages with nothing of monoyard in it."""
    for name in OURS:
        (empty.top / name).unlink()
    empty.package("alpha")
    empty.package("beta", "alpha")
    empty.write("scripts/release.sh", "true\n")
    empty.commit()
    return empty


def test_adopted_repository_answers_at_both_doors(foreign: "Checkout") -> None:
    """Adopting writes the files that are missing; afterwards sessions and tasks are there."""
    shown = foreign.begin("-m", "monoyard", "adopt", "--dry-run").end()
    assert shown.code == 0, shown.text
    assert "packages: 2 (2 python)" in shown.out
    assert "dependencies between them: 1" in shown.out
    assert "would write: noxfile.py" in shown.out
    assert foreign.git("status", "--porcelain") == ""
    done = foreign.begin("-m", "monoyard", "adopt").end()
    assert done.code == 0, done.text
    written = [line.split(": ")[1] for line in done.out.splitlines() if "written: " in line]
    assert written == ["noxfile.py", "tasks.py", "monoyard.toml"]
    assert '# "scripts/**" = []' in (foreign.top / "monoyard.toml").read_text("utf-8")
    sessions = foreign.begin("-m", "nox", "--list").end()
    assert "* ci -> every check of every package, from cache where it can be" in sessions.out
    plan = foreign.invoke("plan")
    assert "4 tasks: 4 run" in plan.out, plan.text
    again = foreign.begin("-m", "monoyard", "adopt").end()
    assert again.out.count("kept: ") == 3, again.text


def test_adopting_needs_a_repository_and_a_verb(empty: "Checkout", tmp_path: Path) -> None:
    """Outside git adopting is one error with a hint; without a verb the usage is shown."""
    outside = {"GIT_CEILING_DIRECTORIES": str(tmp_path)}
    (tmp_path / "bare").mkdir()
    empty.top = tmp_path / "bare"
    ended = empty.begin("-m", "monoyard", "adopt", env=outside).end()
    assert (ended.code, ended.out) == (11, ""), ended.text
    assert "error[not-a-repository]" in ended.err
    assert "hint: " in ended.err
    usage = empty.begin("-m", "monoyard").end()
    assert usage.code == 2
    assert usage.err.startswith("usage: python3 -m monoyard")
