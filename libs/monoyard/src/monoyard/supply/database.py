"""Known vulnerabilities: where they are, which they are, and how old."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.errors import MachineError
from monoyard.tools import osv_scanner

FETCH: Final = "download"

_BYTES_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Database:
    """Known vulnerabilities.

    Attributes:
        directory: Where they are.
        is_fetched: It is brought up to date by every scan.
        identity: Digest of its files; empty where it is fetched.
        fetched_at: Unix seconds of its oldest file; 0 where it is fetched.
    """

    directory: Path
    is_fetched: bool
    identity: str = ""
    fetched_at: float = 0.0

    @classmethod
    def find(cls, setting: str, top: Path, kept: Path) -> Database:
        """Return the database that a setting names.

        Args:
            setting: A directory from `top`, `download`, or nothing.
            top: Root of the work tree.
            kept: Directory for one that is fetched.

        Raises:
            MachineError: There is none, so that nothing can be said of vulnerabilities.
        """
        if setting == FETCH:
            return cls(kept, is_fetched=True)
        hint = (
            "`[tool.monoyard.images] vulnerabilities` or MONOYARD_OSV_DATABASE names a directory "
            f"with `{osv_scanner.DIRECTORY}/ECOSYSTEM/all.zip`, or is `{FETCH}`"
        )
        if not setting:
            raise MachineError(
                "there is no database of known vulnerabilities", code="no-database", hint=hint
            )
        directory = top / setting
        files = _files(directory)
        if not files:
            raise MachineError(
                f"{directory} has no database of known vulnerabilities",
                code="no-database",
                hint=hint,
            )
        oldest = min(file.stat().st_mtime for file in files)
        return cls(directory, False, _identity(files), oldest)

    def described(self, asked_at: float) -> tuple[str, float]:
        """Return what a statement says of it after a scan: its identity, and how new it is.

        Args:
            asked_at: Unix seconds at which the scan began: one that is fetched was brought up to
                date then.
        """
        if not self.is_fetched:
            return self.identity, self.fetched_at
        return _identity(_files(self.directory)), asked_at

    def check_age(self, limit: float, now: float) -> None:
        """Refuse a database that is too old to go by; one that is fetched is new.

        Args:
            limit: Seconds that the environment allows.
            now: Unix seconds.

        Raises:
            MachineError: It is older.
        """
        age = now - self.fetched_at
        if not self.is_fetched and age > limit:
            raise MachineError(
                f"the database of known vulnerabilities is {age / 3600:.0f} hours old, and "
                f"{limit / 3600:.0f} are allowed",
                code="database-too-old",
                hint="bring its files up to date; `max-scan-age` of the policy sets the limit",
            )


def _files(directory: Path) -> list[Path]:
    return sorted((directory / osv_scanner.DIRECTORY).glob("*/all.zip"))


def _identity(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.parent.name}\0".encode())
        with file.open("rb") as stream:
            while chunk := stream.read(_BYTES_AT_ONCE):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
