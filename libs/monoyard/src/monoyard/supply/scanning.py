"""Runs the scanners. What could not be scanned is an error, never a pass."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from monoyard.errors import MachineError, ToolError
from monoyard.process import Command, Completed, capture, clean
from monoyard.results import SecurityFinding
from monoyard.tools import ast_grep, gitleaks, hadolint, osv_scanner, ruff

FETCH: Final = "download"

_SECURITY: Final = "S"
_SECONDS: Final = 900.0
_BYTES_AT_ONCE: Final = 1 << 20
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Database:
    """Known vulnerabilities.

    Attributes:
        directory: Where they are.
        is_fetched: It is brought up to date by every scan.
        identity: Digest of its files; empty where it is fetched.
        fetched_at: Unix seconds of its newest file; 0 where it is fetched.
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
        files = sorted((directory / osv_scanner.DIRECTORY).glob("*/all.zip"))
        if not files:
            raise MachineError(
                f"{directory} has no database of known vulnerabilities",
                code="no-database",
                hint=hint,
            )
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.parent.name}\0".encode())
            with file.open("rb") as stream:
                while chunk := stream.read(_BYTES_AT_ONCE):
                    digest.update(chunk)
        newest = max(file.stat().st_mtime for file in files)
        return cls(directory, False, f"sha256:{digest.hexdigest()}", newest)

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


