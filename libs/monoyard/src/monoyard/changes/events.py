"""What a CI system says about the event that started the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monoyard.config import table_at


@dataclass(frozen=True, slots=True)
class Event:
    """The event behind a CI run.

    Attributes:
        kind: `pull-request`, `merge-queue`, `push`, or empty outside CI and for other events.
        base_branch: Branch that a pull request or merge queue entry goes into.
        base_commit: The commit to compare with, where the event names one that can be trusted.
        is_first_push: The branch did not exist before.
        is_from_fork: The pull request comes from another repository.
        is_default_branch: A push to the default branch.
        branch: Branch that was pushed, or that the pull request asks to merge; empty for a branch
            of another repository, and for one that lives for a single run.
        default_branch: The repository's default branch, where the event tells.
    """

    kind: str = ""
    base_branch: str = ""
    base_commit: str = ""
    is_first_push: bool = False
    is_from_fork: bool = False
    is_default_branch: bool = False
    branch: str = ""
    default_branch: str = ""

    @property
    def narrows(self) -> bool:
        """Whether the run is about a change, so that only what it affects is selected."""
        return self.kind in {"pull-request", "merge-queue"}

    @property
    def is_trusted(self) -> bool:
        """Whether results of the run may be read by runs of the default branch."""
        return self.kind != "pull-request"


def read_event(environment: Mapping[str, str]) -> Event:
    """Read the event of a GitHub Actions or GitLab CI run from its environment.

    The `base.sha` of a GitHub pull request is frozen when the request is opened, so it is never
    used: the branch is, and git finds where the two parted.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment)
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment)
    return Event()


def _github(environment: Mapping[str, str]) -> Event:
    payload = _payload(environment.get("GITHUB_EVENT_PATH", ""))
    event = _github_kind(payload, environment)
    default = table_at(payload, "repository").get("default_branch")
    return replace(event, default_branch=str(default or "")) if event.kind else event


def _github_kind(payload: Mapping[str, Any], environment: Mapping[str, str]) -> Event:
    name = environment.get("GITHUB_EVENT_NAME", "")
    if name in {"pull_request", "pull_request_target"}:
        head = table_at(payload, "pull_request", "head", "repo").get("full_name")
        base = table_at(payload, "pull_request", "base", "repo").get("full_name")
        own = environment.get("GITHUB_HEAD_REF", "")
        branch = environment.get("GITHUB_BASE_REF", "")
        is_from_fork = head != base
        return Event(
            "pull-request", branch, is_from_fork=is_from_fork, branch="" if is_from_fork else own
        )
    if name == "merge_group":
        group = table_at(payload, "merge_group")
        branch = str(group.get("base_ref", "")).removeprefix("refs/heads/")
        return Event("merge-queue", branch, str(group.get("base_sha", "")))
    if name == "push":
        default = table_at(payload, "repository").get("default_branch")
        ref = environment.get("GITHUB_REF", "")
        own = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
        is_default = ref == f"refs/heads/{default}"
        return replace(_push(str(payload.get("before", "")), is_default), branch=own)
    return Event()


def _gitlab(environment: Mapping[str, str]) -> Event:
    default = environment.get("CI_DEFAULT_BRANCH", "")
    if branch := environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        if environment.get("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train":
            commit = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "")
            return Event("merge-queue", branch, commit, default_branch=default)
        own, source = (environment.get(f"CI_{name}") for name in (
            "PROJECT_PATH", "MERGE_REQUEST_SOURCE_PROJECT_PATH"))  # fmt: skip
        named = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "")
        return Event(
            "pull-request",
            branch,
            is_from_fork=own != source,
            branch=named if own == source else "",
            default_branch=default,
        )
    pushed = environment.get("CI_COMMIT_BRANCH", "")
    event = _push(environment.get("CI_COMMIT_BEFORE_SHA", ""), pushed == default)
    return replace(event, branch=pushed, default_branch=default)


def _push(before: str, is_default_branch: bool) -> Event:
    if before.strip("0") == "":
        return Event("push", is_first_push=True, is_default_branch=is_default_branch)
    return Event("push", base_commit=before, is_default_branch=is_default_branch)


def _payload(path: str) -> dict[str, Any]:
    try:
        value = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
