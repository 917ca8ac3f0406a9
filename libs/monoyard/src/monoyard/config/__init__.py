"""pyproject tables become validated values, all faults at once.

What every plan needs is here. Environments, policies and the local cluster are read by few, and
have front doors of their own: `environments`, `environment_values`, `policy`, `local_cluster`,
`local_record`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from monoyard.config.delivery import DeliverySettings
from monoyard.config.documents import parse_json, parse_toml, table_at
from monoyard.config.images import IMAGE_SUITE, BaseSettings, ImageSettings, ImagesSettings
from monoyard.config.kinds import Faults, suggest
from monoyard.config.settings import (
    PACKAGE_TABLE,
    SUITES,
    UNSAID,
    WORKSPACE_TABLE,
    PackageSettings,
    SuiteSettings,
    WorkspaceSettings,
    json_schema,
    package_json_schema,
)
from monoyard.errors import ConfigurationError

__all__ = [
    "IMAGE_SUITE",
    "SUITES",
    "UNSAID",
    "BaseSettings",
    "DeliverySettings",
    "Faults",
    "ImageSettings",
    "ImagesSettings",
    "PackageSettings",
    "SuiteSettings",
    "WorkspaceSettings",
    "json_schema",
    "package_json_schema",
    "parse_json",
    "parse_toml",
    "raise_faults",
    "read_package_settings",
    "read_workspace_settings",
    "suggest",
    "table_at",
]


def read_workspace_settings(
    pyproject: dict[str, Any],
    own_file: dict[str, Any] | None,
    faults: Faults,
) -> WorkspaceSettings:
    """Read the root table from `pyproject.toml` or from `monoyard.toml`; having both is a fault."""
    embedded = table_at(pyproject, "tool", "monoyard")
    if own_file is None:
        settings: WorkspaceSettings = WORKSPACE_TABLE.read(embedded, "tool.monoyard", faults)
        return replace(settings, source="pyproject.toml")
    if embedded:
        faults.append("monoyard.toml: the table also stands in pyproject.toml; keep one of them")
    settings = WORKSPACE_TABLE.read(own_file, "monoyard.toml", faults)
    return replace(settings, source="monoyard.toml")


def read_package_settings(table: Any, path: str, faults: Faults) -> PackageSettings:
    """Read a package table; `path` names the file and key for faults."""
    settings: PackageSettings = PACKAGE_TABLE.read(table, path, faults)
    return settings


def raise_faults(faults: Sequence[str]) -> None:
    """Raise all collected faults as one error, or return where there is none.

    Raises:
        ConfigurationError: With one context line for each fault.

    """
    if faults:
        count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        raise ConfigurationError(
            f"the configuration has {count}",
            context=tuple(faults),
            hint="`docs/reference/configuration.md` lists every key",
        )
