"""What a kind of package says of one suite, before it becomes a task."""

from __future__ import annotations

from dataclasses import dataclass

from monoyard.plan import Entries


@dataclass(frozen=True, slots=True)
class Draft:
    """One suite of one package, without what its table adds.

    Attributes:
        work: How it is executed.
        parts: The parts of its key that are not files.
        reads_packages: Whether sources of other packages can change its result.
        outputs: Globs of files it makes, from the package's directory.
        skip: Why it cannot run on this machine; empty where it can.
        is_divisible: Whether its work can be dealt out to workers.
        files: Files of other packages that it reads, from the top.
        around: Packages of which it may read every file, and the sources of all they need.
    """

    work: object
    parts: tuple[tuple[str, Entries], ...]
    reads_packages: bool = True
    outputs: tuple[str, ...] = ()
    skip: str = ""
    is_divisible: bool = False
    files: tuple[str, ...] = ()
    around: frozenset[str] = frozenset()
