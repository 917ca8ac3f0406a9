"""Which files outside packages are read by what: the table of `files` and its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monoyard.config import WorkspaceSettings
from monoyard.workspace import matches

UNREAD_BY_DEFAULT: Final = (
    ".editorconfig",
    ".git-blame-ignore-revs",
    ".github/**",
    ".gitlab-ci.yml",
    ".idea/**",
    ".ci/**",
    ".pre-commit-config.yaml",
    ".vscode/**",
    "AUTHORS*",
    "CHANGELOG*",
    "CODEOWNERS",
    "CODE_OF_CONDUCT*",
    "CONTRIBUTING*",
    "LICENSE*",
    "NOTICE*",
    "README*",
    "SECURITY*",
    "changelog.d/**",
    "docs/**",
    "monoyard-durations.json",
    "noxfile.py",
    "tasks.py",
)
"""Files at the root that no task reads, unless `lint` and `type` of the package that owns them."""

READ_BY_DEFAULT: Final[Mapping[str, tuple[str, ...]]] = {".gitignore": ("lint",)}
"""Files at the root that some suites read: linters pass over what git ignores."""


def patterns_for(suite: str, settings: WorkspaceSettings) -> tuple[str, ...]:
    """Return the patterns of files outside packages that a suite reads."""
    tables = (settings.files, READ_BY_DEFAULT)
    return tuple(
        pattern for table in tables for pattern, suites in table.items() if suite in suites
    )


def pattern_for(path: str, settings: WorkspaceSettings) -> tuple[str, tuple[str, ...]] | None:
    """Return the pattern that covers a path and the suites that read it, or None.

    The settings' own patterns come before the default ones, in the order they are written.
    """
    for pattern, suites in (*settings.files.items(), *READ_BY_DEFAULT.items()):
        if matches(path, (pattern,)):
            return pattern, suites
    for pattern in UNREAD_BY_DEFAULT:
        if matches(path, (pattern,)):
            return pattern, ()
    return None


def is_unread(path: str, files: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether a table, its own or the default one, names no suite that reads the path."""
    for pattern, suites in files.items():
        if matches(path, (pattern,)):
            return not suites
    return matches(path, UNREAD_BY_DEFAULT)
