"""Measurements: queries to the Prometheus that gates ask, from wherever we are.

Gates name it as pods reach it. From outside, an address inside the cluster is asked through the
API server, which takes the right to `get` `services/proxy` of that one Service.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2

from monoyard.charts import in_cluster
from monoyard.delivery.capabilities import Capabilities
from monoyard.errors import DeliveryError

NO_MEASUREMENTS: Final = "no-measurements"
"""Code of the error that Prometheus does not say."""
_SECONDS: Final = 10.0
_QUERY: Final = "api/v1/query"

Ask = Callable[[str, Mapping[str, str]], bytes]
"""Takes a path and parameters; returns what Prometheus answers."""


class Prometheus:
    """One Prometheus.

    Args:
        address: As gates name it.
        ask: Reaches it.
    """

    def __init__(self, address: str, ask: Ask) -> None:
        self.address = address
        self._ask = ask

    def query(self, promql: str) -> tuple[float, ...]:
        """Return the values of an instant query, of every series it comes to; NaN is one as well.

        Raises:
            ClusterError: The API server does not answer, or refuses to ask.
            DeliveryError: Prometheus does not answer, or not with values.
        """
        said = self._ask(_QUERY, {"query": promql})
        try:
            answer = json.loads(said)
            if answer["status"] != "success":
                raise _fault(self.address, str(answer.get("error") or "it does not say why"))
            return tuple(_values(answer["data"]))
        except (KeyError, TypeError, ValueError) as error:
            raise _fault(self.address, "what answers is no Prometheus") from error


def find_prometheus(address: str, capabilities: Capabilities) -> Prometheus:
    """Return the Prometheus at an address, as gates name it.

    Args:
        address: Its URL, for pods.
        capabilities: Those of the cluster that the pods are in.
    """
    port = in_cluster(address)
    if port is None:
        return Prometheus(address, lambda path, query: _direct(address, path, query))
    return Prometheus(address, lambda path, query: capabilities.read(port, path, query))


def _direct(address: str, path: str, query: Mapping[str, str]) -> bytes:
    try:
        url = f"{address.rstrip('/')}/{path}"
        return httpx2.get(url, params=dict(query), timeout=_SECONDS).content
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _fault(address, f"{type(error).__name__}: {error}") from error


def _values(data: Mapping[str, Any]) -> list[float]:
    if data["resultType"] == "scalar":
        return [float(data["result"][1])]
    return [float(item["value"][1]) for item in data["result"]]


def _fault(address: str, said: str) -> DeliveryError:
    return DeliveryError(
        f"the Prometheus at {address} does not say", code=NO_MEASUREMENTS, context=(said,)
    )
