"""What every part of the store needs to reach its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monoyard.cache._database import Database
from monoyard.cache._notes import Notes
from monoyard.cache._rows import Scopes


@dataclass(frozen=True, slots=True)
class Access:
    """The way to the rows.

    Args:
        database: Reads and writes them.
        scopes: Says whose.
        notes: Learns what went wrong.
        clock: Gives Unix seconds.

    """

    database: Database
    scopes: Scopes
    notes: Notes
    clock: Callable[[], float]
