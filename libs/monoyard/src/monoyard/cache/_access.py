"""What every part of the store needs to reach its rows.

Classes of this room that do things are plain ones: making a dataclass takes most of a millisecond
at every start of the program, and these are never compared or printed.
"""

from __future__ import annotations

from collections.abc import Callable

from monoyard.cache._database import Database
from monoyard.cache._notes import Notes
from monoyard.cache._rows import Scopes


class Access:
    """The way to the rows.

    Args:
        database: Reads and writes them.
        scopes: Says whose.
        notes: Learns what went wrong.
        clock: Gives Unix seconds.

    """

    def __init__(
        self, database: Database, scopes: Scopes, notes: Notes, clock: Callable[[], float]
    ) -> None:
        self.database = database
        self.scopes = scopes
        self.notes = notes
        self.clock = clock
