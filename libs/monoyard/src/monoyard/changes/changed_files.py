"""Which files differ between the base and the work tree."""

from __future__ import annotations

from collections.abc import Iterable

from monoyard.tools import git
from monoyard.workspace import CommittedTree, Repository, Tree


def changed_files(repository: Repository, tree: Tree, base: CommittedTree) -> frozenset[str]:
    """Return every path whose content, mode or existence differs between two states.

    Two states are compared, not steps between them: what was changed and taken back is not listed,
    a rename is one path gone and one path new, and it does not matter whether something is
    committed, staged, unstaged or untracked. Where bytes on disk differ from blobs by line ends or
    filters, git is asked, which looks through them.
    """
    ours, theirs = tree.entries, base.entries
    differing = {path for path, entry in ours.items() if theirs.get(path) != entry}
    differing.update(path for path in theirs if path not in ours)
    doubtful = differing & tree.altered & theirs.keys()
    if watched := doubtful - tree.unwatched:
        listed = git.parse_paths(repository.demand(git.changed_since(base.commit)))
        differing -= watched - listed
    # What a sparse checkout leaves out has no bytes on disk, and is as the index says.
    unseen = (doubtful & tree.unwatched & ours.keys()) - tree.left_out
    differing -= _kept_alike(repository, unseen, tree, base)
    return frozenset(differing | _reached_by_links(tree, frozenset(differing)))


def _kept_alike(
    repository: Repository, paths: Iterable[str], tree: Tree, base: CommittedTree
) -> set[str]:
    """Return the paths whose file git would keep as the base has it; a comparison skips them."""
    askable = [path for path in sorted(paths) if "\n" not in path]
    if not askable:
        return set()
    request = "".join(f"{path}\n" for path in askable).encode("utf-8", "surrogateescape")
    ids = repository.demand(git.hash_files(), request).decode("ascii").split()
    return {
        path for path, oid in zip(askable, ids, strict=True)
        if base.entries[path] == f"{tree.entries[path].partition(' ')[0]} {oid}"
    }  # fmt: skip


def _reached_by_links(tree: Tree, differing: frozenset[str]) -> set[str]:
    """Return the links that lead to something that differs: who reads them reads that."""
    return {
        link for link in tree.links
        if link not in differing
        and (_leads_to_ignored(tree, link) or (differing and _leads_to(tree, link, differing)))
    }  # fmt: skip


def _leads_to(tree: Tree, link: str, differing: frozenset[str]) -> bool:
    """Say whether a link leads to something that differs, there or gone."""
    return _leads_to_lost(tree, link, differing) or any(
        path in differing for path, _ in tree.behind_link(link)
    )


def _leads_to_ignored(tree: Tree, link: str) -> bool:
    """Say whether a link ends at a file that git ignores: nobody knows what it was."""
    end = tree.follow(link)[1]
    return end is not None and end not in tree.entries and (tree.top / end).is_file()


def _leads_to_lost(tree: Tree, link: str, differing: frozenset[str]) -> bool:
    """Say whether a file is gone at the end of a link, or below it."""
    end = tree.follow(link)[1]
    if end is None:
        return False
    return end in differing or any(path.startswith(f"{end}/" if end else "") for path in differing)
