from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monoyard.changes import Event, read_event

ZEROS = "0" * 40
FORK = {"head": {"repo": {"full_name": "me/x"}}, "base": {"repo": {"full_name": "us/x"}}}
OWN = {"head": {"repo": {"full_name": "us/x"}}, "base": {"repo": {"full_name": "us/x"}}}
DEFAULT = {"default_branch": "main"}


def github(place: Path, name: str, payload: object, **more: str) -> Event:
    """Read an event of GitHub Actions."""
    path = place / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return read_event(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(path),
            **more,
        }
    )


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
def test_a_github_pull_request_names_its_branch_and_never_a_commit(
    tmp_path: Path, name: str
) -> None:
    """The frozen `base.sha` is not used; a pull request of a fork is known as one."""
    own = {**OWN, "base": {**OWN["base"], "sha": "abc"}}
    expected = Event("pull-request", base_branch="main")
    assert github(tmp_path, name, {"pull_request": own}, GITHUB_BASE_REF="main") == expected
    forked = Event("pull-request", base_branch="main", is_from_fork=True)
    assert github(tmp_path, name, {"pull_request": FORK}, GITHUB_BASE_REF="main") == forked
    assert github(tmp_path, name, {"pull_request": OWN}) == Event("pull-request")


def test_a_github_merge_queue_names_both(tmp_path: Path) -> None:
    """A merge group is compared with the commit that it is built on."""
    group = {"base_ref": "refs/heads/main", "base_sha": "abc"}
    found = github(tmp_path, "merge_group", {"merge_group": group})
    assert found == Event("merge-queue", "main", "abc")
    assert github(tmp_path, "merge_group", {"merge_group": {}}) == Event("merge-queue")


@pytest.mark.parametrize(
    ("before", "ref", "said"),
    [
        ("abc", "refs/heads/main", {"base_commit": "abc", "is_default_branch": True}),
        ("abc0", "refs/heads/topic", {"base_commit": "abc0"}),
        (ZEROS, "refs/heads/main", {"is_first_push": True, "is_default_branch": True}),
        (ZEROS, "refs/heads/a/b", {"is_first_push": True}),
        ("abc", "refs/tags/main", {"base_commit": "abc"}),
    ],
)
def test_a_github_push_names_the_commit_before(
    tmp_path: Path, before: str, ref: str, said: dict[str, Any]
) -> None:
    """Zeros mean that there was none; whether it is the default branch follows from the ref."""
    payload = {"before": before, "repository": DEFAULT}
    branch = ref.partition("refs/heads/")[2]
    expected = Event("push", branch=branch, default_branch="main", **said)
    assert github(tmp_path, "push", payload, GITHUB_REF=ref) == expected


@pytest.mark.parametrize("payload", ["{", "[]", "1", ""])
def test_a_github_event_that_cannot_be_read_is_a_push_of_something_new(
    tmp_path: Path, payload: str
) -> None:
    """Without a payload nothing is known about the push but that it is one."""
    found = github(tmp_path, "push", payload, GITHUB_REF="refs/heads/main")
    assert found == Event("push", is_first_push=True, branch="main")
    absent = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}
    assert read_event(absent) == Event("push", is_first_push=True)


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", ""])
def test_other_github_events_are_no_event(tmp_path: Path, name: str) -> None:
    """A scheduled run is about no change."""
    assert github(tmp_path, name, {"before": "abc"}) == Event()


def test_only_the_word_true_means_ci() -> None:
    """At the desk, variables that look like those of CI change nothing."""
    assert read_event({}) == Event()
    assert read_event({"GITHUB_ACTIONS": "false", "GITHUB_EVENT_NAME": "push"}) == Event()
    assert read_event({"GITLAB_CI": "1", "CI_COMMIT_BEFORE_SHA": "abc"}) == Event()
    assert read_event({"GITHUB_ACTIONS": "true"}) == Event()


def gitlab(**variables: str) -> Event:
    """Read an event of GitLab CI."""
    return read_event({"GITLAB_CI": "true", **{f"CI_{key}": val for key, val in variables.items()}})


def test_a_gitlab_merge_request_names_its_branch() -> None:
    """The source project says whether it comes from a fork."""
    own = {"MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "PROJECT_PATH": "us/x"}
    found = gitlab(**own, MERGE_REQUEST_SOURCE_PROJECT_PATH="us/x")
    assert found == Event("pull-request", "main")
    forked = gitlab(**own, MERGE_REQUEST_SOURCE_PROJECT_PATH="me/x")
    assert forked == Event("pull-request", "main", is_from_fork=True)
    assert gitlab(**own).is_from_fork


def test_a_gitlab_merge_train_names_the_commit_as_well() -> None:
    """A train is compared with the commit that it is built on."""
    train = {"MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "MERGE_REQUEST_EVENT_TYPE": "merge_train"}
    found = gitlab(**train, MERGE_REQUEST_TARGET_BRANCH_SHA="abc")
    assert found == Event("merge-queue", "main", "abc")
    assert gitlab(**train) == Event("merge-queue", "main")


@pytest.mark.parametrize(
    ("before", "branch", "said"),
    [
        ("abc", "main", {"base_commit": "abc", "is_default_branch": True}),
        ("abc", "topic", {"base_commit": "abc"}),
        (ZEROS, "main", {"is_first_push": True, "is_default_branch": True}),
        (ZEROS, "topic", {"is_first_push": True}),
    ],
)
def test_a_gitlab_push_names_the_commit_before(
    before: str, branch: str, said: dict[str, Any]
) -> None:
    """A push to GitLab is read as one to GitHub is."""
    found = gitlab(COMMIT_BEFORE_SHA=before, COMMIT_BRANCH=branch, DEFAULT_BRANCH="main")
    assert found == Event("push", branch=branch, default_branch="main", **said)


def test_a_gitlab_pipeline_without_a_commit_before_is_a_first_push() -> None:
    """Where GitLab names no commit there is none to compare with."""
    found = gitlab(COMMIT_BRANCH="topic", DEFAULT_BRANCH="main")
    assert (found.kind, found.is_first_push, found.base_commit) == ("push", True, "")


@pytest.mark.parametrize(
    ("kind", "narrows", "is_trusted"),
    [
        ("pull-request", True, False),
        ("merge-queue", True, True),
        ("push", False, True),
        ("", False, True),
    ],
)
def test_kinds_of_events_decide_what_is_run_and_who_may_read_it(
    kind: str, narrows: bool, is_trusted: bool
) -> None:
    """Only changes under review narrow a run, and only pull requests are not trusted."""
    event = Event(kind)
    assert (event.narrows, event.is_trusted) == (narrows, is_trusted)


def test_branch_of_a_fork_is_nobodys(tmp_path: Path) -> None:
    """A pull request tells its branch, but one of another repository may be called anything."""
    names = {"GITHUB_HEAD_REF": "main", "GITHUB_BASE_REF": "main"}
    payload = {"repository": DEFAULT}
    found = github(tmp_path, "pull_request", {**payload, "pull_request": FORK}, **names)
    assert (found.branch, found.default_branch) == ("", "main")
    found = github(tmp_path, "pull_request", {**payload, "pull_request": OWN}, **names)
    assert (found.branch, found.default_branch) == ("main", "main")
    own = {
        "MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "PROJECT_PATH": "us/x",
        "MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic",
    }  # fmt: skip
    assert gitlab(**own, MERGE_REQUEST_SOURCE_PROJECT_PATH="us/x").branch == "topic"
    assert gitlab(**own, MERGE_REQUEST_SOURCE_PROJECT_PATH="me/x").branch == ""
