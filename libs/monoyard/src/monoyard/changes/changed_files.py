"""Which files differ between the base and the work tree."""

from __future__ import annotations

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
    if doubtful:
        listed = git.parse_paths(repository.demand(git.changed_since(base.commit)))
        differing -= doubtful - listed
    return frozenset(differing | _reached_by_links(tree, frozenset(differing)))


def _reached_by_links(tree: Tree, differing: frozenset[str]) -> set[str]:
    """Return the links that lead to something that differs: who reads them reads that."""
    return {
        link for link in tree.links
        if link not in differing and any(path in differing for path, _ in tree.behind_link(link))
    } | {
        link for link, target in tree.links.items()
        if target in differing or any(path.startswith(target + "/") for path in differing)
    }  # fmt: skip
