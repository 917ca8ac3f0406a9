"""The files of a work tree with a digest for each, as git sees them and as they are on disk.

A file's digest is its git object id where the index can be trusted to say what is on disk;
otherwise the bytes are hashed the way git would hash them, so that a change keeps its digest when
it is committed. See docs/adr/0002 for when the index can be trusted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from monoyard.errors import RepositoryError
from monoyard.tools import git
from monoyard.workspace.index_times import IndexTimes
from monoyard.workspace.memo import Memo
from monoyard.workspace.repository import Repository

_MAXIMUM_LINK_DEPTH = 40


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
    """

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
        if path in self.left_out:
            return f"{self.entries[path]} left out"
        return self.entries.get(path) or file_digest(self.top / path, self.algorithm)

    @cached_property
    def links(self) -> dict[str, str]:
        """Symbolic links: path to the target, from the top; targets outside keep `..` or `/`."""
        found = {}
        for path, entry in self.entries.items():
            if entry.startswith(git.LINK_MODE):
                try:
                    target = str((self.top / path).readlink())
                except OSError:
                    continue
                joined = os.path.join(os.path.dirname(path), target)  # noqa: PTH118, PTH120
                found[path] = os.path.normpath(joined)
        return found

    def behind_link(self, path: str, depth: int = 0) -> list[tuple[str, str]]:
        """Return (path, digest) of all that a symbolic link leads to, through further links."""
        target = self.links.get(path)
        if target is None or depth > _MAXIMUM_LINK_DEPTH:
            return []
        inside = [target] if target in self.entries else self.under(target)
        if not inside:
            return [(target, _outside_digest(self.top / target, self.algorithm))]
        found = []
        for item in inside:
            found.append((item, self.digest(item) or ""))
            if item in self.links:
                found.extend(self.behind_link(item, depth + 1))
        return found


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

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of blobs; a path that the commit does not have is left out."""
        wanted = {path: self.entries[path].split(" ")[1] for path in paths if path in self.entries}
        blobs = self._objects.read_objects(list(wanted.values()))
        found = {path: blobs[oid] for path, oid in wanted.items()}
        return {path: data for path, data in found.items() if data is not None}

    def digest(self, path: str) -> str | None:
        """Return `MODE DIGEST` of a path of the commit."""
        return self.entries.get(path)


def take_snapshot(repository: Repository, memo: Memo | None = None) -> Tree:
    """Read the work tree's files and their digests, in git processes side by side.

    Args:
        repository: The repository.
        memo: Remembers what need not be looked at again.

    Raises:
        RepositoryError: git failed.

    """
    times = IndexTimes(repository, memo)
    index_output, status_output, *times_output = repository.demand_at_once(
        (git.list_index(), git.status(), *times.question())
    )
    index, hidden = git.parse_index(index_output)
    entries = dict(index)
    status = git.parse_status(status_output)
    altered = _altered_on_disk(repository, entries, status.untracked)
    left_out = _left_out(repository, entries, hidden, index_output)
    suspects = {*status.changed, *altered, *hidden}
    for path in status.untracked:
        if path.endswith("/"):
            _add_embedded(repository, path.rstrip("/"), entries)
        else:
            suspects.add(path)
    comparable = [
        path for path, entry in index.items()
        if path not in hidden and not entry.startswith(git.SUBMODULE_MODE)
    ]  # fmt: skip
    touched = times.touched(times_output, comparable)
    for path in suspects.union(touched) - left_out:
        _refresh(repository, path, entries)
    overlooked = [path for path, can_hide in touched.items() if can_hide]
    times.remember(is_true=all(entries.get(path) == index[path] for path in overlooked))
    return Tree(
        entries, repository.top, repository.object_format, frozenset(altered), frozenset(hidden),
        frozenset(left_out), repository,
    )  # fmt: skip


def _left_out(
    repository: Repository, entries: Mapping[str, str], hidden: set[str], index_output: bytes
) -> set[str]:
    """Return the tracked paths that are meant not to be on disk."""
    missing = {path for path in hidden if not os.path.lexists(repository.top / path)}
    found = missing & git.parse_skipped(index_output) if missing else set()
    return found | {
        path for path, entry in entries.items()
        if entry.startswith(git.SUBMODULE_MODE) and not (repository.top / path / ".git").exists()
    }  # fmt: skip


def file_digest(path: Path, algorithm: str) -> str | None:
    """Return `MODE DIGEST` of a file as git would store its bytes, or None where there is none."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return f"{git.LINK_MODE} {_blob_id(os.fsencode(path.readlink()), algorithm)}"
        if not stat.S_ISREG(found.st_mode):
            return None
        mode = "100755" if found.st_mode & stat.S_IXUSR else "100644"
        return f"{mode} {_blob_id(path.read_bytes(), algorithm)}"
    except OSError:
        return None


