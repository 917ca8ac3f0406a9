"""What ruff reads besides the settings file that it finds: those that one extends, and Python's.

See "Config file discovery" and "Inferring the Python version" in ruff's documentation.
"""

from __future__ import annotations

import os
import re
import tomllib
from typing import Any, Final

from monoyard.config import table_at
from monoyard.plan import Entries
from monoyard.suites.tool_settings import RUFF, settings_entries
from monoyard.workspace import Workspace

_EXTENDS: Final = re.compile(rb"""extend["']?\s*=""")  # most files need not be parsed


class InheritedSettings:
    """Follows `extend` from file to file; each is read once.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._extended: dict[str, str] = {}
        self._entries: dict[str, Entries] = {}

    def links(self, path: str) -> tuple[tuple[str, ...], str]:
        """Return the files that count, from the top, nearest first, and where that cannot go on.

        The latter is the text of an `extend` that leads out of the tree or to an environment
        variable or a home directory; it is empty where the last file extends none.
        """
        found = [path]
        while target := self._target(found[-1]):
            top = self._workspace.top
            place = os.path.relpath((top / found[-1]).parent / target, top)
            if {"~", "$"} & set(target) or place.split("/")[0] == "..":
                return tuple(found), target
            if place in found:
                break
            found.append(place)
        return tuple(found), ""

    def entries(self, link: str) -> Entries:
        """Return what one file says to ruff, with the Python that it may take its target from."""
        if link not in self._entries:
            directory, slash, _ = link.rpartition("/")
            tree = self._workspace.tree
            said = (
                settings_entries(self._workspace, link, RUFF) if link in tree.entries
                else ((link, tree.digest(link) or "absent"),)
            )  # fmt: skip
            self._entries[link] = (*said, *self.python(f"{directory}{slash}pyproject.toml"))
        return self._entries[link]

    def python(self, manifest: str) -> Entries:
        """Return the `requires-python` of a manifest, or nothing."""
        project = table_at(self._document(manifest), "project")
        wanted = project.get("requires-python")
        return () if wanted is None else ((f"{manifest}.project.requires-python", str(wanted)),)

    def _target(self, path: str) -> str:
        if path not in self._extended:
            data = self._workspace.tree.read(path) or b""
            document = self._document(path) if _EXTENDS.search(data) else {}
            is_manifest = path.rpartition("/")[2] == "pyproject.toml"
            table = table_at(document, "tool", RUFF.table) if is_manifest else document
            self._extended[path] = str(table.get("extend") or "")
        return self._extended[path]

    def _document(self, path: str) -> dict[str, Any]:
        if path == "pyproject.toml":
            return dict(self._workspace.document)
        try:
            return tomllib.loads((self._workspace.tree.read(path) or b"").decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            return {}  # ruff complains itself
