"""The pods of a service, and what they print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from monoyard.delivery import Namespace, Object
from monoyard.delivery.objects import POD, SERVICE_LABEL, name_of
from monoyard.delivery.workloads import WATCHED, list_known, read_workload


def pods_of(namespace: Namespace, service: str) -> tuple[Object, ...]:
    """Return the pods of a service by name: those that serve, and those of its tests and Jobs.

    Raises:
        ClusterError: The API server does not answer or refuses.
    """
    found = {
        name_of(pod): pod
        for labels in _selectors(namespace, service)
        for pod in namespace.list(POD, labels)
    }
    return tuple(found[name] for name in sorted(found))


def log_lines(namespace: Namespace, services: Iterable[str], lines: int) -> Iterator[str]:
    """Yield what the containers of services printed last, each line behind whose it is.

    Args:
        namespace: Where they run.
        services: Their names.
        lines: The most lines of one container.

    Raises:
        ClusterError: The API server does not answer or refuses.
    """
    for service in services:
        for pod in pods_of(namespace, service):
            for container in pod["spec"].get("containers") or ():
                name = str(container["name"])
                for line in namespace.log(name_of(pod), name, lines).splitlines():
                    yield f"{name_of(pod)} {name} | {line}"


def _selectors(namespace: Namespace, service: str) -> Iterator[Mapping[str, str]]:
    """Yield what pods of a service are found by, whatever the labels of its chart."""
    yield {SERVICE_LABEL: service}
    for kind in WATCHED:
        for thing in list_known(namespace, kind):
            selector = (thing["spec"].get("selector") or {}).get("matchLabels")
            if selector and read_workload(kind, thing).service == service:
                yield selector
