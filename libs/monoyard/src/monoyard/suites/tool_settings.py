"""Where the tools' own settings stand, and what they say: the part of a key that is not files.

Settings are compared as parsed values, so that a comment in `pyproject.toml` runs nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monoyard.config import table_at
from monoyard.plan import Entries
from monoyard.recall import SETTINGS_AT_HOME, file_digest
from monoyard.workspace import Package, Workspace


@dataclass(frozen=True, slots=True)
class ToolFiles:
    """The places a tool looks for settings in one directory, the first one wins.

    Attributes:
        table: Name of its table in `pyproject.toml`.
        own: Files that are all its own.
        sections: Shared ini files with the section that makes them count.
    """

    table: str
    own: tuple[str, ...] = ()
    sections: tuple[tuple[str, str], ...] = ()


RUFF: Final = ToolFiles("ruff", ("ruff.toml", ".ruff.toml"))
MYPY: Final = ToolFiles("mypy", ("mypy.ini", ".mypy.ini"), (("setup.cfg", "[mypy"),))
PYTEST: Final = ToolFiles(
    "pytest",
    ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    (("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")),
)
COVERAGE: Final = ToolFiles(
    "coverage", (".coveragerc",), (("setup.cfg", "[coverage:"), ("tox.ini", "[coverage:"))
)

_NAMES: Final = tuple(
    sorted(
        {
            name
            for tool in (RUFF, MYPY, PYTEST, COVERAGE)
            for name in (*tool.own, *(shared for shared, _ in tool.sections))
        }
    )
)


def find_settings(workspace: Workspace, package: Package, tool: ToolFiles) -> str:
    """Return the file, from the top, that holds a tool's settings for a package, or nothing.

    The package's directory is searched first, then each one above it, as the tools do.
    """
    directory = package.directory
    while True:
        if found := _in_directory(workspace, package, directory, tool):
            return found
        if not directory:
            return ""
        directory = directory.rpartition("/")[0]


def settings_entries(workspace: Workspace, path: str, tool: ToolFiles) -> Entries:
    """Return what a settings file says to a tool, as key entries; nothing for no file."""
    if not path:
        return ()
    if path == "pyproject.toml":
        return tuple(
            _flatten(f"tool.{tool.table}", table_at(workspace.document, "tool", tool.table))
        )
    if path.endswith(".toml"):
        data = workspace.tree.read(path) or b""
        try:
            document = tomllib.loads(data.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            return ((path, workspace.tree.digest(path) or ""),)
        inner = (
            table_at(document, "tool", tool.table) if path.endswith("pyproject.toml") else document
        )
        return tuple(_flatten(path, inner))
    return ((path, workspace.tree.digest(path) or ""),)


def ruff_settings_at_home(home: str) -> Entries:
    """Return the settings of the user, which ruff takes where a repository has none.

    Args:
        home: The home directory, or empty. Tasks see no `XDG_CONFIG_HOME`.
    """
    for name in SETTINGS_AT_HOME if home else ():
        if (digest := file_digest(Path(home, name), "sha1")) is not None:
            return ((f"~/{name}", digest),)
    return ()


def is_above(path: str, package: Package, tool: ToolFiles) -> bool:
    """Say whether a settings file has a name and a place where a tool would look for it."""
    directory, _, name = path.rpartition("/")
    is_around = not directory or f"{package.directory}/".startswith(f"{directory}/")
    return is_around and name in {"pyproject.toml", *tool.own}


def mypy_plugins(workspace: Workspace, path: str) -> tuple[str, ...]:
    """Return the modules that a settings file names as plugins of mypy, whatever its syntax."""
    text = (workspace.tree.read(path) or b"").decode("utf-8", "replace") if path else ""
    lists = re.findall(r"^\s*plugins\s*=\s*(\[[^\]]*\]|.*)$", text, re.MULTILINE)
    return tuple(name for listed in lists for name in re.findall(r"[A-Za-z_][\w.]*", listed))


def entries_for_commands(workspace: Workspace, directory: str) -> Entries:
    """Return all settings that a command may read from outside a package's own files.

    What program a command is, and where that looks, is not known. So these are the root manifest,
    but for the engine's own table, and the settings files of every tool in the given directory and
    all above it, which other tasks' parts may otherwise account for.

    Args:
        workspace: The workspace.
        directory: The directory above the package's own, from the top.
    """
    document = {name: value for name, value in workspace.document.items() if name != "tool"}
    tools = table_at(workspace.document, "tool")
    document["tool"] = {name: value for name, value in tools.items() if name != "monoyard"}
    entries = workspace.tree.entries
    files = [(path, entries[path]) for path in _settings_paths(directory) if path in entries]
    return (*_flatten("pyproject.toml", document), *files)


def _settings_paths(directory: str) -> Iterator[str]:
    while directory:
        yield from (f"{directory}/{name}" for name in ("pyproject.toml", *_NAMES))
        directory = directory.rpartition("/")[0]
    yield from _NAMES


def has_settings(workspace: Workspace, package: Package, tool: ToolFiles) -> bool:
    """Say whether a tool has settings for a package anywhere."""
    return bool(find_settings(workspace, package, tool))


def _in_directory(workspace: Workspace, package: Package, directory: str, tool: ToolFiles) -> str:
    prefix = f"{directory}/" if directory else ""
    entries = workspace.tree.entries
    for name in tool.own:
        if prefix + name in entries:
            return prefix + name
    if _pyproject_has(workspace, package, directory, tool.table):
        return f"{prefix}pyproject.toml"
    for name, section in tool.sections:
        if prefix + name in entries:
            text = (workspace.tree.read(prefix + name) or b"").decode("utf-8", "replace")
            if any(line.strip().startswith(section) for line in text.splitlines()):
                return prefix + name
    return ""


def _pyproject_has(workspace: Workspace, package: Package, directory: str, table: str) -> bool:
    if not directory:
        return bool(table_at(workspace.document, "tool", table))
    if directory == package.directory:
        return package.kind == "python" and table in package.manifest.tools
    data = workspace.tree.read(f"{directory}/pyproject.toml")
    if data is None:
        return False
    try:
        return bool(table_at(tomllib.loads(data.decode("utf-8")), "tool", table))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True  # unreadable: it may hold anything


def _flatten(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield one entry for each leaf, so that a difference names the setting."""
    if isinstance(value, dict) and value:
        for name in sorted(value):
            yield from _flatten(f"{prefix}.{name}", value[name])
    else:
        yield prefix, json.dumps(value, sort_keys=True, default=str)
