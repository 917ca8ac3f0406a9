"""The cluster tasks of the invoke door."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.charting import find_environments
from monoyard.bindings.engine import Engine
from monoyard.bindings.registry_place import port_on_loopback
from monoyard.cluster import (
    Cluster,
    ExistingCluster,
    NativeCluster,
    Place,
    Target,
    Workshop,
    own_manifests,
)
from monoyard.config.environment_values import LOCAL, EnvironmentSettings
from monoyard.config.local_cluster import read_local_cluster
from monoyard.config.local_record import cluster_directory
from monoyard.errors import ChecksFailedError, ConfigurationError
from monoyard.install import REGISTRY_PORT, Daemons

_OWN: Final = Path("infra") / "cluster"


def bring_up(directory: Path, context: str) -> None:
    """Make the local cluster, or go on with what is there; print where things answer.

    Args:
        directory: A directory of the repository.
        context: Of a cluster to use instead; empty: the native one.

    Raises:
        MachineError: It cannot be made here.
    """
    began = time.monotonic()
    status = _cluster(directory, context).up()
    print("\n".join(status.lines()))
    print(f"up after {time.monotonic() - began:.0f} s", file=sys.stderr)


def show_status(directory: Path, context: str, target: str | None) -> None:
    """Print what works and what does not, with reasons.

    Args:
        directory: A directory of the repository.
        context: Of another cluster; empty: the native one.
        target: Where JSON goes, as `answer` takes it; None for lines.

    Raises:
        ChecksFailedError: Something does not work, or there is no cluster.
    """
    status = _cluster(directory, context).status()
    answer(status.lines(), status.document(), target)
    if not status.is_ready:
        raise ChecksFailedError(f"the cluster is {status.state}", code="cluster-not-ready")


def take_down(directory: Path, context: str) -> None:
    """Remove the native cluster.

    Raises:
        MachineError: This is not root.
        UsageError: The cluster is somebody else's.
    """
    was_there = _cluster(directory, context).down()
    print("the cluster is gone" if was_there else "there was no cluster")


def _cluster(directory: Path, context: str) -> Cluster:
    engine = Engine(directory, announce)
    own = engine.repository.top / _OWN
    manifests = own_manifests(own / "manifests")
    environments = _environments(engine, context or LOCAL)
    if context:
        target = Target(engine.tools.ensure("kubectl"), context=context)
        return ExistingCluster(target, manifests, environments, engine.announce)
    file = own / "cluster.toml"
    data = file.read_bytes() if file.is_file() else b""
    port = port_on_loopback(engine)
    return NativeCluster(
        Place(cluster_directory(engine.environment), REGISTRY_PORT, (port,) if port else ()),
        Workshop(engine.tools, engine.kept, own / "debian.lock", engine.announce),
        Daemons(engine.tools, engine.kept / "daemons"),
        manifests,
        environments,
        read_local_cluster(data, (_OWN / file.name).as_posix()),
        engine.announce,
    )


def _environments(engine: Engine, context: str) -> tuple[EnvironmentSettings, ...]:
    """Return the environments that are pinned to a context; a repository may have none at all."""
    try:
        found = find_environments(engine.repository.top, engine.settings)
    except ConfigurationError as error:
        if error.code != "no-environments":
            raise
        return ()
    return tuple(
        item for item in found.by_name.values() if item.cluster and item.cluster.context == context
    )
