"""Servers that a run starts for its tasks: PostgreSQL, in the foreground under the supervisor."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monoyard.errors import ConfigurationError, MachineError
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


def _server_version(psql: Path, url: str) -> str:
    command = Command((str(psql), url, "-XAtc", "show server_version_num"), Path("/"), clean(), 20)
    answer = capture(command)
    if answer.status != 0:
        raise MachineError(f"{_VARIABLE} cannot be reached", context=answer.last_lines)
    return str(int(answer.text.strip()) // 10000)
