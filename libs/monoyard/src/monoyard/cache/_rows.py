"""Small rules that all tables share."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

TRUSTED: Final = "trusted"

# One statement text for nearly all chunks, so that SQLite compiles it once; 500 was measured
# as fast as any larger number.
_CHUNK: Final = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scopes:
    """Whose rows are read and written.

    Args:
        own: The scope that this store writes. `trusted` reads its own rows alone; every other
            scope reads those of `trusted` as well.

    """

    own: str

    @property
    def is_trusted(self) -> bool:
        """Whether this is the scope that all others may read."""
        return self.own == TRUSTED

    @property
    def readable(self) -> tuple[str, str]:
        """The two scopes to read, the preferred one last; the same one twice when trusted."""
        return (self.own, TRUSTED)


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield `items` in slices that are short enough for one statement."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def execute_for(
    connection: sqlite3.Connection,
    statement: str,
    items: Sequence[object],
    *,
    before: Sequence[object] = (),
    after: Sequence[object] = (),
) -> list[Any]:
    """Execute a statement for many items, and return all rows that it gave.

    Args:
        connection: Where.
        statement: SQL with `IN items` in place of the list.
        items: What the list holds, of any length.
        before: Parameters that stand before the list.
        after: Parameters that stand after it.

    """
    rows: list[Any] = []
    for chunk in chunks(items):
        text = statement.replace("IN items", f"IN ({','.join('?' * len(chunk))})")
        rows += connection.execute(text, (*before, *chunk, *after)).fetchall()
    return rows


def checksum(data: bytes, *identity: bytes) -> int:
    """Return a CRC-32 over the data and what it is filed under.

    SQLite notices damaged pages but not damaged cells; a flipped bit must not become a passed
    test or another file's list of imports.
    """
    value = 0
    for part in identity:
        value = zlib.crc32(part, value)
    return zlib.crc32(data, value)