def _blob_id(data: bytes, algorithm: str) -> str:
    header = b"blob %d\0" % len(data)
    return hashlib.new(algorithm, header + data, usedforsecurity=False).hexdigest()


def _refresh(repository: Repository, path: str, entries: dict[str, str]) -> None:
    if entries.get(path, "").startswith(git.SUBMODULE_MODE):
        entries[path] = _submodule_digest(repository, path, entries[path])
        return
    digest = file_digest(repository.top / path, repository.object_format)
    if digest is None:
        entries.pop(path, None)
    else:
        entries[path] = digest


def _altered_on_disk(
    repository: Repository, entries: Mapping[str, str], untracked: Iterable[str]
) -> set[str]:
    """Return the paths whose bytes on disk may differ from their blob although status is clean."""
    settings = git.parse_config(
        repository.ask(git.read_config("core.autocrlf", "core.attributesfile")) or b"",
    )
    files = {path for path, entry in entries.items() if entry.startswith("100")}
    if settings.get("core.autocrlf", "false") != "false":
        return files
    if not _has_attributes(repository, (*entries, *untracked), settings):
        return set()
    request = b"\0".join(os.fsencode(path) for path in files)
    return set(git.parse_attributes(repository.demand(git.check_attributes(), request)))


def _has_attributes(
    repository: Repository, paths: Iterable[str], settings: Mapping[str, str]
) -> bool:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return (
        any(path.endswith(".gitattributes") for path in paths)
        or "core.attributesfile" in settings
        or (repository.common_directory / "info" / "attributes").exists()
        or (home / "git" / "attributes").exists()
        or Path("/etc/gitattributes").exists()
    )


def _submodule_digest(repository: Repository, path: str, recorded: str) -> str:
    """Return a digest of what is checked out in a submodule that differs from what is recorded."""
    directory = repository.top / path
    try:
        inner = Repository.locate(directory)
    except RepositoryError:
        return recorded
    if inner.top != directory:
        return recorded  # not checked out: the question was answered by the repository around it
    listing = "".join(
        f"{entry}\t{name}\n" for name, entry in sorted(take_snapshot(inner).entries.items())
    )
    digest = _blob_id(listing.encode("utf-8", "surrogateescape"), repository.object_format)
    return f"{git.SUBMODULE_MODE} {digest}"


def _add_embedded(repository: Repository, directory: str, entries: dict[str, str]) -> None:
    """Add the files of an untracked repository inside this one; git lists only its name."""
    for folder, names, files in os.walk(repository.top / directory):
        names[:] = [name for name in names if name != ".git"]
        for file in files:
            path = Path(folder) / file
            digest = file_digest(path, repository.object_format)
            if digest is not None:
                entries[path.relative_to(repository.top).as_posix()] = digest


def _outside_digest(path: Path, algorithm: str) -> str:
    """Digest what a link leads to outside the tree: a file's bytes, a directory's listing."""
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.is_file())
        parts = [f"{file_digest(file.resolve(), algorithm)}\t{file}" for file in files]
        return f"directory {_blob_id(os.fsencode(chr(10).join(parts)), algorithm)}"
    return file_digest(path.resolve(), algorithm) or "absent"
