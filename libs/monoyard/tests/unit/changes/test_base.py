from __future__ import annotations

import os
from pathlib import Path

import pytest

from monoyard.changes import Base, Event
from monoyard.errors import RepositoryError

from .conftest import Clone

SHALLOW = "; the clone is shallow (fetch more history, or `fetch-depth: 0`)"
LACKING = "0123456789abcdef0123456789abcdef01234567"


def fork(clone: Clone, branch: str = "main") -> str:
    """Let `work` leave a branch, and both go on; return where they parted."""
    clone.git("checkout", "-q", "-B", branch)
    parted = clone.commit("one")
    clone.git("checkout", "-q", "-b", "work")
    clone.commit("two")
    clone.git("checkout", "-q", branch)
    clone.commit("three")
    clone.git("checkout", "-q", "work")
    return parted


def shallow(clone: Clone, place: Path) -> Clone:
    """Clone the current branch without its history."""
    clone.git("clone", "-q", "--depth=1", f"file://{clone.top}", str(place))
    return Clone(place)


def unrelated(clone: Clone, branch: str) -> str:
    """Begin a branch that has no commit in common with any other."""
    clone.git("checkout", "-q", "--orphan", branch)
    return clone.commit(f"first of {branch}")


def test_a_typed_ref_counts_from_where_it_parted(clone: Clone) -> None:
    """What happened there since is not ours; the words say what was typed."""
    parted = fork(clone)
    assert clone.base(since="main") == Base(parted, "where HEAD and `main` parted")


def test_a_typed_ref_comes_before_the_event(clone: Clone) -> None:
    """What a person types is what they get, also in CI."""
    parted = fork(clone)
    assert clone.base(Event("push", base_commit=clone.head), since="main").commit == parted


def test_a_typed_ref_without_common_history_is_compared_itself(clone: Clone) -> None:
    """Two unrelated states can still be compared."""
    first = clone.commit("one")
    unrelated(clone, "other")
    how = "`main` itself (no common history with HEAD)"
    assert clone.base(since="main") == Base(first, how)


def test_an_unknown_typed_ref_is_an_error(clone: Clone) -> None:
    """A person who mistypes gets one clear error, and never a run of everything."""
    clone.commit("one")
    with pytest.raises(RepositoryError, match="there is no commit `nope`") as raised:
        clone.base(since="nope")
    assert raised.value.code == "unknown-ref"
    assert "`git log`" in (raised.value.hint or "")


def test_without_a_commit_there_is_no_base(clone: Clone) -> None:
    """A repository that was just made has nothing to compare with, whatever the event says."""
    expected = Base(None, "", "there is no commit yet")
    assert clone.base() == clone.base(Event("push", base_commit=LACKING)) == expected


@pytest.mark.parametrize("kind", ["push", "merge-queue"])
def test_the_commit_of_an_event_is_the_base(clone: Clone, kind: str) -> None:
    """What CI names is compared with, where the clone has it."""
    first = clone.commit("one")
    clone.commit("two")
    event = Event(kind, base_commit=first)
    assert clone.base(event) == Base(first, f"the commit that the {kind} event names")


@pytest.mark.parametrize("kind", ["push", "merge-queue"])
def test_a_lacking_commit_of_an_event_leaves_the_base_unknown(
    clone: Clone, kind: str, tmp_path: Path
) -> None:
    """A commit that the clone lacks is a reason to select everything, and shallowness is said."""
    clone.commit("one")
    event = Event(kind, base_commit=LACKING)
    words = f"the {kind} event names 0123456789ab, which this clone lacks"
    assert clone.base(event) == Base(None, "", words)
    assert shallow(clone, tmp_path / "shallow").base(event) == Base(None, "", words + SHALLOW)


@pytest.mark.parametrize("is_related", [True, False])
def test_a_forced_push_is_compared_with_what_it_replaced(clone: Clone, is_related: bool) -> None:
    """The commit before a forced push is the base though HEAD does not come from it."""
    clone.commit("one")
    clone.git("checkout", "-q", "-b", "old")
    replaced = clone.commit("two") if is_related else unrelated(clone, "elsewhere")
    clone.git("checkout", "-q", "main")
    clone.commit("three")
    assert clone.base(Event("push", base_commit=replaced)) == Base(
        replaced, "the commit before the forced push"
    )
    queued = clone.base(Event("merge-queue", base_commit=replaced))
    assert queued == Base(replaced, "the commit that the merge-queue event names")


def test_the_first_push_of_the_default_branch_has_no_base(clone: Clone) -> None:
    """Nothing was there before, so that everything is new."""
    clone.commit("one")
    found = clone.base(Event("push", is_first_push=True, is_default_branch=True))
    assert found == Base(None, "", "the default branch was pushed for the first time")


@pytest.mark.parametrize(
    "event",
    [
        Event(),
        Event("push", is_first_push=True),
        Event("", is_default_branch=True),
        Event("pull-request", base_branch="main"),
    ],
)
def test_a_branch_is_compared_from_where_it_left_the_default_one(
    clone: Clone, event: Event
) -> None:
    """At the desk, on a first push and in a pull request, only what the branch did counts."""
    parted = fork(clone)
    assert clone.base(event) == Base(parted, "where this branch left `main`")


