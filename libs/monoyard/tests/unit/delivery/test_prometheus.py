"""Prometheus as gates name it: inside a cluster through its API server, elsewhere directly."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from monoyard.charts import ServicePort, in_cluster
from monoyard.delivery.prometheus import NO_MEASUREMENTS, find_prometheus
from monoyard.errors import DeliveryError
from monoyard.testing import FakeCapabilities


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("http://prometheus.monitoring.svc:9090", ServicePort("monitoring", "prometheus", "9090")),
        ("http://p.m.svc.cluster.local", ServicePort("m", "p", "80")),
        ("https://p.m.svc/prefix", ServicePort("m", "p", "443", "https")),
        ("http://prometheus.example", None),
        ("https://prometheus.shop.example:9090", None),
        ("nonsense", None),
        ("http://p.m.svc:{{args.port}}", None),
    ],
)
def test_addresses_in_a_cluster_are_told_from_others(
    address: str, port: ServicePort | None
) -> None:
    """What pods know by a Service is asked through the API server."""
    assert in_cluster(address) == port


def test_scheme_is_part_of_the_name() -> None:
    """As the API server's own addresses and rules of RBAC write it."""
    assert ServicePort("m", "p", "80").resource_name == "p:80"
    assert ServicePort("m", "p", "443", "https").resource_name == "https:p:443"


def asked(said: Any) -> tuple[float, ...]:
    """Return what a query comes to where a Prometheus answers so."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    capabilities = FakeCapabilities()
    capabilities.answer(ServicePort("m", "p", "80"), lambda *_: text)
    return find_prometheus("http://p.m.svc", capabilities).query("up")


def test_values_are_those_of_all_series() -> None:
    """A vector has one for each, also one that is no number; a scalar is one as well."""
    series = [{"metric": {}, "value": [1, "2.5"]}, {"metric": {}, "value": [1, "NaN"]}]
    found = asked({"status": "success", "data": {"resultType": "vector", "result": series}})
    assert found[0] == 2.5
    assert math.isnan(found[1])
    scalar = {"resultType": "scalar", "result": [1, "7"]}
    assert asked({"status": "success", "data": scalar}) == (7.0,)
    assert asked({"status": "success", "data": {"resultType": "vector", "result": []}}) == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"status": "error", "error": "parse error"}, "parse error"),
        ({"status": "error"}, "it does not say why"),
        ({"some": "page"}, "what answers is no Prometheus"),
        ([], "what answers is no Prometheus"),
        (b"<html>", "what answers is no Prometheus"),
    ],
)
def test_what_is_no_answer_is_told(said: Any, why: str) -> None:
    """A refused query and something that is no Prometheus are errors with their reason."""
    with pytest.raises(DeliveryError) as error:
        asked(said)
    assert (error.value.code, error.value.context) == (NO_MEASUREMENTS, (why,))


@pytest.fixture
def server() -> Iterator[str]:
    """A Prometheus on loopback, which answers with the length of the query."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            assert url.path == "/prefix/api/v1/query"
            length = len(parse_qs(url.query)["query"][0])
            data = {"resultType": "scalar", "result": [0, str(length)]}
            said = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/prefix/"
    finally:
        running.shutdown()
        running.server_close()


def test_address_outside_is_asked_directly(server: str) -> None:
    """The API server is not asked for what it does not lead to."""

    class NoProxy(FakeCapabilities):
        def read(self, port: ServicePort, path: str, query: Mapping[str, str]) -> bytes:
            raise AssertionError((port, path, query))

    prometheus = find_prometheus(server, NoProxy())
    assert prometheus.query('up{a="&b"} + 1') == (14.0,)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "nonsense", "http://[::"])
def test_address_that_leads_nowhere_is_told(address: str) -> None:
    """Nobody there, and no address at all, are both an error of the measurement."""
    with pytest.raises(DeliveryError) as error:
        find_prometheus(address, FakeCapabilities()).query("up")
    assert error.value.code == NO_MEASUREMENTS
