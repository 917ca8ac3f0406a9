"""What the container's environment says."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VOLUME = Path("/var/lib/postgresql/data")


class SettingsError(Exception):
    """The environment lacks something, or names what is not there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server runs.

    Attributes:
        cluster: Directory of the database cluster.
        programs: Directory of PostgreSQL's programs.
        user: Name of the superuser.
        password: Its password, or empty; only making a cluster needs it.
        host: Addresses to listen on.
        port: Port to listen on.
    """

    cluster: Path
    programs: Path
    user: str
    password: str = field(repr=False)
    host: str
    port: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            SettingsError: The port is no number, a file cannot be read, or there is no server.
        """
        server = shutil.which("postgres", path=environment.get("PATH", ""))
        if server is None:
            raise SettingsError("postgres is not on PATH")
        port = environment.get("PORT") or "5432"
        if not port.isdigit():
            raise SettingsError(f"PORT: `{port}` is no port")
        return cls(
            cluster=Path(environment.get("PGDATA") or VOLUME / "cluster"),
            programs=Path(server).parent,
            user=environment.get("POSTGRES_USER") or "postgres",
            password=_password(environment),
            host=environment.get("HOST") or "*",
            port=int(port),
        )

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the server."""
        return (
            "-D", str(self.cluster), "-p", str(self.port), "-h", self.host, "-k", "/tmp",  # noqa: S108  the container's
        )  # fmt: skip


def _password(environment: Mapping[str, str]) -> str:
    named = environment.get("POSTGRES_PASSWORD_FILE")
    if not named:
        return environment.get("POSTGRES_PASSWORD", "")
    try:
        return Path(named).read_text("utf-8").rstrip("\n")
    except OSError as error:
        raise SettingsError(f"POSTGRES_PASSWORD_FILE: {error}") from error
