"""The local cluster: one made of this machine, or one that is there, behind one interface."""

from pathlib import Path
from typing import Protocol

from monoyard.cluster.existing import ExistingCluster
from monoyard.cluster.native import NativeCluster
from monoyard.cluster.parts import PARTS, Workshop
from monoyard.cluster.place import PORTS, Place
from monoyard.cluster.requirements import missing_packages
from monoyard.cluster.status import Component, Status
from monoyard.tools.kubectl import Target


class Cluster(Protocol):
    """A Kubernetes that deliveries go to."""

    @property
    def target(self) -> Target:
        """How it is asked."""

    def up(self) -> Status:
        """Make what is missing of it; it may be repeated."""

    def status(self) -> Status:
        """Return what works and what does not, with reasons."""

    def down(self) -> bool:
        """Remove it, where it is ours; say whether there was one."""


def own_manifests(directory: Path) -> tuple[Path, ...]:
    """Return the manifests of a directory, in the order of their names."""
    return tuple(sorted(directory.glob("*.yaml")))


__all__ = [
    "PARTS",
    "PORTS",
    "Cluster",
    "Component",
    "ExistingCluster",
    "NativeCluster",
    "Place",
    "Status",
    "Target",
    "Workshop",
    "missing_packages",
    "own_manifests",
]
