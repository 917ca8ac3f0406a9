"""What the delivery room asks of a cluster about itself: the fake and a real API server agree."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import pytest

from monoyard.charts import ServicePort
from monoyard.delivery import ABSENT, Kind
from monoyard.delivery.api_capabilities import open_capabilities
from monoyard.delivery.api_server import ApiServer
from monoyard.delivery.capabilities import SILENT, Capabilities, Right
from monoyard.delivery.objects import CONFIG_MAP, JOB, NAMESPACE, POD, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.errors import ClusterError
from monoyard.testing import FakeCapabilities

if TYPE_CHECKING:
    from .conftest import Connect

ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
SERVICE = Kind("", "v1", "Service", "services")
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints")
WEB = "measurements"
PROXY = Right("get", "", "services/proxy")


class Setting(Protocol):
    """A cluster, and somebody who may do little there."""

    guest: Capabilities

    def port(self, name: str) -> ServicePort:
        """Return a port of a Service of the namespace."""

    def grant(self, *rights: Right) -> None:
        """Let the guest do this in the namespace, and nothing else."""

    def answer(self, name: str) -> None:
        """Have a Service that answers a question with its path and parameters."""

    def leave_empty(self, name: str) -> None:
        """Have a Service behind which nothing is."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.fake = FakeCapabilities()
        self.guest: Capabilities = self.fake
        self.fake.name = "guest"
        self.fake.allow_only()
        self.fake.serve("v1", "configmaps", "pods", "pods/log")
        self.fake.serve("argoproj.io/v1alpha1", "rollouts", "rollouts/status")

    def port(self, name: str) -> ServicePort:
        """Return a port of a Service."""
        return ServicePort("fake", name, "80")

    def grant(self, *rights: Right) -> None:
        """Let the guest do this."""
        self.fake.allow_only(*rights)

    def answer(self, name: str) -> None:
        """Have a Service that answers."""

        def told(path: str, query: Mapping[str, str]) -> bytes:
            return f"{path} {sorted(query.items())}".encode()

        self.fake.answer(self.port(name), told)
        if not self.guest.may(PROXY):
            self.fake.refuse(self.port(name))

    def leave_empty(self, name: str) -> None:
        """Have a Service behind which nothing is."""
        self.fake.answer(self.port(name), None)


class Real:
    """A namespace of a real API server."""

    def __init__(self, cluster: ApiServer, kubeconfig: Path, stack: contextlib.ExitStack) -> None:
        self._cluster, self._stack = cluster, stack
        self.guest: Capabilities = open_capabilities(kubeconfig, "guest", cluster.name)
        stack.callback(self.guest.close)
        self._port = 80

    def port(self, name: str) -> ServicePort:
        """Return a port of a Service."""
        return ServicePort(self._cluster.name, name, str(self._port))

    def grant(self, *rights: Right) -> None:
        """Let the guest do this."""
        rules = [
            {"apiGroups": [item.group], "resources": [item.resource], "verbs": [item.verb]}
            for item in rights
        ]
        self._cluster.create(ROLE, new(ROLE, "guest", rules=rules))
        reference = {"apiGroup": ROLE.group, "kind": "Role", "name": "guest"}
        who = [{"apiGroup": ROLE.group, "kind": "User", "name": "guest"}]
        self._cluster.create(BINDING, new(BINDING, "guest", roleRef=reference, subjects=who))

    def answer(self, name: str) -> None:
        """Have a Service that answers."""
        address = _own_address()
        server = ThreadingHTTPServer((address, 0), _Telling)
        self._port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        ports = [{"port": self._port, "name": "http"}]
        self._cluster.create(SERVICE, new(SERVICE, name, spec={"ports": ports}))
        # The API server asks no address that is not one of a pod.
        spec = {"containers": [{"name": "main", "image": "registry.invalid/none"}]}
        self._cluster.create(POD, new(POD, name, spec=spec))
        change = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
        self._cluster.merge(POD, name, change, status=True)
        pod = {"kind": "Pod", "namespace": self._cluster.name, "name": name}
        subsets = [{"addresses": [{"ip": address, "targetRef": pod}], "ports": ports}]
        self._cluster.create(ENDPOINTS, new(ENDPOINTS, name, subsets=subsets))

    def leave_empty(self, name: str) -> None:
        """Have a Service behind which nothing is."""
        self._cluster.create(SERVICE, new(SERVICE, name, spec={"ports": [{"port": 80}]}))
        self._cluster.create(ENDPOINTS, new(ENDPOINTS, name, subsets=[]))


