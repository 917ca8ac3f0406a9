"""The suites of a TypeScript package: its npm scripts, under the names that are usual."""

from __future__ import annotations

import json
import re
from typing import Final

from monoyard.config import SuiteSettings
from monoyard.plan import Entries
from monoyard.suites.commands import CommandWork
from monoyard.suites.compiler_settings import OuterSettings, outer_settings
from monoyard.suites.suite import Draft
from monoyard.suites.venvs import Interpreter
from monoyard.workspace import Package, Workspace

_SCRIPTS: Final = {
    "lint": ("lint",),
    "type": ("type", "typecheck", "type-check", "check-types"),
    "unit": ("unit", "test:unit", "test"),
    "integration": ("integration", "test:integration"),
    "contract": ("contract", "test:contract"),
    "build": ("build",),
}
_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json")


def unrun_scripts(workspace: Workspace) -> tuple[str, ...]:
    """Return a note on scripts that would be suites, if no `pyproject.toml` stood beside."""
    usual = {name for names in _SCRIPTS.values() for name in names}
    found = [
        f"{package.directory or '.'} ({', '.join(names)})"
        for package in workspace.packages.values()
        if package.manifest.beside is not None
        and (names := [name for name in package.manifest.beside.scripts if name in usual])
    ]
    if not found:
        return ()
    return (
        "a package with pyproject.toml and package.json is a Python one; npm scripts that are not "
        f"run: {'; '.join(found)}",
    )


class TypescriptSuites:
    """Drafts the suites of TypeScript packages of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._settings: dict[str, OuterSettings] = {}
        self.covered: set[str] = set()

    def draft(
        self, package: Package, suite: str, settings: SuiteSettings, interpreter: Interpreter
    ) -> Draft | None:
        """Return the draft of a suite, or None where there is no script for it."""
        del interpreter  # the same shape as for Python packages
        command = settings.command or self._script(package, suite)
        if command is None:
            return None
        lock = self._lock(package)
        commands = (command, *(settings.also or ()))
        work = CommandWork(
            package.name,
            package.directory,
            commands,
            env=(*self._workspace.settings.env, *(settings.env or ())),
            node_modules=lock.rpartition("/")[0] if lock else None,
            resources=settings.resources or (),
            tools=settings.tools or (),
            base_files=tuple(package.path(path) for path in settings.base_inputs or ()),
            fix=self._fix(package, settings) if suite == "lint" else (),
        )
        parts = (
            ("command", (("argv", json.dumps(commands)),)),
            ("tools", tuple((name, "the engine's own") for name in ("node", *work.tools))),
            ("lock", self._lock_entries(package, lock)),
        )
        outputs = ("dist/**",) if suite == "build" else ()
        skip = "" if lock else "there is no package-lock.json to install from"
        files, around = self._outer_settings(package)
        return Draft(work, parts, outputs=outputs, skip=skip, files=files, around=around)

    def _outer_settings(self, package: Package) -> OuterSettings:
        if package.name not in self._settings:
            self._settings[package.name] = outer_settings(self._workspace, package)
        return self._settings[package.name]

    def _script(self, package: Package, suite: str) -> tuple[str, ...] | None:
        for name in _SCRIPTS[suite]:
            if script := package.manifest.scripts.get(name):
                report: tuple[str, ...] = ()
                if re.search(r"\bvitest\b", script):
                    report = (
                        "--",
                        "--reporter=default",
                        "--reporter=junit",
                        "--outputFile.junit={scratch}/junit.xml",
                    )
                return ("npm", "run", "--silent", name, *report)
        return None

    def _fix(self, package: Package, settings: SuiteSettings) -> tuple[tuple[str, ...], ...]:
        if settings.fix is not None:
            return (settings.fix,)
        for name in ("fix", "lint:fix"):
            if name in package.manifest.scripts:
                return (("npm", "run", "--silent", name),)
        return ()

    def _lock(self, package: Package) -> str:
        """Return the npm lock of a package, its own or the one of a directory above, or nothing."""
        directory = package.directory
        while True:
            for name in _LOCKS:
                path = f"{directory}/{name}" if directory else name
                if path in self._workspace.tree.entries:
                    return path
            if not directory:
                return ""
            directory = directory.rpartition("/")[0]

    def _lock_entries(self, package: Package, lock: str) -> Entries:
        if not lock or self._workspace.owner(lock) == package.name:
            return ()
        self.covered.add(lock)
        return ((lock, self._workspace.tree.entries[lock]),)
