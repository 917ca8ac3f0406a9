"""What is left of pods that do not serve: why they wait, and what they printed last."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from monoyard.delivery import Namespace, Object
from monoyard.delivery.objects import labels_of, name_of
from monoyard.deployment.jobs import BACKUP, MIGRATE, PROVE, ROLE_LABEL
from monoyard.deployment.pods import pods_of
from monoyard.errors import ClusterError

_LINES: Final = 20
_LONGEST_LINE: Final = 500
# A record is a ConfigMap and holds 1 MiB: what did not fit there would keep going back from begun.
_MOST_BYTES: Final = 64 * 1024
_CUT: Final = "the rest is cut: a record holds no more"
_JOBS: Final = frozenset({BACKUP.name, PROVE.name, MIGRATE.name})
_MOST_PODS: Final = 3


def gather(namespace: Namespace, services: Collection[str], since: str) -> tuple[str, ...]:
    """Return what pods of services say that are not ready, in lines, as much as a record holds.

    Where the cluster does not say, that is told: evidence that cannot be had stops nothing.

    Args:
        namespace: Where they are.
        services: Their names.
        since: When the deployment began, by the cluster's clock, as RFC 3339 in UTC: a pod that
            is older and has ended is evidence of another one.
    """
    try:
        found = [tuple(_lines(namespace, service, since)) for service in services]
    except ClusterError as error:
        return (f"nothing more is known: {error.message}",)
    said = [lines for lines in found if lines]
    return tuple(line for lines in said for line in _cut(lines, _MOST_BYTES // len(said)))


def _cut(lines: Iterable[str], room: int) -> Iterator[str]:
    """Yield lines, none of them long, until they fill some bytes as a record has them written."""
    room -= _size(_CUT)
    for line in lines:
        said = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..."
        room -= _size(said)
        if room < 0:
            yield _CUT
            return
        yield said


def _size(line: str) -> int:
    return len(json.dumps([line]))


def _lines(namespace: Namespace, service: str, since: str) -> Iterator[str]:
    bad = [
        pod
        for pod in pods_of(namespace, service)
        # What went before said so in its own step.
        if not (_is_fine(pod) or _is_of_job(pod) or _ended_before(pod, since))
    ]
    for pod in sorted(bad, key=_began, reverse=True)[:_MOST_PODS]:
        yield from _pod(namespace, pod)


def _pod(namespace: Namespace, pod: Object) -> Iterator[str]:
    status = pod.get("status") or {}
    yield f"pod {name_of(pod)}: {status.get('phase', 'unknown')}"
    for item in status.get("conditions") or ():
        if item.get("type") == "PodScheduled" and item.get("status") == "False":
            yield f"  no node takes it: {item.get('message') or item.get('reason') or 'unknown'}"
    for item in status.get("containerStatuses") or ():
        name = str(item["name"])
        state = _state(item)
        if state:
            yield f"  {name}: {state}, {item.get('restartCount', 0)} restarts"
        for line in namespace.log(name_of(pod), name, _LINES).splitlines():
            yield f"  {name} | {line}"


def _state(item: Mapping[str, Any]) -> str:
    for word in ("waiting", "terminated"):
        found = (item.get("state") or {}).get(word)
        if found:
            code = f" with status {found['exitCode']}" if "exitCode" in found else ""
            return f"{found.get('reason', word)}{code} {found.get('message', '')}".strip()
    return ""


def _is_of_job(pod: Object) -> bool:
    return labels_of(pod).get(ROLE_LABEL) in _JOBS


def _ended_before(pod: Object, since: str) -> bool:
    return (pod.get("status") or {}).get("phase") == "Failed" and _began(pod) < since


def _is_fine(pod: Object) -> bool:
    status = pod.get("status") or {}
    conditions = status.get("conditions") or ()
    is_ready = any(
        item.get("type") == "Ready" and item.get("status") == "True" for item in conditions
    )
    return is_ready or status.get("phase") == "Succeeded"


def _began(pod: Object) -> str:
    return str(pod["metadata"].get("creationTimestamp") or "")
