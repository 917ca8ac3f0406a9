"""Branches: which one is built, which one is the default, and how registries name them."""

import subprocess
from pathlib import Path

import pytest

from monoyard.changes import Branches, Event, branch_tag, find_branches
from monoyard.workspace import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository on `topic/one`, with a `main` beside it."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        (*identity, "commit", "--quiet", "--allow-empty", "--message=first"),
        ("checkout", "--quiet", "-b", "topic/one"),
    ):
        subprocess.run(("git", *words), cwd=tmp_path, check=True)
    return Repository.locate(tmp_path)


def test_desk_asks_git(repository: Repository) -> None:
    """Outside CI the branch is the one that is checked out, and the settings may name another."""
    assert find_branches(repository, Event(), {}, None) == Branches("topic/one", "main")
    assert find_branches(repository, Event(), {}, "trunk") == Branches("topic/one", "trunk")
    subprocess.run(("git", "checkout", "--quiet", "--detach"), cwd=repository.top, check=True)
    assert find_branches(repository, Event(), {"CI": "1"}, None) == Branches("", "main")


def test_event_wins_over_what_is_checked_out(repository: Repository) -> None:
    """CI names the branch; where it names none, what lies there is nobody's branch."""
    ci = {"GITHUB_ACTIONS": "true"}
    pushed = Event("push", branch="two", default_branch="next")
    assert find_branches(repository, pushed, ci, None) == Branches("two", "next")
    forked = Event("pull-request", is_from_fork=True)
    assert find_branches(repository, forked, ci, None).own == ""
    assert find_branches(repository, Event(), ci, None).own == ""


def test_branch_becomes_a_tag() -> None:
    """Only characters of tags are left, and no more than a tag may have."""
    assert branch_tag("main") == "branch-main"
    assert branch_tag("feature/a b#1") == "branch-feature-a-b-1"
    assert len(branch_tag("x" * 500)) == 128