class Scanners:
    """Runs scanners in one work tree.

    Args:
        top: Root of the work tree.
        tool: Returns a program, fetched now if it is not here.
        state: Directory of this checkout, for the tools' own caches.
    """

    def __init__(self, top: Path, tool: Callable[[str], Path], state: Path) -> None:
        self._top = top
        self._tool = tool
        self._state = state

    def code(self) -> tuple[SecurityFinding, ...]:
        """Return what ruff's security rules refuse.

        Raises:
            ToolError: It failed.
        """
        program = str(self._tool("ruff"))
        is_selected = ruff.has_security_rules(self._run(ruff.show_settings(program), {0}).stdout)
        cache = str(self._state / "ruff")
        done = self._run(ruff.check_security(program, cache, is_selected=is_selected), {0})
        found = ruff.parse(done.stdout, str(self._top))
        if found is None:
            raise ToolError("ruff said nothing that can be read", context=done.last_lines)
        return tuple(
            SecurityFinding("ruff", (item.rule,), "medium", item.message, item.path, item.line)
            for item in found
            if item.rule.startswith(_SECURITY)
        )

    def patterns(self, rules: str) -> tuple[SecurityFinding, ...]:
        """Return what the repository's own rules refuse; nothing where there are none.

        Raises:
            ToolError: ast-grep failed.
        """
        configuration = self._top / rules
        if not configuration.is_file():
            return ()
        done = self._run(ast_grep.scan(self._tool("ast-grep"), configuration), {0, 1})
        return _read(ast_grep.parse, done.stdout, "ast-grep", done)

    def dockerfiles(self, files: Iterable[str]) -> tuple[SecurityFinding, ...]:
        """Return what is wrong with Dockerfiles.

        Raises:
            ToolError: hadolint failed.
        """
        files = tuple(files)
        if not files:
            return ()
        done = self._run(hadolint.check(self._tool("hadolint"), files), {0})
        return _read(hadolint.parse, done.stdout, "hadolint", done)

    def secrets(self, span: str, *, has_changes: bool) -> tuple[SecurityFinding, ...]:
        """Return secrets in commits and in what is not committed yet, but for untracked files.

        Args:
            span: Range of commits, as git log takes it; empty means all of history.
            has_changes: Something differs from the last commit.

        Raises:
            ToolError: gitleaks failed.
        """
        program = self._tool("gitleaks")
        with tempfile.TemporaryDirectory(prefix="monoyard-") as directory:
            report = Path(directory) / "report.json"
            calls = [gitleaks.scan_commits(program, span, report)]
            if has_changes:
                calls += [
                    gitleaks.scan_work_tree(program, report, is_staged=is_staged)
                    for is_staged in (True, False)
                ]
            found: list[SecurityFinding] = []
            for argv in calls:
                report.unlink(missing_ok=True)
                done = self._run(argv, {0, gitleaks.FOUND})
                data = report.read_bytes() if report.is_file() else b""
                found += _read(gitleaks.parse, data, "gitleaks", done)
        return tuple(found)

    def dependencies(self, database: Database, file: Path) -> tuple[SecurityFinding, ...]:
        """Return known vulnerabilities of what a lock lists.

        Raises:
            MachineError: The database has nothing about an ecosystem of the lock.
            ToolError: osv-scanner failed.
        """
        argv = osv_scanner.scan(
            self._tool("osv-scanner"), database.directory, file, is_fetching=database.is_fetched
        )
        done = self._run(argv, {0, osv_scanner.FOUND, osv_scanner.NOTHING_TO_SCAN})
        said = done.stderr.decode("utf-8", "replace")
        if "could not load db" in said or "no offline version" in said:
            raise MachineError(
                f"the database of known vulnerabilities has gaps: {file.name} was not scanned",
                code="no-database",
                context=tuple(line for line in said.splitlines() if "load db" in line)[:3],
            )
        if done.status == osv_scanner.NOTHING_TO_SCAN:
            return ()
        return _read(osv_scanner.parse, done.stdout, "osv-scanner", done)

    def image(
        self, database: Database, name: str, sbom: Mapping[str, Any]
    ) -> tuple[SecurityFinding, ...]:
        """Return known vulnerabilities of what an SBOM lists.

        Raises:
            MachineError: The database has nothing about an ecosystem of the image.
            ToolError: osv-scanner failed, or the SBOM lists what it would leave out in silence.
        """
        if problem := _gap(sbom):
            raise ToolError(f"the image {name} cannot be scanned: {problem}")
        with tempfile.TemporaryDirectory(prefix="monoyard-") as directory:
            path = Path(directory) / f"{name}.spdx.json"
            path.write_text(json.dumps(sbom), encoding="utf-8")
            found = self.dependencies(database, path)
        return tuple(replace(item, images=(name,)) for item in found)

    def state_findings(
        self, database: Database, name: str, sbom: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what is known to be wrong with an image, as the predicate `vuln` of cosign.

        Facts alone: what they mean for an environment follows from its policy, on the day that
        somebody asks.

        Raises:
            MachineError: The database has nothing about an ecosystem of the image.
            ToolError: osv-scanner failed.
        """
        began = _now()
        found = self.image(database, name, sbom)
        fetched = datetime.datetime.fromtimestamp(database.fetched_at, datetime.UTC)
        return {
            "scanner": {
                "uri": "https://github.com/google/osv-scanner",
                "db": {
                    "version": database.identity,
                    "lastUpdate": fetched.isoformat(timespec="seconds"),
                },
                "result": {"findings": [asdict(item) for item in found]},
            },
            "metadata": {"scanStartedOn": began, "scanFinishedOn": _now()},
        }

    def _run(self, argv: tuple[str, ...], statuses: set[int]) -> Completed:
        environment = clean(("*_PROXY", "*_proxy"), os.environ)
        done = capture(
            Command(argv, self._top, environment, timeout=_SECONDS, dies_with_parent=True)
        )
        if done.status not in statuses:
            raise ToolError(
                f"{Path(argv[0]).name} ended with status {done.status}", context=done.last_lines
            )
        return done


def _gap(sbom: Mapping[str, Any]) -> str:
    """Return why a scan of an SBOM would pass for want of anything to look at."""
    packages = [item for item in sbom.get("packages", ()) if isinstance(item, dict)]
    addresses = [
        str(address.get("referenceLocator", ""))
        for item in packages
        for address in item.get("externalRefs", ())
    ]
    if not any(address.startswith("pkg:") for address in addresses):
        return "its SBOM lists no package"
    # Without its release, osv-scanner leaves a Debian package out.
    unknown = [
        address for address in addresses
        if address.startswith("pkg:deb/") and "distro=" not in address
    ]  # fmt: skip
    return f"{len(unknown)} Debian packages of no known release" if unknown else ""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _read(parse: Callable[[bytes], Parsed], data: bytes, name: str, done: Completed) -> Parsed:
    try:
        return parse(data)
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{name} said nothing that can be read", context=done.last_lines) from error
