"""Which branch a run is of, which one is the default, and how registries name a branch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from monoyard.changes.base import default_branch_of
from monoyard.changes.events import Event
from monoyard.tools import git_refs
from monoyard.workspace import Repository

_NO_TAG = re.compile(r"[^A-Za-z0-9_.-]")
_TAG_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches that matter to a run.

    Attributes:
        own: The branch that is built; empty where it is not known, or is another repository's.
        default: The default branch; empty where it is not known.
    """

    own: str
    default: str


def find_branches(
    repository: Repository, event: Event, environment: Mapping[str, str], setting: str | None
) -> Branches:
    """Ask the CI event, the settings and git, in this order.

    A CI system that is known says which branch it builds, or none: what else may be checked out
    (the head of a fork, after a comment) is nobody's branch.

    Args:
        repository: The git repository.
        event: The CI event.
        environment: Tells which CI system this is.
        setting: Default branch of the settings.
    """
    own = event.branch
    is_told = any(environment.get(name) == "true" for name in ("GITHUB_ACTIONS", "GITLAB_CI"))
    if not is_told:
        said = (repository.ask(git_refs.current_branch()) or b"").decode("utf-8", "replace")
        own = said.strip().removeprefix("refs/heads/")
    default = setting or event.default_branch or default_branch_of(repository)
    return Branches(own, default)


def branch_tag(branch: str) -> str:
    """Return the tag of a branch; characters that no tag may have become dashes.

    Two branches may get one tag. Who must tell them apart compares their names.
    """
    return f"branch-{_NO_TAG.sub('-', branch)}"[:_TAG_LENGTH]
