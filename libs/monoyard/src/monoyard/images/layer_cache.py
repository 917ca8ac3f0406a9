"""Where builders find the layers of other builders: a registry, one reference per image and branch.

It saves time and nothing else: no key and no digest depends on it. BuildKit believes what a cache
says a step made, so a reader trusts whoever may write what it reads: its own branch and the default
branch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monoyard.changes import Branches, Event, branch_tag, find_branches
from monoyard.errors import ConfigurationError
from monoyard.workspace import Repository

OFF: Final = "off"
"""Address that means: no registry, whatever the settings say."""

_ADDRESS: Final = re.compile(r"^[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$")
_TAG_LENGTH: Final = 128


@dataclass(frozen=True, slots=True)
class LayerCache:
    """The layer cache of one run.

    Attributes:
        address: `HOST[:PORT]/NAME`; all images and branches are tags of it, so that a layer they
            share is kept and sent once.
        reads: Branches whose layers are taken, the first that has one wins.
        writes: Branch that keeps what is built now; empty where the run only reads.
    """

    address: str
    reads: tuple[str, ...]
    writes: str = ""

    def sources(self, image: str) -> tuple[str, ...]:
        """Return the references that layers of an image are looked for in."""
        return tuple(dict.fromkeys(self._reference(image, branch) for branch in self.reads))

    def target(self, image: str) -> str:
        """Return the reference that takes the layers of an image; empty where nothing is kept."""
        return self._reference(image, self.writes) if self.writes else ""

    def _reference(self, image: str, branch: str) -> str:
        return f"{self.address}:{f'{image}.{branch_tag(branch)}'[:_TAG_LENGTH]}"


def find_layer_cache(
    address: str,
    repository: Repository,
    event: Event,
    environment: Mapping[str, str],
    *,
    default_branch: str | None,
    is_ci: bool,
) -> LayerCache | None:
    """Return the cache that a run uses, or None where no registry is named.

    Args:
        address: `HOST[:PORT]/NAME`, `off`, or empty.
        repository: The git repository.
        event: The CI event.
        environment: Tells which CI system this is.
        default_branch: Default branch of the settings.
        is_ci: Whether this is CI; a desk reads only.

    Raises:
        ConfigurationError: It is no address of a repository in a registry.
    """
    if address in {"", OFF}:
        return None
    if not _ADDRESS.match(address):
        raise ConfigurationError(
            f"`{address}` is no place for layers of images",
            hint="`[tool.monoyard.images] cache` or MONOYARD_IMAGE_CACHE: `HOST/NAME`, without a "
            "tag, or `off`",
        )
    branches = find_branches(repository, event, environment, default_branch)
    reads = tuple(dict.fromkeys(name for name in (branches.own, branches.default) if name))
    may_write = is_ci and _may_write(branches, event)
    return LayerCache(address, reads, branches.own if may_write else "")


def _may_write(branches: Branches, event: Event) -> bool:
    """Say whether a run may keep layers for its branch.

    Those of the default branch are read by all, so only a run of that very branch writes them: no
    pull request out of it, and no other branch whose tag happens to be the same.
    """
    if not branches.own or event.kind == "merge-queue":
        return False
    if branch_tag(branches.own) != branch_tag(branches.default):
        return True
    return branches.own == branches.default and event.kind != "pull-request"