class _Telling(BaseHTTPRequestHandler):
    """Answers with path and parameters, and one question with a fault of its own."""

    def do_GET(self) -> None:
        """Answer."""
        url = urlsplit(self.path)
        said = f"{url.path[1:]} {sorted(parse_qsl(url.query))}".encode()
        self.send_response(400)  # an answer of the Service is one, whatever its status
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def _own_address() -> str:
    """Return an address of this machine that the API server asks: loopback is refused by it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no address but that of loopback")
        return str(probe.getsockname()[0])


@pytest.fixture(params=["fake", "real"])
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    """A cluster in memory, then a real API server."""
    if request.param == "fake":
        yield InMemory()
        return
    open_namespace: Connect = request.getfixturevalue("api_server")
    kubeconfig: Path = request.getfixturevalue("kubeconfig")
    name = f"test-{time.monotonic_ns()}"
    open_namespace("default").create(NAMESPACE, new(NAMESPACE, name))
    with contextlib.ExitStack() as stack:
        yield Real(open_namespace(name), kubeconfig, stack)


def test_account_is_told_without_any_right(setting: Setting) -> None:
    """Who may do nothing learns who that is, and of which version the server is."""
    assert setting.guest.account() == "guest"
    assert setting.guest.version().startswith("v1.")


def test_rights_are_those_of_the_role(setting: Setting) -> None:
    """What a Role gives is allowed, and neither another verb, nor kind, nor part of it."""
    setting.grant(Right.of("list", POD), Right.of("get", POD, "log"), Right.of("patch", ROLLOUT))
    told = {
        right: setting.guest.may(right)
        for right in (
            Right.of("list", POD), Right.of("get", POD, "log"), Right.of("patch", ROLLOUT),
            Right.of("get", POD), Right.of("patch", ROLLOUT, "status"), Right.of("list", JOB),
        )
    }  # fmt: skip
    assert list(told.values()) == [True, True, True, False, False, False]


def test_kinds_are_those_that_are_served(setting: Setting) -> None:
    """A kind of our own definition is there with its parts; an unknown group has nothing."""
    guest = setting.guest
    assert {"configmaps", "pods/log"} <= guest.kinds("v1")
    assert {"rollouts", "rollouts/status"} <= guest.kinds("argoproj.io/v1alpha1")
    assert guest.kinds("argoproj.io/v9") == frozenset()
    assert guest.kinds("nobody.example/v1") == frozenset()
    assert guest.versions("argoproj.io") == ("v1alpha1",)
    assert guest.versions("nobody.example") == ()
    assert "v1" in guest.versions(CONFIG_MAP.group)


def test_service_is_asked_through_the_api_server(setting: Setting) -> None:
    """Path and parameters get there as they are, and the answer back, whatever its status."""
    setting.grant(PROXY)
    setting.answer(WEB)
    query = {"query": 'sum(up{a="b/c"}) + 1', "x": "&"}
    said = setting.guest.read(setting.port(WEB), "api/v1/query", query)
    assert said.decode() == f"api/v1/query {sorted(query.items())}"


def test_service_is_not_asked_for_everybody(setting: Setting) -> None:
    """Without the right to it nobody is asked, and that is told as a refusal."""
    setting.grant(Right.of("get", CONFIG_MAP))
    setting.answer(WEB)
    with pytest.raises(ClusterError) as error:
        setting.guest.read(setting.port(WEB), "api/v1/query", {})
    assert error.value.code == "refused"


def test_service_that_is_not_there_is_told(setting: Setting) -> None:
    """A name that nothing bears is absent, not a cluster that is down."""
    setting.grant(PROXY)
    with pytest.raises(ClusterError) as error:
        setting.guest.read(setting.port("nobody"), "api/v1/query", {})
    assert error.value.code == ABSENT


def test_service_without_pods_is_no_cluster_that_is_down(setting: Setting) -> None:
    """Where nothing is behind a Service, that is told apart from an API server that is silent."""
    setting.grant(PROXY)
    setting.leave_empty("empty")
    with pytest.raises(ClusterError) as error:
        setting.guest.read(setting.port("empty"), "api/v1/query", {})
    assert error.value.code == SILENT