@pytest.mark.parametrize("branch", ["main", "master", "trunk"])
def test_usual_names_of_the_default_branch_are_found(clone: Clone, branch: str) -> None:
    """Nobody has to name a default branch that is called as most are."""
    parted = fork(clone, branch)
    assert clone.base() == Base(parted, f"where this branch left `{branch}`")


def test_usual_names_have_an_order(clone: Clone) -> None:
    """Of two usual names the more usual is the default branch."""
    parted = fork(clone, "main")
    clone.git("branch", "master", "work")
    assert clone.base() == Base(parted, "where this branch left `main`")


@pytest.mark.parametrize("branch", ["develop", "release/1"])
def test_settings_and_pull_requests_name_other_branches(clone: Clone, branch: str) -> None:
    """A named branch counts before the usual names, the event's before that of the settings."""
    parted = fork(clone, branch)
    clone.git("branch", "main", "work")
    expected = Base(parted, f"where this branch left `{branch}`")
    assert clone.base(default=branch) == expected
    event = Event("pull-request", base_branch=branch)
    assert clone.base(event) == clone.base(event, default="main") == expected


def test_the_remote_says_what_its_default_branch_is(clone: Clone) -> None:
    """A clone knows the default branch of its origin, and that comes before the usual names."""
    parted = fork(clone, "team/develop")
    clone.git("branch", "main", "work")
    clone.git("update-ref", "refs/remotes/origin/team/develop", "team/develop")
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/team/develop")
    clone.git("branch", "-q", "-D", "team/develop")
    assert clone.base() == Base(parted, "where this branch left `team/develop`")


def test_other_links_between_refs_say_nothing(clone: Clone) -> None:
    """Only where a remote's HEAD leads to a branch of it is that the default branch."""
    parted = fork(clone)
    clone.git("update-ref", "refs/remotes/other/HEAD", "work")
    clone.git("update-ref", "refs/remotes/origin/work", "work")
    clone.git("symbolic-ref", "refs/remotes/origin/latest", "refs/remotes/origin/work")
    clone.git("symbolic-ref", "refs/heads/team/HEAD", "refs/heads/work")
    assert clone.base() == Base(parted, "where this branch left `main`")


def test_branches_whose_names_are_no_text_are_passed_over(clone: Clone) -> None:
    """A name in another encoding disturbs nobody who looks for the default branch."""
    parted = fork(clone)
    clone.git("update-ref", os.fsdecode(b"refs/heads/\xe4"), "work")
    assert clone.base() == Base(parted, "where this branch left `main`")


def test_the_latest_of_several_candidates_counts(clone: Clone) -> None:
    """A stale local branch does not make what others did ours: the remote's counts as well."""
    clone.commit("one")
    clone.git("branch", "stale")
    latest = clone.commit("two")
    clone.git("update-ref", "refs/remotes/origin/main", latest)
    clone.git("checkout", "-q", "-b", "work")
    clone.git("branch", "-q", "-f", "main", "stale")
    clone.commit("three")
    assert clone.base() == Base(latest, "where this branch left `main`")


def test_on_the_default_branch_unpushed_commits_count(clone: Clone) -> None:
    """On `main` itself the comparison is with the remotes, else with nothing but itself."""
    pushed = clone.commit("one")
    unpushed = clone.commit("two")
    assert clone.base().commit == unpushed
    clone.git("update-ref", "refs/remotes/origin/main", pushed)
    assert clone.base().commit == pushed
    clone.git("checkout", "-q", "-b", "work")
    assert clone.base().commit == unpushed


def test_branches_that_only_end_alike_are_others(clone: Clone) -> None:
    """`topic/main` is not `main`, here or at a remote."""
    clone.commit("one")
    clone.git("checkout", "-q", "-b", "topic/main")
    clone.git("branch", "-q", "-D", "main")
    clone.git("update-ref", "refs/remotes/origin/topic/main", "HEAD")
    clone.git("update-ref", "refs/remotes/main", "HEAD")
    unknown = "no default branch was found; name it in `[tool.monoyard] default-branch`"
    assert clone.base() == Base(None, "", unknown)


def test_a_named_branch_that_is_not_there_leaves_the_base_unknown(
    clone: Clone, tmp_path: Path
) -> None:
    """A branch named by the settings or the event has to be in the clone; otherwise it is said."""
    clone.commit("one")
    words = "the branch `develop` is not in this clone"
    event = Event("pull-request", base_branch="develop")
    assert clone.base(default="develop") == clone.base(event) == Base(None, "", words)
    other = shallow(clone, tmp_path / "shallow")
    assert other.base(event) == Base(None, "", words + SHALLOW)


def test_a_branch_without_a_common_commit_leaves_the_base_unknown(
    clone: Clone, tmp_path: Path
) -> None:
    """A cut history is a reason to select everything, and shallowness is said."""
    clone.commit("one")
    unrelated(clone, "work")
    words = "HEAD and `main` have no common commit"
    assert clone.base() == Base(None, "", words)
    other = shallow(clone, tmp_path / "shallow")
    other.git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    assert other.base(default="main") == Base(None, "", words + SHALLOW)
