"""What a deployment does in the cluster, as rights: those that the environment's Role has to give.

Helm reads, makes, patches and removes whatever charts render, and keeps its releases in Secrets;
the rest is what the steps of a deployment do themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from monoyard.charts import Object, routed_names
from monoyard.delivery import Kind
from monoyard.delivery.capabilities import Right
from monoyard.delivery.objects import (
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    LEASE,
    POD,
    SECRET,
    WEIGHTS,
    kind_of,
)
from monoyard.delivery.rollouts import ROLLOUT

_ACCOUNT: Final = Kind("", "v1", "ServiceAccount", "serviceaccounts")
_POLICY: Final = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
_OWN: Final = ("get", "create", "patch", "delete")
_ALWAYS: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    (LEASE, ("get", "create", "update")),
    (CONFIG_MAP, ("get", "list", "create", "update", "patch", "delete")),
    (SECRET, ("get", "list", "create", "update", "delete")),
    (JOB, ("get", "list", "create", "delete")),
    (POD, ("list",)),
    (_ACCOUNT, ("get", "list", "create", "patch", "delete")),
    (_POLICY, ("list", "create", "patch", "delete")),
    (DEPLOYMENT, ("list",)),
)


def needed_rights(objects: Iterable[Object]) -> tuple[Right, ...]:
    """Return what whoever deploys has to be allowed to do in the namespace.

    Args:
        objects: What the charts of all services come to.
    """
    return tuple(dict.fromkeys(_needed(list(objects))))


def _needed(objects: list[Object]) -> Iterator[Right]:
    for kind, verbs in _ALWAYS:
        yield from (Right.of(verb, kind) for verb in verbs)
    yield Right.of("get", POD, "log")
    kinds = {kind_of(thing) for thing in objects}
    for kind in sorted(kinds, key=lambda item: (item.group, item.plural)):
        yield from (Right.of(verb, kind) for verb in _OWN)
    if ROLLOUT in kinds:
        yield Right.of("list", ROLLOUT)
        yield Right.of("patch", ROLLOUT, "status")
    if any(True for _ in routed_names(objects)):
        yield Right.of("get", WEIGHTS)
