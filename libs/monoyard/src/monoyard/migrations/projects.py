"""Which packages have migrations: those with an alembic project in their directory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monoyard.errors import UsageError
from monoyard.workspace import Package, Workspace

_INI: Final = "alembic.ini"


def has_migrations(workspace: Workspace, package: Package) -> bool:
    """Say whether a package has an alembic project, in `alembic.ini` or `[tool.alembic]`."""
    if package.kind != "python":
        return False
    return package.path(_INI) in workspace.tree.entries or "alembic" in package.manifest.tools


def find_projects(workspace: Workspace, names: Iterable[str]) -> tuple[Package, ...]:
    """Return the packages that have migrations.

    Args:
        workspace: The workspace.
        names: Packages that are asked for; none means all that have migrations.

    Raises:
        UsageError: One of those asked for has none.
    """
    asked = [workspace.packages[name] for name in names]
    for package in asked:
        if not has_migrations(workspace, package):
            raise UsageError(
                f"{package.name} has no migrations",
                code="no-migrations",
                hint=f"it has neither {_INI} nor `[tool.alembic]` in its pyproject.toml",
            )
    return tuple(asked) or tuple(
        package for package in workspace.packages.values() if has_migrations(workspace, package)
    )
