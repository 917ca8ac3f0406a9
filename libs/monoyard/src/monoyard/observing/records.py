"""What recorders are told, and what they wrote down: the format is in `monoyard_recorder`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

VARIABLE: Final = "MONOYARD_OBSERVED"
RECORDER: Final = Path(__file__).parent / "recorder"
MODULE: Final = "monoyard_recorder"
_SETTINGS: Final = "settings"


@dataclass(frozen=True, slots=True)
class Watching:
    """What recorders have to know.

    Attributes:
        top: Root of the repository.
        outside: Directories that do not count although they may lie in it.
        marked: Files of which it matters whether the repository's own code reads them.
        variables: Environment variables to watch, with the values that a task gets.
    """

    top: Path
    outside: tuple[Path, ...]
    marked: frozenset[Path]
    variables: Mapping[str, str | None]

    def write(self, place: Path) -> None:
        """Make the directory for the records of one process and all below it."""
        place.mkdir(parents=True, exist_ok=True)
        variables = (
            f"E{name}" if value is None else f"E{name}={value}"
            for name, value in self.variables.items()
        )
        parts = (
            f"T{self.top}",
            *(f"O{directory}" for directory in self.outside),
            *(f"M{path}" for path in sorted(self.marked)),
            *variables,
        )
        (place / _SETTINGS).write_bytes(b"".join(os.fsencode(part) + b"\0" for part in parts))


@dataclass(frozen=True, slots=True)
class Records:
    """What the Python processes of one step did.

    Attributes:
        reads: Path to who read it first (`FILE:LINE` of the repository's code), or empty; of a
            file that matters in two ways, the repository's own code comes first.
        listings: Path of a directory to who listed it.
        questions: Path that was only asked for to who asked.
        variables: Environment variable to who read it.
        written: Paths that were made.
        programs: Names of programs that were started and left no record.
        has_unwatched_python: Python was started in an environment that no recorder is in.
        is_empty: No Python process was recorded at all.
    """

    reads: dict[str, str] = field(default_factory=dict)
    listings: dict[str, str] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    has_unwatched_python: bool = False
    is_empty: bool = True


def read_records(place: Path) -> Records:
    """Read the records of one step; a line that a kill cut short is left out."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in "rlsewpui"}
    for kind, text, reader in _lines(place):
        if kind in found and not found[kind].get(text):
            found[kind][text] = reader
    recorded = {word for text in found["i"] for word in text.split(" ")}
    return Records(
        found["r"], found["l"], found["s"], found["e"], set(found["w"]),
        set(found["p"]) - recorded, bool(found["u"]), not found["i"],
    )  # fmt: skip


def _lines(place: Path) -> Iterator[tuple[str, str, str]]:
    for file in _files(place):
        for line in file.read_bytes().split(b"\0\n")[:-1]:
            said, separator, reader = line.partition(b"\0")
            if separator:
                text = os.fsdecode(said)
                yield text[:1], text[1:], os.fsdecode(reader)


def _files(place: Path) -> Iterable[Path]:
    return sorted(file for file in place.iterdir() if file.name.isdecimal())
