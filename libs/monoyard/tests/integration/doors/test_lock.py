"""`invoke lock`: one lock of the workspace and a slice for each service, by a real pip-compile."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

SERVICE = '[tool.monoyard]\nrole = "service"\n'


@pytest.fixture
def unlocked(empty: "Checkout") -> "Checkout":
    """A service that needs a library of the workspace, each with a requirement, and no lock."""
    (empty.top / "requirements.txt").unlink()
    manifest = (empty.top / "pyproject.toml").read_text("utf-8")
    manifest = manifest.replace('"pytest>=9"', '"iniconfig<2.1"')
    manifest = manifest.replace("requirements.txt", "requirements/workspace.txt")
    empty.write("pyproject.toml", manifest)
    empty.package("base", "pluggy>=1.5", source="import pluggy as pluggy\n")
    empty.package("server", "base", table=SERVICE)
    return empty


def test_locks_are_written_and_then_checked(unlocked: "Checkout") -> None:
    """The lock has all, a slice what its service runs with; `--check` says what is not current."""
    written = unlocked.invoke("lock")
    assert written.code == 0, written.text
    assert written.out.splitlines() == [
        "written: requirements/workspace.txt", "written: requirements/server.txt",
    ]  # fmt: skip
    lock, part = (
        (unlocked.top / "requirements" / f"{name}.txt").read_text("utf-8")
        for name in ("workspace", "server")
    )
    assert lock.startswith("# Made by `invoke lock` for Python 3.")
    assert str(unlocked.top.parent) not in lock + part
    assert "\niniconfig==2.0.0 " in lock
    (pin,) = [line for line in lock.splitlines() if line.startswith("pluggy==")]
    assert pin in part
    assert "--hash=sha256:" in part
    assert "iniconfig" not in part
    assert "base" not in (unlocked.top / "requirements/workspace.in").read_text("utf-8").split()
    slice_path = unlocked.top / "requirements" / "server.txt"
    slice_path.write_text(f"{part}# an edit by hand\n", encoding="utf-8")
    stale = unlocked.invoke("lock", "--check")
    assert (stale.code, stale.out) == (1, "not current: requirements/server.txt\n"), stale.text
    assert "error[checks-failed]: a lock is not current: run `invoke lock`" in stale.err
    assert slice_path.read_text("utf-8").endswith("# an edit by hand\n"), "checking mends nothing"


def test_requirement_that_no_index_has_is_told(unlocked: "Checkout") -> None:
    """What cannot be had is a fault of the configuration, with the resolver's own words."""
    unlocked.package("base", "pluggy>=900")
    ended = unlocked.invoke("lock")
    assert ended.code == 10, ended.text
    assert "error[configuration]: workspace cannot be locked" in ended.err
    assert "pluggy>=900" in ended.err
    assert not (unlocked.top / "requirements").exists()


def test_workspace_that_names_no_lock_is_told(empty: "Checkout") -> None:
    """Without a place for the lock nothing is written, and the error names the setting."""
    manifest = (empty.top / "pyproject.toml").read_text("utf-8")
    empty.write("pyproject.toml", manifest.replace('lock = "requirements.txt"\n', ""))
    ended = empty.invoke("lock")
    assert ended.code == 10, ended.text
    assert "error[configuration]: no lock is named" in ended.err
    assert 'lock = "requirements/workspace.txt"' in ended.err
