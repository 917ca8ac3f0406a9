"""The files of a work tree with a digest for each, as git sees them and as they are on disk.

A file's digest is its git object id where the index can be trusted to say what is on disk;
otherwise the bytes are hashed the way git would hash them, so that a change keeps its digest when
it is committed. See docs/adr/0002 for when the index can be trusted.
"""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from monoyard.recall import blob_id, file_digest
from monoyard.tools import git
from monoyard.workspace.repository import Repository


class Tree:
    """Path to `MODE DIGEST` for every file that counts.

    Args:
        entries: The files: tracked ones that exist (or are left out by a sparse checkout), and
            untracked ones that git does not ignore.
        top: Root of the work tree, for links that leave it and for ignored files.
        algorithm: Name of the hash for bytes on disk.
        altered: Paths whose bytes on disk may differ from their blob although git calls them
            clean (line ends, filters); their digest says what is on disk.
        unwatched: Paths that git was told not to compare with the disk.
        left_out: Tracked paths that are not on disk on purpose (a sparse checkout, a submodule that
            is not checked out): no change, but nothing that is there either.
        repository: Where the bytes are of what is left out.

    Attributes:
        state: Names what a plan of it hangs on, see `Look.state`; empty where that is not known.
        edits: Where it is: each path that git calls changed or unknown, with its entry, if any.
        untracked: Those of them that git does not know.
    """

    state = ""
    edits: tuple[tuple[str, str | None], ...] = ()
    untracked: frozenset[str] = frozenset()

    def __init__(
        self,
        entries: Mapping[str, str],
        top: Path,
        algorithm: str,
        altered: frozenset[str] = frozenset(),
        unwatched: frozenset[str] = frozenset(),
        left_out: frozenset[str] = frozenset(),
        repository: Repository | None = None,
    ) -> None:
        self.entries = entries
        self.top = top
        self.algorithm = algorithm
        self.altered = altered
        self.unwatched = unwatched
        self.left_out = left_out
        self._repository = repository

    @cached_property
    def paths(self) -> list[str]:
        """All paths in byte order."""
        return sorted(self.entries)

    def under(self, directory: str) -> list[str]:
        """Return the paths below a directory; the empty string means all."""
        if not directory:
            return self.paths
        first = bisect_left(self.paths, directory + "/")
        last = bisect_left(self.paths, directory + "0", lo=first)  # "0" follows "/"
        return self.paths[first:last]

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files; one that cannot be read is missing in the answer.

        Those that a sparse checkout leaves out are read as git keeps them.
        """
        paths = list(paths)
        found = {}
        for path in paths:
            with contextlib.suppress(OSError):
                found[path] = (self.top / path).read_bytes()
        kept = {
            path: self.entries[path].split(" ")[1]
            for path in paths if path in self.left_out and path not in found
        }  # fmt: skip
        if kept and self._repository is not None:
            blobs = self._repository.read_objects(list(kept.values()))
            found |= {path: data for path, oid in kept.items() if (data := blobs[oid]) is not None}
        return found

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where it cannot be read."""
        return self.read_many([path]).get(path) if path in self.entries else None

    def digest(self, path: str) -> str | None:
        """Return what a task finds at a path: `MODE DIGEST`, of an ignored file too, or None."""
        if (entry := self.entries.get(path)) is None:
            return file_digest(self.top / path, self.algorithm)
        return f"{entry} left out" if path in self.left_out else entry

    @cached_property
    def links(self) -> Mapping[str, str]:
        """Symbolic links: path to the target as it is written."""
        found = {}
        for path, entry in self.entries.items():
            if entry.startswith(git.LINK_MODE):
                with contextlib.suppress(OSError):
                    found[path] = str((self.top / path).readlink())
        return found

    def follow(self, link: str) -> tuple[tuple[str, ...], str | None]:
        """Return the links that a link leads through, itself first, and where it ends.

        The end is a path from the top, which need not exist; the empty one is the top. It is None
        where it is outside the repository, and where links lead in a ring.
        """
        passed: list[str] = []
        at: list[str] = []
        ahead = link.split("/")
        while ahead:
            part = ahead.pop(0)
            if part in {"", "."}:
                continue
            if part == "..":
                if not at:
                    return tuple(passed), None
                at.pop()
                continue
            at.append(part)
            place = "/".join(at)
            if (target := self.links.get(place)) is None:
                continue
            if place in passed:
                return tuple(passed), None
            passed.append(place)
            if target.startswith("/"):
                target = os.path.relpath(target, self.top)
                at.clear()
            else:
                at.pop()
            ahead[:0] = target.split("/")
        return tuple(passed), "/".join(at)

    def leads_outside(self, link: str) -> bool:
        """Say whether a symbolic link leads to what is none of the files."""
        end = self.follow(link)[1]
        return end is None or not (end in self.entries or self.under(end))

    def behind_link(self, link: str) -> list[tuple[str, str]]:
        """Return (path, digest) of all that a symbolic link leads to, through further links."""
        found: dict[str, str] = {}
        queue, seen = [link], {link}
        while queue:
            name = queue.pop()
            passed, end = self.follow(name)
            inside = [end] if end in self.entries else self.under(end) if end is not None else []
            if not inside:
                place = self.links[name] if end is None else end
                found[place] = _outside_digest(self.top / name, self.algorithm)
            for item in (*passed[1:], *inside):
                found[item] = self.digest(item) or "absent"
                if item in self.links and item not in seen:
                    seen.add(item)
                    queue.append(item)
        return sorted(found.items())


class CommittedTree(Tree):
    """The files of a commit: the same questions, answered from git's objects.

    Args:
        repository: Where the commit is.
        commit: Its id.
    """

    def __init__(self, repository: Repository, commit: str) -> None:
        listed = git.parse_tree(repository.demand(git.list_tree(commit)))
        entries = {path: f"{mode} {oid}" for path, (mode, oid) in listed.items()}
        super().__init__(entries, repository.top, repository.object_format)
        self.commit = commit
        self._objects = repository

    @cached_property
    def links(self) -> Mapping[str, str]:
        """Symbolic links: path to the target as it is written."""
        paths = [path for path, entry in self.entries.items() if entry.startswith(git.LINK_MODE)]
        ids = [self.entries[path].split(" ")[1] for path in paths]
        blobs = self._objects.read_objects(ids)
        return {path: os.fsdecode(blobs[oid] or b"") for path, oid in zip(paths, ids, strict=True)}

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of files; a path that the commit does not have is left out."""
        ends = {path: self.follow(path)[1] if path in self.links else path for path in paths}
        wanted = {
            path: self.entries[end].split(" ")[1]
            for path, end in ends.items() if end is not None and end in self.entries
        }  # fmt: skip
        blobs = self._objects.read_objects(list(wanted.values()))
        found = {path: blobs[oid] for path, oid in wanted.items()}
        return {path: data for path, data in found.items() if data is not None}

    def digest(self, path: str) -> str | None:
        """Return `MODE DIGEST` of a path of the commit."""
        return self.entries.get(path)


def _outside_digest(path: Path, algorithm: str) -> str:
    """Digest what a link leads to outside the tree: a file's bytes, a directory's listing."""
    try:
        end = path.resolve()
    except (OSError, RuntimeError):  # a ring of links
        return "absent"
    if end.is_dir():
        files = sorted(item for item in end.rglob("*") if item.is_file())
        parts = [f"{file_digest(file.resolve(), algorithm)}\t{file}" for file in files]
        return f"directory {blob_id(os.fsencode(chr(10).join(parts)), algorithm)}"
    return file_digest(end, algorithm) or "absent"
