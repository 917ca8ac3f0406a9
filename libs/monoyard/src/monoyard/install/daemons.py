"""Starts what a person asked to have running: a Docker engine, a registry on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.errors import MachineError, UsageError
from monoyard.install.tools import Tools
from monoyard.process import PROXIES, Command, capture, clean, start_detached

REGISTRY_PORT: Final = 5000
DAEMONS: Final = ("docker", "registry")

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0
_PAUSE: Final = 0.1
_DOCKER_SOCKET: Final = Path("/var/run/docker.sock")
_REGISTRY: Final = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {place}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:{port}
log:
  level: warn
"""


@dataclass(frozen=True, slots=True)
class Daemons:
    """The programs that outlive a run, and only because somebody asked for them.

    Attributes:
        tools: Finds their programs.
        kept: Directory for their logs, process ids and data.
        registry_port: Port on loopback that the registry answers on.
    """

    tools: Tools
    kept: Path
    registry_port: int = REGISTRY_PORT

    def start(self, name: str) -> str:
        """Start one, or find that it answers already.

        Returns:
            Where it answers.

        Raises:
            MachineError: It cannot be started.
            UsageError: There is no such daemon.
        """
        self._check(name)
        return self._start_docker() if name == "docker" else self._start_registry()

    def stop(self, name: str) -> bool:
        """Stop one that was started here; say whether there was one.

        Raises:
            UsageError: There is no such daemon.
        """
        self._check(name)
        record = self._record(name)
        pid = _living(record)
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while _living(record) is not None and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        if _living(record) is not None:
            os.kill(pid, signal.SIGKILL)
        record.unlink(missing_ok=True)
        return True

    def answers(self, name: str) -> bool:
        """Say whether one runs, whoever started it.

        Raises:
            UsageError: There is no such daemon.
        """
        self._check(name)
        return _accepts_unix(_DOCKER_SOCKET) if name == "docker" else _accepts(self.registry_port)

    def _start_docker(self) -> str:
        address = f"unix://{_DOCKER_SOCKET}"
        if _accepts_unix(_DOCKER_SOCKET):
            return address
        program = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if program is None:
            raise MachineError(
                "dockerd is not on PATH", code="program-missing",
                hint="Debian: apt-get install docker.io",
            )  # fmt: skip
        if os.geteuid() != 0:
            raise MachineError(
                "starting a Docker engine needs root", hint="sudo systemctl start docker"
            )
        if Path("/run/systemd/system").is_dir():
            capture(Command(("systemctl", "start", "docker"), Path("/"), clean(), timeout=60))
        else:
            self._detach("docker", (program,))
        self._await("docker", lambda: _accepts_unix(_DOCKER_SOCKET))
        return address

    def _start_registry(self) -> str:
        address = f"127.0.0.1:{self.registry_port}"
        if _accepts(self.registry_port):
            return address
        place = self.kept / self._kept_as("registry")
        place.mkdir(parents=True, exist_ok=True)
        settings = place / "config.yml"
        text = _REGISTRY.format(place=place / "data", port=self.registry_port)
        settings.write_text(text, encoding="utf-8")
        program = self.tools.ensure("registry")
        self._detach("registry", (str(program), "serve", str(settings)))
        self._await("registry", lambda: _accepts(self.registry_port))
        return address

    def _detach(self, name: str, argv: tuple[str, ...]) -> None:
        command = Command(argv, Path("/"), clean(PROXIES, os.environ))
        pid = start_detached(command, self._log(name))
        self._record(name).write_text(f"{pid} {_began(pid)}", encoding="utf-8")

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if answers():
                return
            record = self._record(name)
            if record.is_file() and _living(record) is None:
                break
            time.sleep(_PAUSE)
        log = self._log(name)
        said = log.read_text("utf-8", "replace").splitlines()[-5:] if log.is_file() else []
        raise MachineError(f"{name} did not start", context=tuple(said), hint=f"its log: {log}")

    def _record(self, name: str) -> Path:
        return self.kept / f"{self._kept_as(name)}.pid"

    def _log(self, name: str) -> Path:
        return self.kept / f"{self._kept_as(name)}.log"

    def _kept_as(self, name: str) -> str:
        """Return what its files are called: registries on several ports have each their own."""
        is_usual = name != "registry" or self.registry_port == REGISTRY_PORT
        return name if is_usual else f"{name}-{self.registry_port}"

    def _check(self, name: str) -> None:
        if name not in DAEMONS:
            raise UsageError(f"`{name}` is not one of {', '.join(DAEMONS)}")


def _living(record: Path) -> int | None:
    """Return the process of a record, unless it has ended or its number is another's by now."""
    try:
        pid, began = record.read_text("utf-8").split()
    except (OSError, ValueError):
        return None
    return int(pid) if _began(int(pid)) == began else None


def _began(pid: int) -> str:
    """Return when a process began, in the kernel's words; a zombie has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc").is_dir() else _is_there(pid)
    return "" if fields[0] == "Z" else fields[19]


def _is_there(pid: int) -> str:
    """Return a word for a living process, where the system has no `/proc`."""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return "living"


def _accepts_unix(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        return True
    return False


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
