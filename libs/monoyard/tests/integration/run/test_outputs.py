"""Declared outputs of replayed tasks."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

TABLE = """
    [tool.monoyard.suites.build]
    command = ["sh", "-c", "mkdir -p made && cat input >made/copy && chmod +x made/copy"]
    outputs = ["made/**"]
"""


@pytest.fixture
def built(empty: "Checkout") -> "Checkout":
    """A package whose build has run and left `made/copy`."""
    empty.package("alpha", table=TABLE)
    empty.write("libs/alpha/input", "first")
    empty.write(".gitignore", "__pycache__/\nmade/\n")
    empty.commit()
    assert empty.outcomes("build") == {"alpha:build": "pass"}
    return empty


def test_replay_puts_outputs_back(built: "Checkout") -> None:
    """Outputs that are gone, changed in place or no longer executable are what the task made."""
    copy = built.top / "libs/alpha/made/copy"
    copy.write_text("other", encoding="utf-8")  # of the same size
    assert built.outcomes("build") == {"alpha:build": "cached"}
    assert copy.read_text("utf-8") == "first"
    copy.chmod(0o644)
    assert built.outcomes("build") == {"alpha:build": "cached"}
    assert copy.stat().st_mode & 0o100
    copy.unlink()
    assert built.outcomes("build") == {"alpha:build": "cached"}
    assert copy.read_text("utf-8") == "first"


def test_output_that_cannot_be_put_back_is_made_again(built: "Checkout") -> None:
    """A result whose stored output is damaged is no hit: the task runs, and the note says why."""
    for blob in (built.cache / "store").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"first":
            blob.chmod(0o644)
            blob.write_bytes(b"worse")
    copy = built.top / "libs/alpha/made/copy"
    copy.unlink()
    ended = built.nox("build")
    assert ended.code == 0, ended.text
    assert "PASS: 1 task, 0 from cache" in ended.out
    assert "stored files were missing or damaged" in ended.out
    assert copy.read_text("utf-8") == "first"
    assert built.outcomes("build") == {"alpha:build": "cached"}


def test_what_an_earlier_state_left_is_no_output(built: "Checkout") -> None:
    """Ignored files go before a task runs and when it is replayed; a person's own files stay."""
    made = built.top / "libs/alpha/made"
    (made / "stale").write_text("of another state", encoding="utf-8")
    built.write("libs/alpha/input", "second")
    assert built.outcomes("build") == {"alpha:build": "pass"}
    assert [path.name for path in made.iterdir()] == ["copy"]
    (made / "stale").write_text("of another state", encoding="utf-8")
    built.write(".gitignore", "__pycache__/\n**/made/*\n!**/made/noted\n")
    built.write("libs/alpha/made/noted", "not ignored")
    assert built.outcomes("build") == {"alpha:build": "pass"}
    assert sorted(path.name for path in made.iterdir()) == ["copy", "noted"]


def test_globs_without_a_name_remove_nothing(empty: "Checkout") -> None:
    """A pattern that may match anything is no reason to remove a file."""
    table = """
        [tool.monoyard.suites.build]
        command = ["true"]
        outputs = ["*.log"]
    """
    empty.package("alpha", table=table)
    empty.write(".gitignore", "*.log\n")
    empty.write("libs/alpha/mine.log", "kept by a person")
    assert empty.outcomes("build") == {"alpha:build": "pass"}
    assert (empty.top / "libs/alpha/mine.log").is_file()


def test_only_what_git_ignores_in_the_work_tree_is_removed(
    empty: "Checkout", tmp_path: Path
) -> None:
    """Paths of the root package are below the root, and other repositories keep their files."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("kept", encoding="utf-8")
    empty.root(f"""
        root-package = "whole"

        [tool.monoyard.packages.whole.suites.build]
        command = ["true"]
        outputs = ["{str(outside)[1:]}/**", "made/**"]
    """)
    empty.package(
        "alpha",
        table="""
            [tool.monoyard.suites.build]
            command = ["true"]
            outputs = ["inner/**"]
        """,
    )
    inside = f"{str(outside)[1:]}/mine"
    empty.write(".gitignore", f"__pycache__/\nmade/\n{inside}\n")
    empty.commit()
    empty.write("made/stale", "of another state")
    empty.write(inside, "of another state")
    nested = empty.top / "libs/alpha/inner"
    nested.mkdir()
    empty.git("init", "--quiet", str(nested))
    (nested / "work").write_text("somebody's", encoding="utf-8")
    assert set(empty.outcomes("build").values()) == {"pass"}
    assert (outside / "mine").is_file()
    assert (nested / "work").is_file()
    assert not (empty.top / inside).exists()
    assert not (empty.top / "made/stale").exists()


@pytest.mark.parametrize("glob", ["../beta/**", "/etc/**"])
def test_outputs_outside_of_the_package_are_refused(empty: "Checkout", glob: str) -> None:
    """Nothing is removed or stored outside of a package: its table is told to be wrong."""
    empty.package("alpha", table=TABLE.replace("made/**", glob))
    ended = empty.nox("build")
    assert ended.code not in {0, 1}, ended.text
    assert f"alpha:build: output `{glob}` lies outside of the package" in ended.err


SPOIL = """
import fcntl, pathlib, time

copy = pathlib.Path("../alpha/made/copy")
deadline = time.monotonic() + 60
while not copy.exists() and time.monotonic() < deadline:
    time.sleep(0.01)  # asked again and again: the other task tells nobody what it made
(lock,) = pathlib.Path("../../.monoyard/outputs").iterdir()
with lock.open() as handle:  # its task holds it until the run knows what was left
    fcntl.flock(handle, fcntl.LOCK_SH)
    copy.write_text("spoilt")
"""


def test_output_that_changes_before_it_is_kept_is_not_kept(empty: "Checkout") -> None:
    """What another process wrote over an output is not stored as what the task made."""
    empty.root("cpus = 2\n")
    empty.package("alpha", table=TABLE)
    table = '[tool.monoyard.suites.build]\ncommand = ["python3", "spoil.py"]\n'
    empty.package("beta", table=table)
    empty.write("libs/beta/spoil.py", SPOIL)
    empty.write("libs/alpha/input", "first")
    empty.write(".gitignore", "__pycache__/\nmade/\n.monoyard/\n")
    empty.commit()
    ended = empty.nox("build")
    assert ended.code == 0, ended.text
    assert "alpha:build: its outputs changed after it ran, so its result was not kept" in ended.text
    empty.write("libs/beta/spoil.py", "")
    assert empty.outcomes("build") == {"alpha:build": "pass", "beta:build": "pass"}
    assert (empty.top / "libs/alpha/made/copy").read_text("utf-8") == "first"
    assert empty.outcomes("build") == {"alpha:build": "cached", "beta:build": "cached"}
