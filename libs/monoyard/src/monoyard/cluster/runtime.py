"""containerd and the network of its pods: settings, start, whether it answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.enclosure import Enclosure
from monoyard.cluster.place import BRIDGE, POD_NETWORK, Place
from monoyard.cluster.records import Records
from monoyard.errors import MachineError, ToolError

CONTAINERD: Final = "containerd"
CNI_PROGRAMS: Final = Path("/usr/lib/cni")

_SECONDS: Final = 60.0
_PAUSE: Final = 0.1  # seconds between two looks: nothing tells when it is so far
_SETTINGS: Final = """\
version = 2
root = "{root}"
state = "/run/containerd"

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Some machines forbid to lower the score; every pod would fail there.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{networks}"

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{certificates}"
"""
_HOSTS: Final = """\
server = "http://{registry}"

[host."http://{registry}"]
  capabilities = ["pull", "resolve"]
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The container runtime of the one node.

    Attributes:
        place: The state directory.
        enclosure: What it runs in.
        records: Knows its process.
    """

    place: Place
    enclosure: Enclosure
    records: Records

    def start(self, pause: str) -> None:
        """Start containerd, unless it runs, and wait until it answers.

        Args:
            pause: Reference of the image that holds a pod's namespaces.

        Raises:
            MachineError: It did not start.
        """
        settings = self.place.settings("containerd.toml")
        networks = self.place.settings("networks")
        certificates = self.place.settings("registries")
        networks.mkdir(parents=True, exist_ok=True)
        self._write_hosts(certificates)
        network = json.dumps(self.network(), indent=2)
        (networks / "10-monoyard.conflist").write_text(network, encoding="utf-8")
        text = _SETTINGS.format(
            root=self.place.directory / "containerd", socket=self.place.socket, pause=pause,
            cni=CNI_PROGRAMS, networks=networks, certificates=certificates,
        )  # fmt: skip
        settings.write_text(text, encoding="utf-8")
        argv = ("containerd", "--config", str(settings), "--log-level", "warn")
        self.records.start(CONTAINERD, self.enclosure.wrap(argv))
        self._await()

    def _write_hosts(self, certificates: Path) -> None:
        """Say that registries of loopback speak plain HTTP, by either of its names."""
        for port in self.place.registries:
            text = _HOSTS.format(registry=f"127.0.0.1:{port}")
            for name in ("127.0.0.1", "localhost"):
                hosts = certificates / f"{name}:{port}" / "hosts.toml"
                hosts.parent.mkdir(parents=True, exist_ok=True)
                hosts.write_text(text, encoding="utf-8")

    def network(self) -> dict[str, object]:
        """Return the network of the pods: a bridge, and addresses counted up from its own."""
        addresses = {
            "type": "host-local",
            "dataDir": str(self.place.directory / "addresses"),
            "ranges": [[{"subnet": POD_NETWORK, "rangeStart": "10.244.0.10"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {
            "type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True,
            "ipam": addresses,
        }  # fmt: skip
        ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
        return {"cniVersion": "0.4.0", "name": "monoyard", "plugins": [bridge, ports]}

    def _await(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and self.records.living(CONTAINERD) is not None:
            try:
                self.enclosure.run(("ctr", f"--address={self.place.socket}", "version"), 10)
            except ToolError:
                time.sleep(_PAUSE)
            else:
                return
        raise MachineError(
            "containerd did not start",
            code="cluster-part-failed",
            context=self.records.last_lines(CONTAINERD),
            hint=f"its log: {self.records.log(CONTAINERD)}",
        )
