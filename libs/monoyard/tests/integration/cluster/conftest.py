"""A real cluster of this machine, made once for all tests; without what it needs they skip."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from monoyard.cluster import (
    PARTS,
    PORTS,
    NativeCluster,
    Place,
    Status,
    Workshop,
    missing_packages,
    own_manifests,
)
from monoyard.cluster.parts import HOST_PROGRAMS
from monoyard.cluster.requirements import is_answering
from monoyard.config.environment_values import Deployers, EnvironmentSettings
from monoyard.config.local_cluster import LocalClusterSettings, SecretSource
from monoyard.images import required
from monoyard.install import REGISTRY_PORT, Daemons, LocalInterpreters, Tools, Venvs
from monoyard.recall import cache_directory

TOP = Path(__file__).parents[5]
MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: own, namespace: dev}
"""
DEV = EnvironmentSettings(
    name="dev",
    namespace="dev",
    deployers=Deployers(service_accounts=("deployer",)),
    secrets={"database": ("url",)},
)
SETTINGS = LocalClusterSettings(
    names=("dev.shop.test",), secrets={"database": {"url": SecretSource(database="events")}}
)


@dataclass(frozen=True)
class Machine:
    """What of this machine a cluster could leave behind."""

    mounts: frozenset[str]
    links: frozenset[str]
    rules: frozenset[str]
    groups: frozenset[str]
    tunables: frozenset[str]
    directories: frozenset[str]

    @classmethod
    def now(cls) -> Machine:
        """Look at all of it."""
        mounts = Path("/proc/self/mounts").read_text("utf-8").splitlines()
        places = (
            "/etc/kubernetes",
            "/etc/cni",
            "/var/lib/kubelet",
            "/var/lib/cni",
            "/var/log/pods",
        )
        # Others may mount and connect something on this machine at the same time.
        signs = (*places, "/state/", "/proc/sys/", "/var/log/containers", "/run/netns/cni-")
        names = ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom")
        links = [path.name for path in Path("/sys/class/net").iterdir()]
        groups = [*Path("/sys/fs/cgroup").glob("*"), *Path("/sys/fs/cgroup").glob("*/*")]
        saved = subprocess.run(("iptables-save",), capture_output=True, text=True, check=False)
        rules = saved.stdout.splitlines()
        return cls(
            frozenset(line for line in mounts if any(sign in line for sign in signs)),
            frozenset(name for name in links if name.startswith(("monoyard", "cni", "kube"))),
            frozenset(line for line in rules if any(sign in line for sign in ("KUBE-", "CNI-"))),
            frozenset(str(path) for path in groups if "kube" in path.name),
            frozenset(f"{name}={Path('/proc/sys', name).read_text('utf-8')}" for name in names),
            frozenset(place for place in places if Path(place).exists()),
        )


@dataclass(frozen=True)
class Yard:
    """The cluster under test.

    Attributes:
        cluster: It.
        status: What the first `up` returned.
        before: The machine before that.
    """

    cluster: NativeCluster
    status: Status
    before: Machine

    def kubectl(self, *words: str, said: str = "", check: bool = True) -> str:
        """Ask the cluster; return what it answers."""
        done = subprocess.run(
            self.cluster.target.argv(*words),
            input=said or None,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def image(self, part: str) -> str:
        """Return the reference of a part's image, as a pod of the platform names it."""
        said = self.kubectl("get", "pods", "--namespace=platform", "--output=json")
        found = (
            container["image"]
            for item in json.loads(said)["items"]
            for container in item["spec"]["containers"]
        )
        return next(str(name) for name in found if f"/{part}:" in name)

    def now(self) -> Machine:
        """Look at the machine again."""
        return Machine.now()

    def until(self, *words: str, sign: str, seconds: float = 120) -> str:
        """Ask again and again until the answer holds a sign; fail with the last answer."""
        deadline = time.monotonic() + seconds
        while sign not in (answer := self.kubectl(*words, check=False)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)
        return answer


def problem(tools: Tools) -> str:
    """Return why no cluster can be made here now, or nothing."""
    if os.geteuid() != 0:
        return "it needs root"
    if packages := missing_packages():
        return f"Debian packages are missing: {', '.join(packages)}"
    names = (*HOST_PROGRAMS, *(part.program for part in PARTS if part.program))
    if missing := [name for name in names if not tools.is_installed(name)]:
        return f"programs are not built (`invoke tools.setup -- cluster`): {', '.join(missing)}"
    if taken := [str(port.here) for port in PORTS if is_answering(port.here)]:
        return f"ports are in use, by another cluster perhaps: {', '.join(taken)}"
    return ""


@pytest.fixture
def machine() -> Callable[[], Machine]:
    """Look at the machine, as often as it is called."""
    return Machine.now


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The tools of this machine's own cache: a test builds none."""
    return Tools(Venvs(cache_directory(os.environ), TOP, print), LocalInterpreters())


@pytest.fixture(scope="session")
def yard(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """A cluster that is up, in a state directory of its own; it goes with the last test."""
    if why := problem(tools):
        if "cluster" in required(os.environ):
            pytest.fail(f"MONOYARD_REQUIRE names `cluster`, but {why}")
        pytest.skip(f"no cluster can be made here: {why}")
    place = tmp_path_factory.mktemp("cluster")
    (place / "manifests").mkdir()
    (place / "manifests" / "own.yaml").write_text(MANIFEST, encoding="utf-8")
    kept = cache_directory(os.environ)
    lock = TOP / "infra" / "cluster" / "debian.lock"
    cluster = NativeCluster(
        Place(place / "state", REGISTRY_PORT),
        Workshop(tools, kept, lock if lock.is_file() else place / "debian.lock", print),
        Daemons(tools, kept / "daemons"),
        own_manifests(place / "manifests"),
        (DEV,),
        SETTINGS,
        print,
    )
    before = Machine.now()
    try:
        yield Yard(cluster, cluster.up(), before)
    finally:
        cluster.down()
