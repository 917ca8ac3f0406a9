"""The suites of a Python package."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from monoyard.config import SuiteSettings
from monoyard.plan import Entries
from monoyard.results import Finding
from monoyard.suites import tool_settings
from monoyard.suites.commands import CommandWork
from monoyard.suites.imports_check import internal_findings
from monoyard.suites.lock_slices import WorkspaceLock
from monoyard.suites.locked_needs import LockedNeeds
from monoyard.suites.outer_conftests import ConftestReader, OuterConftests
from monoyard.suites.python_lint import LintWork
from monoyard.suites.python_paths import PythonPaths
from monoyard.suites.python_test import TestWork
from monoyard.suites.python_type import TypeWork
from monoyard.suites.requirements import (
    TEST_SUITES,
    declared_names,
    root_group,
    suite_roots,
)
from monoyard.suites.settings_read import SettingsRead
from monoyard.suites.suite import Draft
from monoyard.suites.tool_settings import find_settings
from monoyard.suites.venvs import Interpreter, VenvSpec
from monoyard.workspace import Package, Workspace, normalize

_EPOCH: Final = "315532800"  # 1980-01-01, the first moment that a zip archive can name


class PythonSuites:
    """Drafts the suites of Python packages of one workspace.

    Args:
        workspace: The workspace.
        lock: Its lock, if it has one.
        home: Home directory of whoever runs tasks, or empty.
    """

    def __init__(self, workspace: Workspace, lock: WorkspaceLock, home: str) -> None:
        self._workspace = workspace
        self._lock = lock
        self._needs = LockedNeeds(workspace, lock)
        self._paths = PythonPaths(workspace)
        self._settings = SettingsRead(workspace, home)
        self._conftests = ConftestReader(workspace)
        self.notes: list[str] = []

    @property
    def covered(self) -> frozenset[str]:
        """Settings files told so far, whose change is one for those who read them alone."""
        return frozenset(self._settings.covered)

    def draft(
        self, package: Package, suite: str, settings: SuiteSettings, interpreter: Interpreter
    ) -> Draft | None:
        """Return the draft of a suite, or None where the package has no such suite."""
        if settings.command is not None:
            return self._command(package, suite, settings, interpreter)
        if suite == "lint":
            return self._lint(package, settings, interpreter)
        if suite == "type":
            return self._type(package, settings, interpreter)
        if suite in TEST_SUITES:
            return self._tests(package, suite, settings, interpreter)
        return self._wheel(package, interpreter)

    def _lint(
        self, package: Package, settings: SuiteSettings, interpreter: Interpreter
    ) -> Draft | None:
        paths = self._paths.checked(package, settings)
        if not paths:
            return None
        roots = root_group(self._workspace, "lint")
        venv = self._lock.venv(interpreter) if self._lock.has("ruff") else None
        imports: tuple[tuple[str, str], ...] = ()
        declared, _ = declared_names(self._workspace, package)
        if venv is not None and not package.is_root:
            imports = tuple(package.imports.items())
        findings = internal_findings(self._workspace, package)
        said, files = self._settings.of_lint(package)
        parts: tuple[tuple[str, Entries], ...] = (
            ("command", _command_entries(settings)),
            ("lock", self._needs.for_lint(imports, declared, roots) if venv else ()),
            ("settings", said),
            ("declarations", (*_edges(self._workspace, package), *_findings(findings))),
        )
        also = None
        if settings.also:
            also, further = self._also(package, settings, interpreter)
            parts += further
        version = self._lock.version("ruff")
        work = LintWork(paths, venv, findings, imports, declared, also, version)
        return Draft(work, parts, reads_packages=also is not None, files=files)

    def _also(
        self, package: Package, settings: SuiteSettings, interpreter: Interpreter
    ) -> tuple[CommandWork, tuple[tuple[str, Entries], ...]]:
        """Return the further commands of `lint`, and what they add to its key.

        The package and all it needs are importable for them, so they may read as much as tests.
        """
        venv, locked = self._needs.venv(interpreter, root_group(self._workspace, "lint"))
        if self._lock.is_there:
            found = suite_roots(self._workspace, package, "lint", settings)
            locked = self._lock.slice((*found, *self._needs.imported(package)))
        work = CommandWork(
            package.name, package.directory, settings.also or (), venv, self._laid_over(package),
            (*self._workspace.settings.env, *(settings.env or ())),
        )  # fmt: skip
        return work, (
            ("interpreter", (("python", interpreter.identity),)),
            ("lock of commands", locked),
            ("settings of commands", self._settings.of_commands(package)),
        )

    def _laid_over(self, package: Package) -> tuple[str, ...]:
        """Return the Python packages that a process of this one can import, itself first."""
        needed = (package.name, *sorted(self._workspace.graph.closure[package.name]))
        return tuple(name for name in needed if self._workspace.packages[name].kind == "python")

    def _type(
        self, package: Package, settings: SuiteSettings, interpreter: Interpreter
    ) -> Draft | None:
        config = find_settings(self._workspace, package, tool_settings.MYPY)
        paths = self._paths.checked(package, settings)
        if not paths or not (config or settings.enabled):
            return None
        roots = suite_roots(self._workspace, package, "type", settings)
        roots = tuple(sorted({*roots, *root_group(self._workspace, "test")}))
        venv, locked = self._needs.venv(interpreter, roots)
        locked = self._needs.for_types(package, roots, config) or locked
        directory = config.rpartition("/")[0]
        needed = (package.name, *sorted(self._workspace.graph.closure[package.name]))
        search = [root for name in needed for root in self._workspace.packages[name].source_roots]
        parts_of_path = package.directory.split("/") if package.directory else []
        work = TypeWork(
            package.name, paths, venv, self._lock.has("mypy"), config, directory,
            tuple(root for root in search if root),
            is_alone=not all(part.isidentifier() for part in parts_of_path),
        )  # fmt: skip
        parts = (
            ("command", _command_entries(settings)),
            ("interpreter", (("python", interpreter.identity),)),
            ("lock", locked),
            ("settings", self._settings.of_tool(package, tool_settings.MYPY)),
        )
        return Draft(work, parts)

    def _tests(
        self, package: Package, suite: str, settings: SuiteSettings, interpreter: Interpreter
    ) -> Draft | None:
        found = self._paths.tests(package, suite, settings)
        if found is None:
            return None
        paths, ignore = found
        config = find_settings(self._workspace, package, tool_settings.PYTEST)
        coverage = None
        is_shared = settings.isolation == "shared"
        outer = self._paths.outer_conftests(package, config, is_shared=is_shared)
        conftests = self._conftests.read(outer)
        roots = self._roots_of_tests(package, suite, settings, conftests)
        venv, locked = self._needs.venv(interpreter, roots, tests=True)
        if settings.coverage and not is_shared:
            coverage = find_settings(self._workspace, package, tool_settings.COVERAGE)
        migrations = self._migration_digest(package) if settings.migrate else ""
        work = TestWork(
            package=package.name,
            directory=package.directory,
            venv=venv,
            packages=self._laid_over(package),
            paths=paths,
            ignore=ignore,
            config=config,
            outermost=self._paths.outermost(package, config),
            coverage=coverage,
            sources=tuple(package.inside(root) or "." for root in package.source_roots),
            arguments=settings.args or (),
            env=(*self._workspace.settings.env, *(settings.env or ())),
            resources=settings.resources or (),
            tools=settings.tools or (),
            migrate=settings.migrate or (),
            template=f"template_{migrations[:24]}" if migrations else "",
            base_files=tuple(package.path(path) for path in settings.base_inputs or ()),
            distributions=frozenset(dict(locked)) if self._lock.is_there else None,
            own_plugins=self._own_plugins(package),
            is_shared=is_shared,
            is_dealt_out=settings.workers is not None,
        )
        parts = (
            ("command", _command_entries(settings, paths, ignore)),
            ("interpreter", (("python", interpreter.identity),)),
            ("lock", locked),
            (
                "settings",
                (
                    *self._settings.of_tool(package, tool_settings.PYTEST),
                    *self._measure(package, settings),
                ),
            ),
            ("outer conftest", tuple((path, "read") for path in conftests.owned)),
            ("resources", tuple((name, self._resource_version(name)) for name in work.resources)),
            ("tools", tuple((name, "the engine's own") for name in work.tools)),
        )
        return Draft(work, parts, is_divisible=True, files=conftests.owned, around=conftests.around)

    def _roots_of_tests(
        self, package: Package, suite: str, settings: SuiteSettings, conftests: OuterConftests
    ) -> tuple[str, ...]:
        """Return what a suite of tests needs of third parties, for itself and what is around it."""
        roots = {
            *suite_roots(self._workspace, package, suite, settings),
            *self._needs.imported(package),
            *self._needs.providers(conftests.imports),
        }
        for name in conftests.around:
            outer = self._workspace.packages[name]
            roots.update(suite_roots(self._workspace, outer, suite, SuiteSettings()))
            roots.update(self._needs.imported(outer))
        return tuple(sorted(roots))

    def _own_plugins(self, package: Package) -> tuple[str, ...]:
        """Return the pytest plugins that packages of the workspace register."""
        points = (
            self._workspace.packages[name].manifest.entry_points.get("pytest11", {})
            for name in self._laid_over(package)
        )
        return tuple(name for group in points for name in group)

    def _measure(self, package: Package, settings: SuiteSettings) -> Entries:
        if not settings.coverage:
            return ()
        return (("coverage", "branch"), *self._settings.of_tool(package, tool_settings.COVERAGE))

    def _resource_version(self, name: str) -> str:
        return self._workspace.settings.postgres_version or f"the engine's own {name}"

    def _wheel(self, package: Package, interpreter: Interpreter) -> Draft | None:
        requires = package.manifest.build_requires
        if not requires or package.is_root:
            return None
        has_backend = self._lock.has_all(requires)
        isolation = ("--no-build-isolation",) if has_backend else ()
        command = (
            "{uv}", "build", "--wheel", "--offline", "--no-config", *isolation,
            "--python={python}", "--out-dir={scratch}/dist", "--quiet", ".",
        )  # fmt: skip
        if not has_backend:
            command = tuple(word for word in command if word != "--offline")
        venv = self._lock.venv(interpreter) if has_backend else VenvSpec(interpreter)
        work = CommandWork(
            package.name, package.directory, (command,), venv,
            constants=(("SOURCE_DATE_EPOCH", _EPOCH),),
        )  # fmt: skip
        parts = (
            ("command", (("argv", json.dumps(command)),)),
            ("interpreter", (("python", interpreter.identity),)),
            (
                "lock",
                self._lock.slice(requires)
                if has_backend
                else tuple(("build", item) for item in requires),
            ),
        )
        return Draft(work, parts, reads_packages=False)

    def _command(
        self, package: Package, suite: str, settings: SuiteSettings, interpreter: Interpreter
    ) -> Draft:
        commands = (settings.command or (), *(settings.also or ()))
        words = self._lock.among(normalize(word) for command in commands for word in command)
        roots = suite_roots(self._workspace, package, suite, settings)
        roots = tuple(sorted({*roots, *words, *self._needs.imported(package)}))
        venv, locked = self._needs.venv(interpreter, roots)
        work = CommandWork(
            package.name,
            package.directory,
            commands,
            venv,
            self._laid_over(package),
            (*self._workspace.settings.env, *(settings.env or ())),
            resources=settings.resources or (),
            tools=settings.tools or (),
            base_files=tuple(package.path(path) for path in settings.base_inputs or ()),
            fix=(settings.fix,) if settings.fix else (),
        )
        parts = (
            ("command", _command_entries(settings)),
            ("interpreter", (("python", interpreter.identity),)),
            ("lock", locked),
            ("settings", self._settings.of_commands(package)),
            ("resources", tuple((name, self._resource_version(name)) for name in work.resources)),
            ("tools", tuple((name, "the engine's own") for name in work.tools)),
        )
        return Draft(work, parts)

    def _migration_digest(self, package: Package) -> str:
        """Digest what migrations may be made from: the package and all it needs."""
        digest = hashlib.sha256()
        for name in (package.name, *sorted(self._workspace.graph.closure[package.name])):
            for path in self._workspace.files[name]:
                digest.update(
                    f"{path}\0{self._workspace.tree.entries.get(path)}\n".encode(
                        "utf-8", "surrogateescape"
                    )
                )
        return digest.hexdigest()


def _command_entries(settings: SuiteSettings, *more: object) -> Entries:
    said = {
        "command": settings.command, "also": settings.also, "args": settings.args,
        "paths": settings.paths, "migrate": settings.migrate, "isolation": settings.isolation,
        "workers": settings.workers,  # how many there are is the machine's affair, not the key's
    }  # fmt: skip
    entries = [(name, json.dumps(value)) for name, value in said.items() if value is not None]
    return (*entries, *((f"detail {n}", json.dumps(item)) for n, item in enumerate(more)))


def _edges(workspace: Workspace, package: Package) -> Entries:
    """Return what the comparison of imports with declarations depends on besides own files."""
    return tuple(
        sorted(
            (f"{edge.how} {edge.target}", f"{edge.where} {edge.is_test}")
            for edge in workspace.graph.edges_from[package.name]
        )
    )


def _findings(findings: Iterable[Finding]) -> Entries:
    """Return what the plan already knows to be wrong: a ring is closed far from the package."""
    return tuple(sorted((f"{item.rule} {item.path} {item.message}", "found") for item in findings))
