"""git: command lines and parsers. Tested with 2.35 to 2.51.

Every file name is bytes with NUL separators, decoded with surrogateescape so that a name that is
not UTF-8 survives the way back to the file system. Nothing here runs a command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MINIMUM_VERSION: Final = (2, 35)

# A user's configuration must not change what a question means: a file system monitor may lie about
# changes, checkStat=minimal overlooks an edit with the same size and time.
_SETTINGS: Final = (
    "-c", "core.fsmonitor=false",
    "-c", "core.checkStat=default",
    "-c", "core.trustctime=true",
    "-c", "core.quotePath=false",
    "-c", "status.relativePaths=false",
    "-c", "diff.autoRefreshIndex=true",
)  # fmt: skip

_TIMES: Final = re.compile(
    rb"(?:\A|\n  size: \d+\tflags: [0-9a-f]+\n)([^\0]+)\0  ctime: (\d+):(\d+)(?=\n)"
)

REGULAR_MODES: Final = ("100644", "100755")
LINK_MODE: Final = "120000"
SUBMODULE_MODE: Final = "160000"


@dataclass(frozen=True, slots=True)
class WorkTreeStatus:
    """What differs from the index or is unknown to it.

    Attributes:
        changed: Tracked paths whose content, mode or existence differs from HEAD or index.
        untracked: Paths that git neither tracks nor ignores; a trailing slash marks an embedded
            repository.

    """

    changed: frozenset[str]
    untracked: frozenset[str]


def ask(*arguments: str) -> tuple[str, ...]:
    """Return a command line, with the settings by which a question means the same anywhere."""
    return ("git", *_SETTINGS, *arguments)


def locate() -> tuple[str, ...]:
    """Ask for the top of the work tree, its git directories and the name of the hash."""
    return ask(
        "rev-parse",
        "--path-format=absolute",
        "--show-toplevel",
        "--git-common-dir",
        "--git-dir",
        "--show-object-format",
    )


def list_index() -> tuple[str, ...]:
    """List every index entry with mode, object id and the flags that hide it from status."""
    return ask("ls-files", "-v", "-s", "-z", "--full-name")


def parse_index(output: bytes) -> tuple[dict[str, str], set[str]]:
    """Parse `list_index`.

    Returns:
        Path to `MODE OID` (an unmerged path has its last stage), and the paths that `git status`
        does not look at (assume-unchanged, skip-worktree).

    """
    entries: dict[str, str] = {}
    hidden: set[str] = set()
    for record in os.fsdecode(output).split("\0"):
        if record:
            meta, path = record.split("\t", 1)
            entries[path] = meta[2:-2]  # "H 100644 oid 0": without the tag and the stage
            if meta[0] != "H" and (meta[0] == "S" or meta[0].islower()):
                hidden.add(path)
    return entries, hidden


def parse_skipped(output: bytes) -> set[str]:
    """Return, from the output of `list_index`, the paths that git need not have on disk."""
    records = os.fsdecode(output).split("\0")
    return {record.split("\t", 1)[1] for record in records if record[:1] in {"S", "s"}}


def list_index_times() -> tuple[str, ...]:
    """List every index entry with the times that git remembers of its file."""
    return ask("ls-files", "-z", "--full-name", "--debug")


def parse_index_times(output: bytes) -> dict[str, tuple[int, int]]:
    """Parse `list_index_times`; return path to the (seconds, nanoseconds) of its last change.

    What is not understood is left out: the format is meant for people.
    """
    return {
        os.fsdecode(path): (int(seconds), int(nanoseconds))
        for path, seconds, nanoseconds in _TIMES.findall(output)
    }


def status() -> tuple[str, ...]:
    """Compare HEAD, index and work tree, with untracked files one by one and submodules in full."""
    return ask(
        "status",
        "--porcelain=v2",
        "-z",
        "--untracked-files=all",
        "--no-renames",
        "--ignore-submodules=none",
    )


def parse_status(output: bytes) -> WorkTreeStatus:
    """Parse `status`; ignored files never appear because they were not asked for."""
    changed, untracked = set(), set()
    for record in output.split(b"\0"):
        kind = record[:1]
        if kind == b"1":
            changed.add(os.fsdecode(record.split(b" ", 8)[8]))
        elif kind == b"u":
            changed.add(os.fsdecode(record.split(b" ", 10)[10]))
        elif kind == b"?":
            untracked.add(os.fsdecode(record[2:]))
    return WorkTreeStatus(frozenset(changed), frozenset(untracked))


def check_attributes() -> tuple[str, ...]:
    """Ask, for NUL-separated paths on standard input, which attributes alter bytes on checkout."""
    return ask(
        "check-attr", "-z", "--stdin", "text", "eol", "crlf", "ident", "filter",
        "working-tree-encoding",
    )  # fmt: skip


def parse_attributes(output: bytes) -> frozenset[str]:
    """Return the paths whose bytes on disk may differ from their blob by an attribute."""
    fields = output.split(b"\0")
    altered = set()
    for path, _name, value in zip(fields[0::3], fields[1::3], fields[2::3], strict=False):
        if value not in {b"unspecified", b"unset"}:
            altered.add(os.fsdecode(path))
    return frozenset(altered)


def attribute_settings() -> tuple[str, ...]:
    """Ask for the settings by which bytes on disk may differ from blobs; none fails."""
    return read_config("core.autocrlf", "core.attributesfile")


def read_config(*names: str) -> tuple[str, ...]:
    """Ask for the settings whose name matches one of `names` (a regular expression each)."""
    return ask("config", "-z", "--get-regexp", "|".join(f"^{name}$" for name in names))


def parse_config(output: bytes) -> dict[str, str]:
    """Parse `read_config`: lower-case name to value, the last one wins."""
    pairs = (record.partition(b"\n") for record in output.split(b"\0") if record)
    return {name.decode(): value.decode("utf-8", "replace") for name, _, value in pairs}


def changed_since(commit: str) -> tuple[str, ...]:
    """List the tracked paths that differ between a commit and the work tree.

    One comparison of two states, not a union of steps: a change that was taken back is not listed.
    """
    return ask(
        "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv",
        "--no-relative", "--ignore-submodules=none", "--end-of-options", commit, "--",
    )  # fmt: skip


def parse_paths(output: bytes) -> frozenset[str]:
    """Parse a NUL-separated list of paths."""
    return frozenset(os.fsdecode(record) for record in output.split(b"\0") if record)


def list_tree(commit: str) -> tuple[str, ...]:
    """List every file of a commit."""
    return ask("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)


def parse_tree(output: bytes) -> dict[str, tuple[str, str]]:
    """Parse `list_tree`: path to (mode, object id)."""
    tree = {}
    for record in output.split(b"\0"):
        if record:
            meta, _, path = record.partition(b"\t")
            mode, _kind, oid = meta.decode("ascii").split(" ")
            tree[os.fsdecode(path)] = (mode, oid)
    return tree


def read_objects() -> tuple[str, ...]:
    """Print the objects named on standard input, one a line."""
    return ask("cat-file", "--batch")


def parse_objects(output: bytes, names: Iterable[str]) -> dict[str, bytes | None]:
    """Parse `read_objects` for the same names in the same order; a missing object is None."""
    found: dict[str, bytes | None] = {}
    position = 0
    for name in names:
        end = output.index(b"\n", position)
        header = output[position:end].split(b" ")
        position = end + 1
        if header[-1] == b"missing":
            found[name] = None
            continue
        size = int(header[-1])
        found[name] = output[position : position + size]
        position += size + 1
    return found


def check_ignored() -> tuple[str, ...]:
    """Ask which paths on standard input git ignores; tracked ones never are."""
    return ask("check-ignore", "-z", "--stdin")


def hash_files() -> tuple[str, ...]:
    """Compute the object ids that files (paths on standard input) would have in the index."""
    return ask("hash-object", "--stdin-paths")


def add_work_tree(place: str, commit: str) -> tuple[str, ...]:
    """Make a further work tree, of a commit and without a branch."""
    return _quietly("worktree", "add", "--quiet", "--detach", place, commit)


def remove_work_tree(place: str) -> tuple[str, ...]:
    """Remove a further work tree, whatever is in it."""
    return ask("worktree", "remove", "--force", "--force", place)


def switch_to(commit: str) -> tuple[str, ...]:
    """Bring a work tree to a commit; changes in it are lost."""
    return _quietly("checkout", "--quiet", "--force", "--detach", commit)


def remove_unknown() -> tuple[str, ...]:
    """Remove from a work tree all that is not tracked, ignored files too."""
    return ask("clean", "-ffdxq")


def _quietly(*arguments: str) -> tuple[str, ...]:
    """Return a command that runs no hook of the user's, and leaves submodules alone."""
    return ask("-c", "core.hooksPath=/dev/null", "-c", "submodule.recurse=false", *arguments)
