"""The native cluster: made of this machine, in namespaces of its own."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from monoyard.cluster import cgroups
from monoyard.cluster.addons import Addons
from monoyard.cluster.backups import Backups
from monoyard.cluster.client import Client
from monoyard.cluster.control import KUBE_PROXY, KUBELET, ControlPlane
from monoyard.cluster.enclosure import HOLDER, Enclosure
from monoyard.cluster.forward import Way
from monoyard.cluster.namespaces import Namespaces, namespace_manifest
from monoyard.cluster.parts import Workshop
from monoyard.cluster.place import PORTS, Place
from monoyard.cluster.records import Records
from monoyard.cluster.requirements import check_machine, check_root, is_answering
from monoyard.cluster.runtime import CONTAINERD, Runtime
from monoyard.cluster.status import NO_POLICIES, UP_HINT, Component, Status
from monoyard.config.environment_values import LOCAL, EnvironmentSettings
from monoyard.config.local_cluster import LocalClusterSettings
from monoyard.config.local_record import LocalCluster
from monoyard.errors import MachineError, MonoyardError
from monoyard.install import Daemons, exclusive
from monoyard.tools import kubectl

FORWARD: Final = "forward"

_SECONDS: Final = 60.0
_PAUSE: Final = 0.1  # seconds between two looks: nothing tells when it is so far
_ENGINE: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class NativeCluster:
    """Kubernetes from pinned programs: kubeadm, containerd, and processes that we start.

    Attributes:
        place: Its state directory.
        workshop: Makes programs and images.
        daemons: Starts the registry where none answers.
        manifests: The workspace's own.
        environments: Those that are to be in it.
        settings: What the workspace says of it.
        announce: Says what is being done.
    """

    place: Place
    workshop: Workshop
    daemons: Daemons
    manifests: tuple[Path, ...]
    environments: tuple[EnvironmentSettings, ...]
    settings: LocalClusterSettings
    announce: Callable[[str], None]

    def up(self) -> Status:
        """Make the cluster, or whatever of it is missing; return when all of it is ready.

        Raises:
            MachineError: The machine lacks something, or a part does not start.
        """
        check_root("up")
        is_joined = self.records.living(FORWARD) is not None
        check_machine(() if is_joined else (port.here for port in PORTS))
        with exclusive(self._lock):
            programs = self.workshop.programs()
            self.place.directory.mkdir(parents=True, exist_ok=True)
            self._start_registry()
            images = self.workshop.images(self.place, programs)
            self.announce("starting the node")
            self.enclosure.open()
            self._join()
            Runtime(self.place, self.enclosure, self.records).start(images["pause"])
            ControlPlane(self.place, self.enclosure, self.records, programs).start()
            self._give_to_caller(self.place.kubeconfig)
            self._link_kubectl(programs["kubectl"])
            self._furnish(images, programs)
        return self.status()

    def status(self) -> Status:
        """Return what works and what does not, with reasons. Nothing is changed or started."""
        if not self.place.directory.is_dir():
            return Status("native", exists=False)
        parts = [self._process(name) for name in (HOLDER, FORWARD, CONTAINERD, KUBELET, KUBE_PROXY)]
        parts += self._objects(bool(any(part.problem for part in parts)))
        addresses = {port.name: f"{port.scheme}://127.0.0.1:{port.here}" for port in PORTS}
        addresses["registry"] = f"127.0.0.1:{self.place.registry_port}"
        addresses["certificate authority"] = str(self.place.authority)
        return Status(
            "native", exists=True, components=tuple(parts), addresses=addresses,
            notes=(NO_POLICIES,), kubeconfig=str(self.place.kubeconfig), context=LOCAL,
        )  # fmt: skip

    def down(self) -> bool:
        """End and remove all of it; say whether there was anything.

        Raises:
            MachineError: This is not root.
        """
        check_root("down")
        with exclusive(self._lock):
            if not self.place.directory.is_dir():
                return False
            self.announce("ending the cluster's processes")
            self.records.stop(FORWARD)
            for name in (KUBELET, CONTAINERD, KUBE_PROXY):
                self.records.stop(name)
            self.enclosure.close()
            self.enclosure.remove_mount_points()
            if left := cgroups.remove():
                self.announce(f"left, because something in it does not end: {left[0]}")
            if self._registry_mark.is_file():
                self.daemons.stop("registry")
            shutil.rmtree(self.place.directory)
        return True

    def _furnish(self, images: Mapping[str, str], programs: Mapping[str, Path]) -> None:
        """Apply all manifests, wait for what they declare, and give the environments theirs."""
        self.announce("waiting for the API server")
        self._client.await_answer()
        self.announce("applying the manifests")
        self._addons.apply(images, programs)
        self._backups.make_buckets()
        if self.environments:
            self._client.apply(namespace_manifest(self.environments))
        for path in self.manifests:
            self._client.apply(path.read_text("utf-8"))
        self.announce("waiting for the pods")
        self._addons.await_ready()
        self._namespaces.provide()
        keys = {**self._recipients(), **self._backups.provide()}
        found = LocalCluster(str(self.place.kubeconfig), LOCAL, self._client.uid(), keys)
        self.place.record.write_text(found.to_json(), encoding="utf-8")

    def _recipients(self) -> Mapping[str, tuple[str, ...]]:
        """Return what the record says: checkouts that share the cluster have their own spaces."""
        try:
            return LocalCluster.parse(self.place.record.read_bytes()).recipients
        except (OSError, ValueError):
            return {}

    @cached_property
    def records(self) -> Records:
        """What was started."""
        return Records(self.place.directory / "processes")

    @cached_property
    def enclosure(self) -> Enclosure:
        """The namespaces."""
        return Enclosure(self.place, self.records)

    @property
    def target(self) -> kubectl.Target:
        """How the cluster is asked."""
        return kubectl.Target(self.place.directory / "kubectl", self.place.kubeconfig)

    @property
    def _addons(self) -> Addons:
        return Addons(self.place, self._client, self.settings.names, self.announce)

    @property
    def _client(self) -> Client:
        return Client(self.target)

    @property
    def _namespaces(self) -> Namespaces:
        password = self._addons.password
        return Namespaces(self._client, self.environments, self.settings, password)

    @property
    def _backups(self) -> Backups:
        password = self._addons.password
        return Backups(self._client, self.place.directory, self.environments, password)

    @property
    def _lock(self) -> Path:
        return self.workshop.kept / "cluster" / "native.lock"

    @property
    def _registry_mark(self) -> Path:
        return self.place.directory / "registry-is-ours"

    def _start_registry(self) -> None:
        """Start a registry where none answers; only one that we started goes with the cluster."""
        was_there = self.daemons.answers("registry")
        self.daemons.start("registry")
        if not was_there:
            self._registry_mark.touch()

    def _join(self) -> None:
        # In this order they begin to listen: when the last one does, all do.
        ways = [Way(False, port, "127.0.0.1", port) for port in self.place.registries]
        ways += [Way(True, port.here, port.address, port.there) for port in PORTS]
        program = ("env", f"PYTHONPATH={_ENGINE}", sys.executable, "-m", "monoyard.cluster.forward")
        told = (f"/proc/{self.enclosure.holder}/ns/net", *map(str, ways))
        if not self.records.was_told(FORWARD, told):
            self.records.stop(FORWARD)
        self.records.start(FORWARD, (*program, *told))
        deadline = time.monotonic() + _SECONDS
        while not is_answering(ways[-1].port):
            if self.records.living(FORWARD) is None or time.monotonic() > deadline:
                raise MachineError(
                    "the ports of the cluster cannot be joined with loopback",
                    code="cluster-part-failed",
                    context=self.records.last_lines(FORWARD),
                    hint=f"its log: {self.records.log(FORWARD)}",
                )
            time.sleep(_PAUSE)

    def _link_kubectl(self, program: Path) -> None:
        link = self.place.directory / "kubectl"
        link.unlink(missing_ok=True)
        link.symlink_to(program)

    @staticmethod
    def _give_to_caller(path: Path) -> None:
        """Let the person who called sudo read it."""
        if caller := os.environ.get("SUDO_UID"):
            os.chown(path, int(caller), -1)

    def _process(self, name: str) -> Component:
        if self.records.living(name) is not None:
            return Component(name)
        last = self.records.last_lines(name, 1)
        said = f"; it said last: {last[0][:200]}" if last else ""
        return Component(name, f"it does not run{said}", UP_HINT)

    def _objects(self, is_broken: bool) -> Iterator[Component]:
        if not self.place.is_initialised.is_file():
            yield Component("kubernetes", "it was never set up to the end", UP_HINT)
            return
        try:
            troubles = (
                *self._client.explained(self._client.troubles()), *self._namespaces.missing()
            )  # fmt: skip
        except MonoyardError as error:
            hint = "" if is_broken else f"its log: {self.records.log(KUBELET)}"
            yield Component("kubernetes", "; ".join((error.message, *error.context[-1:])), hint)
            return
        yield Component("kubernetes")
        yield from (Component(trouble.name, trouble.reason) for trouble in troubles)
