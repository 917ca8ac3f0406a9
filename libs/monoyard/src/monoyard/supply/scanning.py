"""Runs the scanners. What could not be scanned is an error, never a pass."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from monoyard.errors import MachineError, ToolError
from monoyard.process import PROXIES, Command, Completed, capture, clean
from monoyard.results import SecurityFinding
from monoyard.supply.database import Database
from monoyard.supply.findings import state
from monoyard.tools import ast_grep, gitleaks, hadolint, osv_scanner, ruff

_SECURITY: Final = "S"
_SECONDS: Final = 900.0
_OWN: Final = ("pkg:oci/", "pkg:generic/")
Parsed = TypeVar("Parsed")


class Scanners:
    """Runs scanners in one work tree.

    Args:
        top: Root of the work tree.
        tool: Returns a program, fetched now if it is not here.
    """

    def __init__(self, top: Path, tool: Callable[[str], Path]) -> None:
        self._top = top
        self._tool = tool

    def code(self) -> tuple[SecurityFinding, ...]:
        """Return what ruff's security rules refuse.

        Raises:
            ToolError: It failed.
        """
        program = str(self._tool("ruff"))
        is_selected = ruff.has_security_rules(self._run(ruff.show_settings(program), {0}).stdout)
        done = self._run(ruff.check_security(program, is_selected=is_selected), {0})
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

    def secrets(
        self, span: str, *, has_changes: bool, untracked: Iterable[str] = ()
    ) -> tuple[SecurityFinding, ...]:
        """Return secrets in commits and in what is not committed yet.

        Args:
            span: Range of commits, as git log takes it; empty means all of history.
            has_changes: Something differs from the last commit.
            untracked: Files that git neither knows nor ignores.

        Raises:
            ToolError: gitleaks failed.
        """
        program = self._tool("gitleaks")
        with tempfile.TemporaryDirectory(prefix="monoyard-") as directory:
            report = Path(directory) / "report.json"
            found = self._secrets(gitleaks.scan_commits(program, span, report), report)
            if has_changes:
                for is_staged in (True, False):
                    argv = gitleaks.scan_work_tree(program, report, is_staged=is_staged)
                    found += self._secrets(argv, report)
            links = Path(directory) / "untracked"
            linked = [_link(self._top / path, links / path) for path in untracked]
            if any(linked):
                argv = gitleaks.scan_directory(program, report, self._top / gitleaks.SETTINGS)
                found += self._secrets(argv, report, links)
        return tuple(found)

    def _secrets(
        self, argv: tuple[str, ...], report: Path, place: Path | None = None
    ) -> list[SecurityFinding]:
        report.unlink(missing_ok=True)
        done = self._run(argv, {0, gitleaks.FOUND}, place)
        data = report.read_bytes() if report.is_file() else b""
        return list(_read(gitleaks.parse, data, "gitleaks", done))

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

        Raises:
            MachineError: The database has nothing about an ecosystem of the image.
            ToolError: osv-scanner failed.
        """
        began = time.time()
        found = self.image(database, name, sbom)
        return state(found, database, began, time.time())

    def _run(
        self, argv: tuple[str, ...], statuses: set[int], place: Path | None = None
    ) -> Completed:
        environment = clean(PROXIES, os.environ)
        done = capture(
            Command(argv, place or self._top, environment, timeout=_SECONDS, dies_with_parent=True)
        )
        if done.status not in statuses:
            raise ToolError(
                f"{Path(argv[0]).name} ended with status {done.status}", context=done.last_lines
            )
        return done


def _link(file: Path, link: Path) -> bool:
    """Link a file, so that it is read where it is; say whether it is one."""
    if not file.is_file():
        return False
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(file)
    return True


def _gap(sbom: Mapping[str, Any]) -> str:
    """Return why a scan of an SBOM would pass for want of anything to look at."""
    packages = [item for item in sbom.get("packages", ()) if isinstance(item, dict)]
    addresses = [
        str(address.get("referenceLocator", ""))
        for item in packages
        for address in item.get("externalRefs", ())
    ]
    # Every SBOM of an image has an address of the image itself, which nobody knows anything of.
    known = [address for address in addresses if address.startswith("pkg:")]
    if all(address.startswith(_OWN) for address in known):
        return "its SBOM lists no package"
    # Without its release, osv-scanner leaves a Debian package out.
    unknown = [
        address for address in addresses
        if address.startswith("pkg:deb/") and "distro=" not in address
    ]  # fmt: skip
    return f"{len(unknown)} Debian packages of no known release" if unknown else ""


def _read(parse: Callable[[bytes], Parsed], data: bytes, name: str, done: Completed) -> Parsed:
    try:
        return parse(data)
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{name} said nothing that can be read", context=done.last_lines) from error
