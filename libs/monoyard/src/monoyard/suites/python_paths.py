"""Which files of a Python package the tools of its suites are given."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from monoyard.config import SuiteSettings
from monoyard.workspace import Package, Workspace

_OTHER_SUITES: Final = ("tests/integration", "tests/contract", "tests/e2e")


class PythonPaths:
    """Says which paths tools are given, package by package.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tests: dict[str, list[str]] = {}

    def checked(self, package: Package, settings: SuiteSettings) -> tuple[str, ...]:
        """Return what lint and type are given: the package's directory, or what the table says."""
        if settings.paths is not None:
            return tuple(package.path(path) for path in settings.paths)
        files = [
            path for path in self._workspace.files[package.name] if path.endswith((".py", ".pyi"))
        ]
        if not files:
            return ()
        if not package.is_root and package.directory not in self._directories_above:
            return (package.directory,)
        tops = dict.fromkeys(_top_part(package, path) for path in files)
        return tuple(tops)

    @cached_property
    def _directories_above(self) -> frozenset[str]:
        """Directories that have a package somewhere below them."""
        found: set[str] = set()
        for package in self._workspace.packages.values():
            parts = package.directory.split("/")
            found.update("/".join(parts[:count]) for count in range(1, len(parts)))
        return frozenset(found)

    def tests(
        self, package: Package, suite: str, settings: SuiteSettings
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Return the paths of a suite of tests and what below them belongs to other suites."""
        if settings.paths is not None:
            return settings.paths, ()
        tests = self._tests_in(package)
        if package.is_root and self._workspace.settings.root_package is not None:
            if suite != "integration" or not tests:
                return None
            return ("tests",), tuple(_existing(tests, ("tests/e2e",)))
        if any(path.startswith(f"tests/{suite}/") for path in tests):
            return (f"tests/{suite}",), ()
        if suite != "unit" or not tests or any(path.startswith("tests/unit/") for path in tests):
            return None
        place = "tests" if any(path.startswith("tests/") for path in tests) else "test"
        return (place,), tuple(_existing(tests, _OTHER_SUITES))

    def _tests_in(self, package: Package) -> list[str]:
        """Return the Python files below `tests/` and `test/`; asked for by each suite of tests."""
        if package.name not in self._tests:
            inner = (package.inside(path) for path in self._workspace.files[package.name])
            self._tests[package.name] = [
                path for path in inner
                if path.endswith(".py") and path.startswith(("tests/", "test/"))
            ]  # fmt: skip
        return self._tests[package.name]

    def outermost(self, package: Package, config: str) -> str:
        """Return the highest directory between the configuration and a package with a conftest."""
        above = self._with_conftest(package, config.count("/")) if config else ()
        return next(iter(above), package.directory)

    def outer_conftests(self, package: Package, config: str, *, is_shared: bool) -> tuple[str, ...]:
        """Return each `conftest.py` above a package that counts for its tests.

        Args:
            package: The package.
            config: pytest's configuration file from the top, or empty.
            is_shared: Its tests may run in a process that sees them from the repository's root.
        """
        if not config and not is_shared:
            return ()
        places = self._with_conftest(package, 0 if is_shared else config.count("/"))
        return tuple(f"{place}/conftest.py" if place else "conftest.py" for place in places)

    def _with_conftest(self, package: Package, depth: int) -> tuple[str, ...]:
        """Return the directories above a package, from a depth downwards, with a conftest."""
        parts = package.directory.split("/") if package.directory else []
        above = ("/".join(parts[:count]) for count in range(depth, len(parts)))
        return tuple(
            place for place in above
            if (f"{place}/conftest.py" if place else "conftest.py") in self._workspace.tree.entries
        )  # fmt: skip


def _existing(paths: list[str], places: tuple[str, ...]) -> list[str]:
    return [place for place in places if any(path.startswith(f"{place}/") for path in paths)]


def _top_part(package: Package, path: str) -> str:
    first = package.inside(path).partition("/")[0]
    return f"{package.directory}/{first}" if package.directory else first
