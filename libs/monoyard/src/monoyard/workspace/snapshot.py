"""Reads the files of a work tree with a digest for each, as they are on disk.

See docs/adr/0002 for when git's index can be trusted to say what is on disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from monoyard.errors import RepositoryError
from monoyard.recall import Look, blob_id, file_digest
from monoyard.tools import git
from monoyard.workspace.index_times import IndexTimes
from monoyard.workspace.memo import Memo
from monoyard.workspace.repository import Repository
from monoyard.workspace.tree import Tree


def take_snapshot(
    repository: Repository, memo: Memo | None = None, look: Look | None = None
) -> Tree:
    """Read the work tree's files and their digests, in git processes side by side.

    Args:
        repository: The repository.
        memo: Remembers what need not be looked at again.
        look: What git was asked before; the tree names its state where that is all there is.

    Raises:
        RepositoryError: git failed.

    """
    times = IndexTimes(repository, memo)
    if look is None or not look.is_whole:
        look = None
        index_output, status_output, *times_output = repository.demand_at_once(
            (git.list_index(), git.status(), *times.question())
        )
        config_output = repository.ask(git.attribute_settings()) or b""
    else:
        index_output, *times_output = repository.demand_at_once(
            (git.list_index(), *times.question())
        )
        status_output, config_output = look.status, look.config
    index, hidden = git.parse_index(index_output)
    entries = dict(index)
    status = git.parse_status(status_output)
    altered = _altered_on_disk(repository, entries, status.untracked, config_output)
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
    tree = Tree(
        entries, repository.top, repository.object_format, frozenset(altered), frozenset(hidden),
        frozenset(left_out), repository,
    )  # fmt: skip
    if look is not None and times.is_true and look.is_steady() and _is_plain(tree, status):
        tree.edits = tuple((path, entries.get(path)) for path in sorted(suspects))
        tree.untracked = status.untracked
        tree.state = look.state(tree.edits)
    return tree


def _is_plain(tree: Tree, status: git.WorkTreeStatus) -> bool:
    """Say whether index and status tell all there is to know of a tree's files."""
    return (
        not (tree.altered or tree.unwatched or tree.left_out)
        and not any(path.endswith("/") for path in status.untracked)
        and not any(entry.startswith(git.SUBMODULE_MODE) for entry in tree.entries.values())
        and not any(tree.leads_outside(link) for link in tree.links)
    )


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
    repository: Repository, entries: Mapping[str, str], untracked: Iterable[str], config: bytes
) -> set[str]:
    """Return the paths whose bytes on disk may differ from their blob although status is clean."""
    settings = git.parse_config(config)
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
    digest = blob_id(listing.encode("utf-8", "surrogateescape"), repository.object_format)
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
