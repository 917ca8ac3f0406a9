"""Where the native cluster lives: paths, addresses, ports. All of it goes with `down`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.config.local_record import LOCAL_RECORD

NODE: Final = "monoyard"
BRIDGE: Final = "monoyard0"
NODE_ADDRESS: Final = "10.244.0.1"
POD_NETWORK: Final = "10.244.0.0/16"
SERVICE_NETWORK: Final = "10.96.0.0/16"
DNS_ADDRESS: Final = "10.96.0.10"
NAMESPACES: Final = ("argo-rollouts", "kube-system", "platform")


@dataclass(frozen=True, slots=True)
class Port:
    """One port of this machine's loopback that leads into the cluster.

    Attributes:
        name: What answers.
        here: Port on 127.0.0.1.
        address: Address inside the cluster's network.
        there: Port of that address.
        scheme: Of its URL.
    """

    name: str
    here: int
    address: str
    there: int
    scheme: str


PORTS: Final = (
    Port("kubernetes", 16443, NODE_ADDRESS, 6443, "https"),
    Port("http", 10080, "10.96.0.80", 80, "http"),
    Port("https", 10443, "10.96.0.80", 443, "https"),
    Port("prometheus", 10090, "10.96.0.90", 9090, "http"),
    Port("postgres", 10432, "10.96.0.54", 5432, "postgresql"),
    Port("smtp", 10025, "10.96.0.25", 25, "smtp"),
    Port("mail", 10026, "10.96.0.25", 80, "http"),
    Port("s3", 10070, "10.96.0.70", 7070, "http"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """The one state directory of the native cluster.

    Attributes:
        directory: It; `down` removes it whole.
        registry_port: Port on loopback of the registry that the cluster pulls from.
        published: Ports on loopback of further registries, where images are published.
    """

    directory: Path
    registry_port: int
    published: tuple[int, ...] = ()

    @property
    def registries(self) -> tuple[int, ...]:
        """Ports on loopback of all registries that the node can pull from."""
        return tuple(dict.fromkeys((self.registry_port, *self.published)))

    @property
    def socket(self) -> Path:
        """Socket of containerd."""
        return self.directory / "containerd.sock"

    @property
    def kubeconfig(self) -> Path:
        """What clients on this machine use: the API server by its port on loopback."""
        return self.directory / "kubeconfig"

    @property
    def admin(self) -> Path:
        """The administrator's kubeconfig as kubeadm wrote it."""
        return self.kubernetes / "admin.conf"

    @property
    def kubernetes(self) -> Path:
        """What the cluster's processes see as `/etc/kubernetes`."""
        return self.directory / "kubernetes"

    @property
    def kubelet(self) -> Path:
        """What the cluster's processes see as `/var/lib/kubelet`."""
        return self.directory / "kubelet"

    @property
    def record(self) -> Path:
        """What deployments know the cluster by."""
        return self.directory / LOCAL_RECORD

    @property
    def authority(self) -> Path:
        """Certificate that clients are told to trust."""
        return self.directory / "authority" / "ca.crt"

    @property
    def is_initialised(self) -> Path:
        """Marks that kubeadm has finished."""
        return self.directory / "initialised"

    def settings(self, name: str) -> Path:
        """Return the path of a settings file that we write."""
        return self.directory / "settings" / name

    def image(self, reference: str) -> str:
        """Return the whole reference of an image of the cluster's own."""
        return f"{self.repository}/{reference}"

    @property
    def repository(self) -> str:
        """Where the cluster's own images are."""
        return f"127.0.0.1:{self.registry_port}/monoyard-cluster"
