"""What the suites of Python packages need of the workspace's lock: venvs, and slices for keys."""

from __future__ import annotations

from collections.abc import Iterable

from monoyard.plan import Entries
from monoyard.suites.lock_slices import WorkspaceLock
from monoyard.suites.module_names import distribution_names
from monoyard.suites.requirements import with_test_tools
from monoyard.suites.tool_settings import mypy_plugins
from monoyard.suites.venvs import Interpreter, VenvSpec
from monoyard.workspace import Package, Workspace


class LockedNeeds:
    """Answers for one workspace and its lock.

    Args:
        workspace: The workspace.
        lock: Its lock, if it has one.
    """

    def __init__(self, workspace: Workspace, lock: WorkspaceLock) -> None:
        self._workspace = workspace
        self._lock = lock
        self._of_sources: dict[str, tuple[str, ...]] = {}
        self._imported: dict[str, tuple[str, ...]] = {}
        self._plugins: dict[str, tuple[str, ...]] = {}
        self._with_stubs: dict[tuple[str, ...], Entries] = {}

    def for_lint(
        self, imports: Entries, declared: frozenset[str], roots: tuple[str, ...]
    ) -> Entries:
        """Return ruff's slice of the lock, and what the lock has of undeclared imports."""
        imported = distribution_names(dotted for dotted, _ in imports) - declared
        undeclared = ((f"{name} (undeclared)", "locked") for name in self._lock.among(imported))
        return (*self._lock.slice(("ruff", *roots)), *undeclared)

    def for_types(self, package: Package, roots: tuple[str, ...], config: str) -> Entries:
        """Return the slice for mypy: with its plugins, and the stubs of all that is needed."""
        if not self._lock.is_there:
            return ()
        if config not in self._plugins:
            plugins = distribution_names(mypy_plugins(self._workspace, config))
            self._plugins[config] = self._lock.among(("mypy", *plugins))
        wanted = tuple(sorted({*roots, *self._plugins[config], *self.imported(package)}))
        if wanted not in self._with_stubs:
            needed = dict(self._lock.slice(wanted))
            stubs = (stub for name in needed for stub in (f"types-{name}", f"{name}-stubs"))
            self._with_stubs[wanted] = self._lock.slice((*wanted, *self._lock.among(stubs)))
        return self._with_stubs[wanted]

    def imported(self, package: Package) -> tuple[str, ...]:
        """Return locked distributions that the package and all it needs import.

        One venv holds the whole lock, so an import works that only somebody else declares.
        """
        if not self._lock.is_there:
            return ()
        if package.name not in self._imported:
            found = set(self._lock.among(distribution_names(package.test_imports)))
            for name in (package.name, *self._workspace.graph.closure[package.name]):
                found.update(self._by_sources(name))
            self._imported[package.name] = tuple(sorted(found))
        return self._imported[package.name]

    def providers(self, imports: Iterable[str]) -> tuple[str, ...]:
        """Return the locked distributions that may provide imported modules."""
        return self._lock.among(distribution_names(imports)) if self._lock.is_there else ()

    def _by_sources(self, name: str) -> tuple[str, ...]:
        if name not in self._of_sources:
            imports = self._workspace.packages[name].imports
            self._of_sources[name] = self._lock.among(distribution_names(imports))
        return self._of_sources[name]

    def venv(
        self, interpreter: Interpreter, roots: tuple[str, ...], *, tests: bool = False
    ) -> tuple[VenvSpec, Entries]:
        """Return the venv of a suite and the slice of the lock that goes into its key."""
        if self._lock.is_there:
            tools = ("pytest", "pytest-cov", "pytest-xdist", "coverage") if tests else ("mypy",)
            present = tuple(name for name in tools if self._lock.has(name))
            return self._lock.venv(interpreter), self._lock.slice((*roots, *present))
        # With pytest for all of them, one venv serves the tests and the types of a package.
        requirements = with_test_tools(roots)
        return VenvSpec(interpreter, requirements=requirements), tuple(
            ("requirement", item) for item in requirements
        )
