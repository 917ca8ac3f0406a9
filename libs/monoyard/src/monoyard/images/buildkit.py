"""A BuildKit for one run: started from its pin, with a state that runs use one after another."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from monoyard.errors import MachineError
from monoyard.images.machine_faults import refuse_full_disk
from monoyard.install import exclusive
from monoyard.process import PROXIES, Command, capture, clean, start

_START_SECONDS: Final = 30.0
# The address of a socket has 104 bytes at most (macOS; 108 on Linux, unix(7)), with what we append.
_LONGEST_PLACE: Final = 104 - len("/monoyard-12345678/buildkit.sock") - 1
_STOP_SECONDS: Final = 2.0
_PAUSE: Final = 0.05
_UMOUNT_SECONDS: Final = 10.0
_MOUNTS: Final = Path("/proc/self/mountinfo")
_KEPT_LINES: Final = 20
# Steps of the last builds stay, the oldest go first.
_CONFIGURATION: Final = """\
[worker.oci]
gc = true
maxUsedSpace = "10GB"
"""


# As container engines do: a registry on this very machine speaks plain HTTP.
_PLAIN: Final = """\

[registry."{host}"]
http = true
"""
_LOOPBACK: Final = re.compile(r"^(localhost|127(\.\d+){3})(:\d+)?$")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A BuildKit that was started.

    Attributes:
        socket: Where it answers.
        state: Directory of its state.
        said: Its last lines.
    """

    socket: Path
    state: Path
    said: Sequence[str]

    @property
    def address(self) -> str:
        """Return where it answers, as buildx wants it."""
        return f"unix://{self.socket}"

    def is_alive(self) -> bool:
        """Say whether it takes connections; one that was killed does not from that moment on."""
        return _accepts(self.socket)


def _place_for_sockets() -> str:
    """Return the directory of temporary files, or a shorter one where sockets need that."""
    usual = tempfile.gettempdir()
    is_short = len(os.fsencode(usual)) <= _LONGEST_PLACE
    return usual if is_short else "/tmp"  # noqa: S108  only the way to a directory made by mkdtemp


@contextlib.contextmanager
def buildkit(program: Path, state: Path, hosts: Iterable[str] = ()) -> Iterator[Daemon]:
    """Run BuildKit while the block runs; another run that wants the same state waits.

    Args:
        program: buildkitd.
        state: Directory of its state.
        hosts: `HOST[:PORT]` of registries that it will ask.

    Yields:
        The one that runs.

    Raises:
        MachineError: It does not start.
    """
    with (
        exclusive(state / "lock"),
        tempfile.TemporaryDirectory(
            prefix="monoyard-", dir=_place_for_sockets(), ignore_cleanup_errors=True
        ) as directory,
    ):
        place = Path(directory)
        address = place / "buildkit.sock"
        _forget_halves(state / "root")
        _release(state.resolve() / "root")
        (place / "buildkitd.toml").write_text(_configuration(hosts), encoding="utf-8")
        argv = (
            str(program), "--config", str(place / "buildkitd.toml"), "--root", str(state / "root"),
            "--addr", f"unix://{address}",
        )  # fmt: skip
        # What it mounts for itself it does not always clear away.
        temporary = state.resolve() / "temporary"
        _empty(temporary)
        temporary.mkdir(mode=0o700, exist_ok=True)
        environment = clean(PROXIES, os.environ) | {"TMPDIR": str(temporary)}
        child = start(Command(argv, place, environment, dies_with_parent=True))
        said: list[str] = []
        readers = [
            threading.Thread(target=_keep_last, args=(stream, said), daemon=True)
            for stream in (child.stdout, child.stderr)
        ]
        for reader in readers:
            reader.start()
        try:
            _await(address, lambda: child.poll() is not None, said, state)
            yield Daemon(address, state, said)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while child.poll() is None and time.monotonic() < deadline:
                time.sleep(_PAUSE)
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            for reader in readers:
                reader.join(_STOP_SECONDS)
            _release(state.resolve() / "root")
            _empty(temporary)


def _forget_halves(root: Path) -> None:
    """Remove what earlier daemons fetched of images and did not accept, or not to its end.

    It is continued otherwise. What a registry altered has the length of what was wanted, so that
    BuildKit asks for no more of it and refuses it again when the registry has been mended.
    """
    for half in root.glob("*/content/ingest/*"):
        shutil.rmtree(half)


def _release(root: Path) -> None:
    """Unmount the root directories of steps, which a daemon that was killed left mounted."""
    for executor in root.glob("*/executor"):
        _unmount(executor)


def _unmount(place: Path) -> None:
    for point in sorted(_mounted_in(place), reverse=True):
        capture(Command(("umount", str(point)), place.parent, clean(), _UMOUNT_SECONDS))


def _empty(place: Path) -> None:
    """Remove a directory with what is in it, but nothing that is still mounted there."""
    _unmount(place)
    if not _mounted_in(place):
        shutil.rmtree(place, ignore_errors=True)


def _mounted_in(place: Path) -> list[Path]:
    """Return what is mounted in a directory, as Linux says (man 5 proc, `mountinfo`)."""
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    points = (Path(line.split(" ")[4]) for line in lines)
    return [point for point in points if point.is_relative_to(place)]


def _configuration(hosts: Iterable[str]) -> str:
    plain = (_PLAIN.format(host=host) for host in hosts if _LOOPBACK.match(host))
    return "".join((_CONFIGURATION, *plain))


def _await(address: Path, has_ended: Callable[[], bool], said: Sequence[str], state: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if has_ended():
            break
        if _accepts(address):
            return
        time.sleep(_PAUSE)
    refuse_full_disk("\n".join(said), state)
    raise MachineError("BuildKit did not start", context=tuple(said[-_KEPT_LINES:]))


def _accepts(address: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address))
    except OSError:
        return False
    return True


def _keep_last(stream: IO[bytes] | None, said: list[str]) -> None:
    if stream is None:
        return
    with stream:
        for line in stream:
            said.append(line.decode("utf-8", "replace").rstrip())
            del said[:-_KEPT_LINES]
