"""Namespaces of two kinds: the fake, and one of a real API server with a real etcd."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monoyard.delivery import Kind, Namespace
from monoyard.delivery.api_capabilities import open_capabilities
from monoyard.delivery.api_server import ApiServer, connect
from monoyard.delivery.objects import NAMESPACE, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.errors import ClusterError
from monoyard.images import required
from monoyard.testing import FakeNamespace

PROGRAMS = ("etcd", "kube-apiserver", "openssl")
START_SECONDS = 180.0
TOKEN = "conformance"
GUEST_TOKEN = "conformance-guest"
GUEST = "guest"
DEFINITIONS = Kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    is_namespaced=False,
)
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: here
  cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}
users:
- name: admin
  user: {{token: {token}}}
- name: guest
  user: {{token: {guest}}}
contexts:
- name: here
  context: {{cluster: here, user: admin}}
- name: guest
  context: {{cluster: here, user: guest}}
"""

Connect = Callable[[str], ApiServer]


@pytest.fixture(scope="session")
def server_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the API server."""
    return tmp_path_factory.mktemp("api-server")


@pytest.fixture
def kubeconfig(server_place: Path) -> Path:
    """Return the file by which others find the API server, once it is up."""
    return server_place / "kubeconfig"


@pytest.fixture(scope="session")
def api_server(server_place: Path) -> Iterator[Connect]:
    """Start a real API server on loopback; return what connects to a namespace of it."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        problem = f"{', '.join(missing)} not on PATH"
        if "cluster" in required(os.environ):
            pytest.fail(problem)
        pytest.skip(problem)
    with contextlib.ExitStack() as stack:
        yield _start(server_place, stack)


@pytest.fixture(params=["fake", "real"])
def namespace(request: pytest.FixtureRequest) -> Namespace:
    """Return an empty namespace: of the fake, then of the real thing."""
    if request.param == "fake":
        return FakeNamespace("fake")
    open_namespace: Connect = request.getfixturevalue("api_server")
    name = f"test-{time.monotonic_ns()}"
    open_namespace("default").create(NAMESPACE, new(NAMESPACE, name))
    return open_namespace(name)


def _start(place: Path, stack: contextlib.ExitStack) -> Connect:
    ports = _free_ports(3)
    store, peers, port = ports
    key = place / "accounts.key"
    subprocess.run(("openssl", "genrsa", "-out", key, "2048"), check=True, capture_output=True)
    tokens = f"{TOKEN},admin,admin,system:masters\n{GUEST_TOKEN},{GUEST},{GUEST}\n"
    (place / "tokens.csv").write_text(tokens, encoding="utf-8")
    _run(stack, place, (
        "etcd", f"--data-dir={place}/etcd", f"--listen-client-urls=http://127.0.0.1:{store}",
        f"--advertise-client-urls=http://127.0.0.1:{store}",
        f"--listen-peer-urls=http://127.0.0.1:{peers}", "--unsafe-no-fsync",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peers}",
        f"--initial-cluster=default=http://127.0.0.1:{peers}",
    ))  # fmt: skip
    _run(stack, place, (
        "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{store}", f"--secure-port={port}",
        "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={place}/certs",
        f"--token-auth-file={place}/tokens.csv", "--authorization-mode=RBAC",
        "--service-account-issuer=https://here", f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.250.0.0/24",
        "--disable-admission-plugins=ServiceAccount",
    ))  # fmt: skip
    config = place / "kubeconfig"
    config.write_text(
        KUBECONFIG.format(port=port, token=TOKEN, guest=GUEST_TOKEN), encoding="utf-8"
    )

    def open_namespace(name: str) -> ApiServer:
        opened = connect(config, "here", name)
        stack.callback(opened.close)
        return opened

    default = open_namespace("default")
    _until(lambda: default.get(NAMESPACE, "default") is not None, place)
    _define_rollouts(default)
    _until(lambda: default.list(ROLLOUT, {}) == [], place)
    # The roles that everybody has are made by the server itself, a moment after it answers.
    guest = open_capabilities(config, GUEST, "default")
    stack.callback(guest.close)
    _until(lambda: guest.account() == GUEST, place)
    return open_namespace


def _define_rollouts(cluster: ApiServer) -> None:
    """Have a kind with a status of its own, as Argo Rollouts' is."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": ROLLOUT.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"kind": ROLLOUT.name, "plural": ROLLOUT.plural}
    spec = {"group": ROLLOUT.group, "scope": "Namespaced", "names": names, "versions": [version]}
    name = f"{ROLLOUT.plural}.{ROLLOUT.group}"
    cluster.create(DEFINITIONS, new(DEFINITIONS, name, spec=spec))


def _run(stack: contextlib.ExitStack, place: Path, argv: tuple[str, ...]) -> None:
    log = stack.enter_context((place / f"{argv[0]}.log").open("wb"))
    process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=place)

    def stop() -> None:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)


def _until(is_so: Callable[[], bool], place: Path) -> None:
    """Ask until it is so; what the programs printed is told where it never is."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if is_so():
                return
        except ClusterError:
            pass
        if time.monotonic() > deadline:
            logs = (path.read_text("utf-8", "replace")[-2000:] for path in place.glob("*.log"))
            pytest.fail("the API server does not answer\n" + "\n".join(logs))
        time.sleep(0.2)  # between two questions


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody has; all are asked for before one is given back."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [int(item.getsockname()[1]) for item in sockets]
