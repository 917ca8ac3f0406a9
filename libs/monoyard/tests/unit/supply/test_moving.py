"""Which commit may take over the tags of a branch, in real clones of a real remote."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from monoyard.supply import BranchLine
from monoyard.workspace import Repository


class Clone:
    """A git repository, with commits in a row.

    Args:
        top: Its directory.
        source: What it is cloned from; nothing for a new one.
        words: More words for `git clone`.
    """

    def __init__(self, top: Path, source: Path | None = None, *words: str) -> None:
        self.top = top
        if source is None:
            subprocess.run(("git", "init", "-qb", "main", str(top)), check=True)
        else:
            address = f"file://{source}"
            subprocess.run(("git", "clone", "-q", *words, address, str(top)), check=True)

    def git(self, *words: str) -> str:
        """Run git; return what it prints."""
        who = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org")
        done = subprocess.run(
            ("git", *who, *words), cwd=self.top, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, word: str) -> str:
        """Make a commit on what is checked out."""
        self.git("commit", "-q", "--allow-empty", "-m", word)
        return self.git("rev-parse", "HEAD")

    def reason(self, commit: str, *others: str, branch: str = "main") -> str:
        """Return why a tag on an image of other commits does not move to a commit."""
        return BranchLine(Repository.locate(self.top), branch, commit).reason_to_stay(others)


@pytest.fixture
def source(tmp_path: Path) -> Clone:
    """What others push to."""
    return Clone(tmp_path / "source")


def test_tags_move_forward_only(source: Clone, tmp_path: Path) -> None:
    """A commit takes over from an older one, the newest from any, and an older one from none."""
    first, second, third = (source.commit(word) for word in ("1", "2", "3"))
    for clone in (source, Clone(tmp_path / "clone", source.top)):
        assert clone.reason(second, first) == ""
        assert clone.reason(third, "0" * 40) == clone.reason(third) == ""
        newer = f"it is of commit {third[:12]}, which is newer"
        assert clone.reason(second, first, third) == newer
        assert clone.reason(second, second, third) == newer
        assert clone.reason(second, second) == ""
        assert "as older here" in clone.reason(second, first, "0" * 40)
        unknown = clone.reason(second, "0" * 40)
        assert unknown.startswith("it is of 000000000000, and git does not know that as older here")
        assert unknown.endswith(f"`main` is at {third[:12]}")
        assert clone.reason(second).startswith("it is of no commit that is told")


def test_forced_push_takes_tags_along(source: Clone, tmp_path: Path) -> None:
    """After a branch was set to something else its newest commit has the tags, back or aside."""
    first, second = source.commit("1"), source.commit("2")
    clone = Clone(tmp_path / "clone", source.top)
    source.git("reset", "-q", "--hard", first)
    assert clone.reason(first, second) == ""
    aside = source.commit("aside")
    clone.git("fetch", "-q")
    assert clone.reason(aside, second) == ""
    assert "git does not know that as older here" in clone.reason(second, aside)


def test_shallow_clone_goes_by_the_remote(source: Clone, tmp_path: Path) -> None:
    """Without history the newest commit of the branch is known all the same, and no other."""
    first, second = source.commit("1"), source.commit("2")
    clone = Clone(tmp_path / "clone", source.top, "--depth=1")
    assert clone.reason(second, first) == ""
    third = source.commit("3")
    assert f"`main` is at {third[:12]}" in clone.reason(second, first)
    source.top.rename(tmp_path / "gone")
    assert clone.reason(second, first).endswith("no remote says more")


def test_branch_that_was_never_pushed_goes_by_the_clone(source: Clone, tmp_path: Path) -> None:
    """Of a branch that the remote does not have the clone itself knows the newest commit."""
    source.commit("1")
    clone = Clone(tmp_path / "clone", source.top)
    clone.git("checkout", "-q", "-b", "topic")
    old = clone.commit("old")
    clone.git("commit", "-q", "--amend", "--allow-empty", "-m", "new")
    new = clone.git("rev-parse", "HEAD")
    assert clone.reason(new, old, branch="topic") == ""
    assert clone.reason(old, new, branch="topic") != ""
