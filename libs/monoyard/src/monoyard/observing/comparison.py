"""What the records of a task say, held against what its key covers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.observing.covering import Covered
from monoyard.observing.records import Records
from monoyard.workspace import Repository, Workspace


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """One thing that a task read and its key does not cover.

    Attributes:
        rule: `unkeyed-file`, `unkeyed-absence`, `unkeyed-listing` or `unkeyed-variable`.
        what: A path from the top (of a directory: empty for the top), or a variable.
        reader: File of the repository, from the top, whose code read it; may be empty.
        line: Its line.
    """

    rule: str
    what: str
    reader: str = ""
    line: int = 0


FILE: Final = "unkeyed-file"
ABSENCE: Final = "unkeyed-absence"
LISTING: Final = "unkeyed-listing"
VARIABLE: Final = "unkeyed-variable"


def compare(
    records: Records, covered: Covered, workspace: Workspace, outside: tuple[Path, ...]
) -> list[Unkeyed]:
    """Return what was read outside of a key, each once, files first.

    Args:
        records: What the task did.
        covered: What its key covers.
        workspace: The workspace.
        outside: Directories that do not count, wherever links lead.
    """
    found = dict.fromkeys(_Comparison(records, covered, workspace, outside).all())
    absent = [item.what for item in found if item.rule == ABSENCE]
    # A name that git ignores is one that somebody's machine may have; there is no end to those.
    ignored = Repository.locate(workspace.top).ignored(absent) if absent else frozenset()
    return [item for item in found if item.rule != ABSENCE or item.what not in ignored]


class _Comparison:
    def __init__(
        self,
        records: Records,
        covered: Covered,
        workspace: Workspace,
        outside: tuple[Path, ...],
    ) -> None:
        self._records = records
        self._covered = covered
        self._workspace = workspace
        self._top = f"{workspace.top}/"
        self._outside = tuple(f"{place}/" for place in outside)
        self._seen: set[str] = set()

    def all(self) -> Iterator[Unkeyed]:
        for path, reader in sorted(self._records.reads.items()):
            yield from self._file(path, reader)
        for path, reader in sorted(self._records.questions.items()):
            yield from self._file(path, reader)
        for path, reader in sorted(self._records.listings.items()):
            yield from self._listing(path, reader)
        for name, reader in sorted(self._records.variables.items()):
            yield self._unkeyed(VARIABLE, name, reader)

    def _file(self, said: str, reader: str) -> Iterator[Unkeyed]:
        path = _source_of(said)
        if path is None or self._is_own(said):
            return
        for place in self._inside(self._ways(path)):
            if os.path.lexists(self._top + place):
                is_file = not (self._workspace.top / place).is_dir()
                if is_file and not self._covered.file(place, is_ours=bool(reader)):
                    yield from self._once(FILE, place, reader)
            elif reader and not self._covered.absence(place):
                # Tools look for settings in many places; where they find some, that is a file.
                yield from self._once(ABSENCE, place, reader)

    def _ways(self, path: str) -> set[str]:
        """Return where a path leads, and the path itself where git knows it: it may be a link."""
        end = os.path.realpath(path)
        is_known = path[len(self._top) :] in self._workspace.tree.entries
        return {path, end} if is_known else {end}

    def _listing(self, said: str, reader: str) -> Iterator[Unkeyed]:
        if self._is_own(said) or "/__pycache__" in said:
            return
        for place in self._inside({os.path.realpath(said)}, with_top=True):
            if not self._covered.listing(place, is_ours=bool(reader)):
                yield from self._once(LISTING, place, reader)

    def _inside(self, paths: Iterable[str], *, with_top: bool = False) -> Iterator[str]:
        for path in sorted(paths):
            if path.startswith(self._top) and not f"{path}/".startswith(self._outside):
                yield path[len(self._top) :]
            elif with_top and f"{path}/" == self._top:
                yield ""

    def _is_own(self, path: str) -> bool:
        """Say whether a task made a path itself, or the directory around it."""
        written = self._records.written
        if not written or path[len(self._top) :] in self._workspace.tree.entries:
            return False
        above = path
        while len(above) > len(self._top):
            if above in written:
                return True
            above = above.rpartition("/")[0]
        return False

    def _once(self, rule: str, what: str, reader: str) -> Iterator[Unkeyed]:
        if what not in self._seen:  # a file that is asked for and read is read
            self._seen.add(what)
            yield self._unkeyed(rule, what, reader)

    def _unkeyed(self, rule: str, what: str, reader: str) -> Unkeyed:
        path, _, line = reader.rpartition(":")
        return Unkeyed(rule, what, path.removeprefix(self._top), int(line or 0))


def _source_of(path: str) -> str | None:
    """Return the source of bytecode, the path itself for other files, None for what has none."""
    directory, folder, name = path.rpartition("/__pycache__/")
    if not folder:
        return None if path.endswith("/__pycache__") else path
    parts = name.split(".")  # pytest puts dots of its version into the tag
    for count in range(1, len(parts)):
        source = f"{directory}/{'.'.join(parts[:count])}.py"
        if Path(source).exists():
            return source
    return None
