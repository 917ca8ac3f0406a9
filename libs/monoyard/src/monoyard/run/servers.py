"""Servers that a run starts for its tasks: PostgreSQL, in the foreground under the supervisor."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monoyard.errors import ConfigurationError, MachineError, MonoyardError
from monoyard.install import PostgresServer, Tools, prepare_postgres
from monoyard.process import Command, Job, capture, clean

_VARIABLE = "MONOYARD_POSTGRES_URL"


@dataclass
class Postgres:
    """The database server of a run: an own one, or one that `MONOYARD_POSTGRES_URL` names.

    Args:
        tools: Finds PostgreSQL's programs.
        environment: Where the variable is looked up.
        version: Major version that the settings declare for a server of somebody else's.
    """

    tools: Tools
    environment: Mapping[str, str]
    version: str | None
    server: PostgresServer | None = None
    problem: str = ""

    @property
    def is_external(self) -> bool:
        """Whether the server is somebody else's."""
        return bool(self.environment.get(_VARIABLE))

    def prepare(self) -> None:
        """Make a cluster, or look at the external server; takes about a second.

        Raises:
            ConfigurationError: The external server's version is not the declared one.
            MachineError: It cannot be reached, or PostgreSQL cannot be installed.
        """
        program = self.tools.ensure("postgres")
        if not self.is_external:
            self.server = prepare_postgres(program)
            return
        found = _server_version(program.parent / "psql", self.environment[_VARIABLE])
        if self.version is None:
            raise ConfigurationError(
                f"{_VARIABLE} is set, but its version is not declared",
                hint=f'set `postgres-version = "{found}"`: it is part of every key',
            )
        if found != self.version:
            raise ConfigurationError(
                f"{_VARIABLE} leads to PostgreSQL {found}, `postgres-version` says {self.version}"
            )

    def job(self, number: int, log: Path) -> Job | None:
        """Return the process to supervise, or None for an external server."""
        if self.server is None:
            return None
        return Job(
            number,
            self.server.directory,
            clean(),
            argv=self.server.argv,
            stdout=log,
            stderr=log,
            grace=4.0,
            stop_signal=signal.SIGINT,  # "fast shutdown": it does not wait for clients
            remove=self.server.directory,
            user=self.server.user,
        )

    def is_ready(self) -> bool:
        """Say whether tasks can connect."""
        return self.server is None or self.server.is_ready()

    def variables(self) -> dict[str, str]:
        """Return what a task is told."""
        url = self.server.url if self.server else self.environment[_VARIABLE]
        return {_VARIABLE: url}


class ServerStart:
    """The way of a run's server from absent to running, or to the reason why it does not run.

    Args:
        postgres: The server.
        log: File that takes what it prints.
    """

    def __init__(self, postgres: Postgres, log: Path) -> None:
        self._postgres = postgres
        self._log = log
        self._guard = threading.Lock()
        self._is_prepared = False
        self._error: MonoyardError | None = None
        self._is_started = False
        self.number = 0
        self.problem = ""

    @property
    def is_awaited(self) -> bool:
        """Whether it was started and does not answer yet."""
        return self._is_started and not self.problem and not self._postgres.is_ready()

    def prepare(self) -> None:
        """Prepare the server once; whoever comes meanwhile waits, and meets the same error.

        Raises:
            MonoyardError: It cannot be prepared.
        """
        with self._guard:
            if self._error is not None:
                raise self._error
            if not self._is_prepared:
                try:
                    self._postgres.prepare()
                except MonoyardError as error:
                    self._error = error
                    raise
                self._is_prepared = True

    def start(self, number: int) -> Job | None:
        """Return the process to start, the first time and where it is ours; else None."""
        if self._is_started:
            return None
        self._is_started = True
        job = self._postgres.job(number, self._log)
        self.number = 0 if job is None else number
        return job

    def variables(self) -> Mapping[str, str] | None:
        """Return what a task is told of the server, or None where it cannot be used."""
        is_usable = self._is_started and not self.problem and self._postgres.is_ready()
        return self._postgres.variables() if is_usable else None

    def ended(self) -> None:
        """Take note that the server's process has ended by itself."""
        try:
            lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            lines = []
        self.problem = f"the PostgreSQL server ended: {lines[-1] if lines else 'no message'}"

    def remove(self) -> None:
        """Remove the server's files, when its process has ended."""
        if self._postgres.server is not None:
            shutil.rmtree(self._postgres.server.directory, ignore_errors=True)


def _server_version(psql: Path, url: str) -> str:
    command = Command((str(psql), url, "-XAtc", "show server_version_num"), Path("/"), clean(), 20)
    answer = capture(command)
    if answer.status != 0:
        raise MachineError(f"{_VARIABLE} cannot be reached", context=answer.last_lines)
    return str(int(answer.text.strip()) // 10000)
