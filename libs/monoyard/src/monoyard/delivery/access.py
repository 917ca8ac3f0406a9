"""From an environment's pin to its namespace: which kubeconfig and context, and is it the one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lightkube import KubeConfig

from monoyard.config.environment_values import ClusterPin, EnvironmentSettings
from monoyard.config.local_record import LocalCluster, local_record
from monoyard.delivery.api_server import UNUSABLE, connect
from monoyard.delivery.cluster import Namespace
from monoyard.delivery.objects import NAMESPACE
from monoyard.errors import ClusterError, ConfigurationError

_PINNED: Final = "kube-system"

Connect = Callable[[Path, str, str], Namespace]
"""Opens a namespace, by kubeconfig, context and name."""


@dataclass(frozen=True, slots=True)
class Access:
    """The way to an environment.

    Attributes:
        kubeconfig: File as kubectl reads it.
        context: Name of a context in it.
        uid: UID of the namespace kube-system of the one cluster that it may be.
        namespace: Where the environment's objects are.
    """

    kubeconfig: Path
    context: str
    uid: str
    namespace: str


def find_access(environment: EnvironmentSettings, variables: Mapping[str, str]) -> Access:
    """Return the way to an environment; nothing is asked of any cluster.

    The context is looked for in the files that `KUBECONFIG` names, else in `~/.kube/config`. For
    the local cluster its own file is used, unless `KUBECONFIG` has a context of that name: that of
    somebody who may do less.

    Args:
        environment: Its settings.
        variables: Environment variables.

    Raises:
        ClusterError: There is no local cluster, or no file with the context.
        ConfigurationError: The environment is pinned to no cluster.
    """
    pin = environment.cluster
    if pin is None:
        raise ConfigurationError(f"`{environment.name}` is pinned to no cluster")
    files = list(_files(variables))
    if pin.is_local:
        own, pin = _local(local_record(variables))
        files = [*(files if variables.get("KUBECONFIG") else ()), own]
    for path in files:
        if _has_context(path, pin.context):
            return Access(path, pin.context, pin.uid, environment.namespace)
    raise ClusterError(
        f"no kubeconfig has the context `{pin.context}` of `{environment.name}`",
        code="no-context",
        context=tuple(f"looked at {path}" for path in files),
        hint="KUBECONFIG names the files; `kubectl config get-contexts` lists what there is",
    )


def find_recipients(
    environment: EnvironmentSettings, variables: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the public keys that the backups of an environment are encrypted to.

    The local cluster makes its own, unless the environment's file names some.

    Args:
        environment: Its settings.
        variables: Environment variables.

    Raises:
        ClusterError: There is no local cluster.
    """
    named, pin = environment.data.recipients, environment.cluster
    if named or pin is None or not pin.is_local:
        return named
    return _record(local_record(variables)).recipients.get(environment.namespace, ())


def enter(access: Access, environment: str, open_namespace: Connect | None = None) -> Namespace:
    """Return the environment's namespace, after the cluster was seen to be the pinned one.

    Args:
        access: The way to it.
        environment: Its name.
        open_namespace: Opens a namespace; that of a real cluster unless said.

    Raises:
        ClusterError: It is another cluster, does not answer, or says nothing about itself.
    """
    opened = (open_namespace or connect)(access.kubeconfig, access.context, access.namespace)
    try:
        check_pin(opened, access, environment)
    except ClusterError:
        opened.close()
        raise
    return opened


def check_pin(namespace: Namespace, access: Access, environment: str) -> None:
    """Compare a cluster with the pin.

    Raises:
        ClusterError: It is another one, does not answer, or says nothing about itself.
    """
    found = namespace.get(NAMESPACE, _PINNED)
    uid = "" if found is None else str(found["metadata"].get("uid") or "")
    if uid == access.uid:
        return
    raise ClusterError(
        f"context `{access.context}` leads to another cluster than the one of `{environment}`",
        code="other-cluster",
        context=(
            f"its namespace {_PINNED} has the UID {uid or '(none)'}",
            f"`{environment}` is pinned to {access.uid}",
            f"by the kubeconfig {access.kubeconfig}",
        ),
        hint="KUBECONFIG names another file; `cluster` in environment.toml is the pin",
    )


def _local(path: Path) -> tuple[Path, ClusterPin]:
    """Return the local cluster's kubeconfig, and the pin that stands for it."""
    found = _record(path)
    return Path(found.kubeconfig), ClusterPin(found.context, found.uid)


def _record(path: Path) -> LocalCluster:
    try:
        return LocalCluster.parse(path.read_bytes())
    except FileNotFoundError:
        message = "there is no local cluster"
    except (OSError, ValueError) as error:
        message = f"the record of the local cluster cannot be read: {error!r}"
    raise ClusterError(
        message, code="no-cluster", context=(f"looked at {path}",),
        hint="`invoke cluster.up` makes one",
    )  # fmt: skip


def _files(variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield the kubeconfigs that kubectl would read, in its order."""
    named = variables.get("KUBECONFIG")
    if named:
        yield from (Path(part).absolute() for part in named.split(os.pathsep) if part)
        return
    home = variables.get("HOME")
    yield (Path(home) if home else Path.home()) / ".kube" / "config"


def _has_context(path: Path, context: str) -> bool:
    if not path.is_file():
        return False
    try:
        return context in KubeConfig.from_file(path).contexts
    except UNUSABLE as error:
        raise ClusterError(
            f"{path} is no kubeconfig", code="no-context", context=(str(error),),
            hint="`kubectl config view` shows what kubectl makes of it",
        ) from error  # fmt: skip
