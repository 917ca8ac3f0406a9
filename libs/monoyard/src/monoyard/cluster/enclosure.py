"""The namespaces that the native cluster runs in: a network and a mount table of its own.

The cluster's bridge, its addresses, the rules of kube-proxy, every mount of containerd and the
kubelet exist in these two alone. The network has no way out, so nothing of the cluster reaches
beyond this machine, a container engine beside it is not disturbed, and when the last process has
ended the kernel takes all of it away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from monoyard.cluster.place import BRIDGE, NODE_ADDRESS, SERVICE_NETWORK, Place
from monoyard.cluster.records import (
    Records,
    began,
    end,
    mount_namespace_of,
    of_namespace,
    system_environment,
)
from monoyard.errors import MachineError, ToolError
from monoyard.process import Command, capture

HOLDER: Final = "holder"

# Where programs insist on a path, they find a directory of ours there.
_BOUND: Final[Mapping[str, str]] = {
    "/etc/kubernetes": "kubernetes",
    "/var/lib/kubelet": "kubelet",
    "/var/lib/cni": "cni-results",
    "/var/log/containers": "log/containers",
    "/var/log/pods": "log/pods",
}
# The kubelet sets these for the whole machine unless it reads the value it wants. Here it reads it,
# and the machine keeps its own.
_TUNABLES: Final[Mapping[str, str]] = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
}


@dataclass(frozen=True, slots=True)
class _Note:
    """What has to be known when the holder is gone: directories we made, the namespace's name."""

    made: tuple[str, ...] = ()
    namespace: str = ""
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Enclosure:
    """The cluster's namespaces, held by one process that does nothing else.

    Attributes:
        place: The state directory.
        records: Knows the holder.
    """

    place: Place
    records: Records

    @property
    def holder(self) -> int | None:
        """Process id of the holder, or None where there is none."""
        return self.records.living(HOLDER)

    def open(self) -> None:
        """Make the namespaces with what belongs in them, unless they are there.

        Raises:
            MachineError: The machine does not allow it.
        """
        if self.holder is not None and self._note().is_complete:
            return
        self.close()
        made = tuple(path for path in _BOUND if not Path(path).exists())
        made = tuple(sorted({*made, *self._note().made}))
        argv = ("unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity")
        namespace = self._await_new(self.records.start(HOLDER, argv))
        self._keep(_Note(made, namespace))
        for path in made:
            Path(path).mkdir(parents=True, exist_ok=True)
        for step in (*self._mounts(), *_links()):
            self.run(step)
        self._keep(_Note(made, namespace, is_complete=True))

    def wrap(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the call of a program inside the namespaces; it keeps its process id.

        Raises:
            MachineError: There are no namespaces.
        """
        holder = self.holder
        if holder is None:
            raise MachineError("the cluster is not running", hint="`invoke cluster.up` starts it")
        return ("nsenter", f"--target={holder}", "--net", "--mount", "--", *argv)

    def run(self, argv: tuple[str, ...], timeout: float = 60.0) -> str:
        """Run a program inside to its end and return its output.

        Raises:
            ToolError: It failed.
        """
        done = capture(Command(self.wrap(argv), Path("/"), system_environment(), timeout=timeout))
        if done.status != 0:
            raise ToolError(f"`{' '.join(argv[:4])}` failed", context=done.last_lines)
        return done.text

    def close(self) -> None:
        """End every process inside, with all containers; the kernel takes away the rest."""
        namespace = self._note().namespace
        holder = self.holder
        if holder is not None:
            namespace = mount_namespace_of(holder)
        if not namespace or namespace == mount_namespace_of("self"):
            return
        while inside := of_namespace(namespace):
            end(inside, grace=0)

    def remove_mount_points(self) -> None:
        """Remove the empty directories that were made for mounts, and nothing that was there."""
        for path in self._note().made:
            directory = Path(path)
            if directory.is_dir() and not any(directory.iterdir()):
                directory.rmdir()

    def _mounts(self) -> Iterator[tuple[str, ...]]:
        yield ("mount", "--make-rshared", "/")
        yield ("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
        for target, name in _BOUND.items():
            source = self.place.directory / name
            source.mkdir(parents=True, exist_ok=True)
            yield ("mount", "--bind", str(source), target)
        for name, value in _TUNABLES.items():
            source = self.place.settings(f"sysctl/{name}")
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(f"{value}\n", encoding="utf-8")
            if Path("/proc/sys", name).exists():
                yield ("mount", "--bind", str(source), f"/proc/sys/{name}")

    @property
    def _note_path(self) -> Path:
        return self.place.directory / "enclosure.json"

    def _note(self) -> _Note:
        try:
            found = json.loads(self._note_path.read_bytes())
        except (OSError, ValueError):
            return _Note()
        return _Note(tuple(found["made"]), found["namespace"], found["is_complete"])

    def _keep(self, note: _Note) -> None:
        text = json.dumps(asdict(note))
        self._note_path.write_text(text, encoding="utf-8")

    def _await_new(self, pid: int) -> str:
        """Wait until the holder has become `sleep`; return the name of its mount namespace."""
        ours = mount_namespace_of("self")
        while began(pid):
            name = Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
            namespace = mount_namespace_of(pid)
            if name == "sleep" and namespace != ours:
                return namespace
        raise MachineError(
            "this machine allows no namespaces of its own for the cluster",
            context=self.records.last_lines(HOLDER),
        )


def _links() -> Iterator[tuple[str, ...]]:
    yield ("ip", "link", "set", "lo", "up")
    yield ("ip", "link", "add", BRIDGE, "type", "bridge")
    yield ("ip", "address", "add", f"{NODE_ADDRESS}/16", "dev", BRIDGE)
    yield ("ip", "link", "set", BRIDGE, "up")
    # The one route beside the bridge's own: the addresses of services, which kube-proxy rewrites.
    yield ("ip", "route", "add", SERVICE_NETWORK, "dev", BRIDGE, "src", NODE_ADDRESS)
