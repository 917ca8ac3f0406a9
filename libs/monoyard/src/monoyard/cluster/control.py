"""The node's control plane: kubeadm, the kubelet, kube-proxy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.enclosure import Enclosure
from monoyard.cluster.parts import ETCD_TAG, KUBERNETES_VERSION
from monoyard.cluster.place import (
    DNS_ADDRESS,
    NODE,
    NODE_ADDRESS,
    POD_NETWORK,
    PORTS,
    SERVICE_NETWORK,
    Place,
)
from monoyard.cluster.records import Records
from monoyard.config.environment_values import LOCAL
from monoyard.tools import kubeadm

KUBELET: Final = "kubelet"
KUBE_PROXY: Final = "kube-proxy"

_SECONDS: Final = 300.0
_CONTEXT: Final = "kubernetes-admin@monoyard"
_NAME: Final = re.compile(r"@([A-Z_0-9]+(?::[a-z-]+)?)@")
_HERE: Final = Path(__file__).parent
_SKIPPED: Final = (
    "preflight", "certs", "kubeconfig", "kubelet-start", "upload-certs", "bootstrap-token",
    "kubelet-finalize", "addon", "show-join-command",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What makes a node of a machine.

    Attributes:
        place: The state directory.
        enclosure: What everything runs in.
        records: Knows the processes.
        programs: Where kubeadm, the kubelet and kube-proxy are.
    """

    place: Place
    enclosure: Enclosure
    records: Records
    programs: Mapping[str, Path]

    def start(self) -> None:
        """Set up the control plane, unless it is, and start what does not run.

        Raises:
            ToolError: kubeadm failed.
        """
        program, settings = self.programs["kubeadm"], self._configure("kubeadm.yaml")
        is_first = not self.place.is_initialised.is_file()
        if is_first:
            for words in (("certs", "all"), ("kubeconfig", "all"), ("kubelet-start",)):
                # The last one also wants to restart a service of systemd; it only warns.
                self.enclosure.run(kubeadm.phase(program, *words, configuration=settings))
        self._start_kubelet()
        if is_first:
            self.enclosure.run(kubeadm.init(program, settings, _SKIPPED), _SECONDS)
            said = self.enclosure.run(
                kubeadm.user_kubeconfig(program, settings, "system:kube-proxy")
            )
            self._write_secret(self.place.settings("kube-proxy.conf"), said)
            self._write_kubeconfig()
            self.place.is_initialised.touch()
        self._start_proxy()

    def _start_kubelet(self) -> None:
        flags = (self.place.kubelet / "kubeadm-flags.env").read_text("utf-8")
        argv = (
            str(self.programs["kubelet"]), "--config=/var/lib/kubelet/config.yaml",
            "--kubeconfig=/etc/kubernetes/kubelet.conf", *kubeadm.parse_kubelet_flags(flags),
        )  # fmt: skip
        self.records.start(KUBELET, self.enclosure.wrap(argv))

    def _start_proxy(self) -> None:
        written = self.place.settings("kube-proxy.yaml")
        before = written.read_text("utf-8") if written.is_file() else ""
        settings = self._configure("kube-proxy.yaml")
        if settings.read_text("utf-8") != before:
            self.records.stop(KUBE_PROXY)
        argv = (str(self.programs["kube-proxy"]), f"--config={settings}")
        self.records.start(KUBE_PROXY, self.enclosure.wrap(argv))

    def _configure(self, name: str) -> Path:
        text = (_HERE / "settings" / name).read_text("utf-8")
        target = self.place.settings(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        said = fill(text, self._values())
        # kube-proxy ends as soon as its file is written, be it with the same words.
        if not target.is_file() or target.read_text("utf-8") != said:
            target.write_text(said, encoding="utf-8")
        resolver = self.place.settings("resolv.conf")
        resolver.write_text(f"nameserver {DNS_ADDRESS}\n", encoding="utf-8")
        return target

    def _values(self) -> Mapping[str, str]:
        return {
            "NODE": NODE,
            "NODE_ADDRESS": NODE_ADDRESS,
            "POD_NETWORK": POD_NETWORK,
            "SERVICE_NETWORK": SERVICE_NETWORK,
            "DNS_ADDRESS": DNS_ADDRESS,
            "KUBERNETES_VERSION": KUBERNETES_VERSION,
            "ETCD_TAG": ETCD_TAG,
            "REPOSITORY": self.place.repository,
            "SOCKET": str(self.place.socket),
            "DIRECTORY": str(self.place.directory),
            "SETTINGS": str(self.place.settings("")),
        }

    def _write_kubeconfig(self) -> None:
        """Write what clients on this machine use: the same, by the port on loopback, as `local`."""
        api = next(port for port in PORTS if port.name == "kubernetes")
        inside, outside = f"https://{api.address}:{api.there}", f"https://127.0.0.1:{api.here}"
        text = self.place.admin.read_text("utf-8")
        self._write_secret(
            self.place.kubeconfig, text.replace(inside, outside).replace(_CONTEXT, LOCAL)
        )

    @staticmethod
    def _write_secret(path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a template with every `@NAME@` replaced.

    Raises:
        ValueError: A name has no value.
    """
    wanted = {match[1] for match in _NAME.finditer(text)}
    if left := sorted(wanted - values.keys()):
        raise ValueError(f"no value for {', '.join(left)}")
    return _NAME.sub(lambda match: values[match[1]], text)
