"""Addresses inside a cluster, as charts name them for pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from monoyard.charts.objects import Object

_PORTS: Final = {"http": "80", "https": "443"}
_SERVICE: Final = "svc"
_LEAST_LABELS: Final = 3


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service, which the API server can ask in our place.

    Attributes:
        namespace: Where the Service is.
        name: Its name.
        port: Number or name of the port.
        scheme: `http` or `https`.
    """

    namespace: str
    name: str
    port: str
    scheme: str = "http"

    @property
    def resource_name(self) -> str:
        """As RBAC and the API server's addresses have it: `prometheus:9090`."""
        said = f"{self.name}:{self.port}"
        return said if self.scheme == "http" else f"{self.scheme}:{said}"


def in_cluster(address: str) -> ServicePort | None:
    """Return the Service that a URL leads to; None where it leads out of the cluster.

    A name of two labels may be either, and is taken for one outside.
    """
    try:
        url = urlsplit(address)
        port = str(url.port or _PORTS.get(url.scheme, ""))
    except ValueError:  # no URL at all, such as one with arguments of an analysis in it
        return None
    labels = (url.hostname or "").split(".")
    if len(labels) < _LEAST_LABELS or labels[2] != _SERVICE or url.scheme not in _PORTS:
        return None
    return ServicePort(labels[1], labels[0], port, url.scheme)


def measured_ports(objects: Iterable[Object]) -> Iterator[ServicePort]:
    """Yield the Services of the cluster that analyses among objects take measurements from."""
    for thing in objects:
        if thing["kind"] != "AnalysisTemplate":
            continue
        for metric in (thing.get("spec") or {}).get("metrics") or ():
            prometheus = (metric.get("provider") or {}).get("prometheus") or {}
            port = in_cluster(str(prometheus.get("address") or ""))
            if port is not None:
                yield port
