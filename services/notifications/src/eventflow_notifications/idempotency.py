"""Remembers what was sent under which key.

The memory is this process's own and bounded. A restart, another replica, or a key that has been
pushed out forgets, and then a repeated request sends again: delivery is at least once. Receivers
can drop the repeated one, because delivery ids are made from the key.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Generic, TypeVar

Value = TypeVar("Value")


class KeyReusedError(Exception):
    """The key was used before, for a request with other content."""


@dataclass
class Entry(Generic[Value]):
    """What is known under one key; `value` is None before anything was sent."""

    digest: str
    used_at: float
    value: Value | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class KeyMemory(Generic[Value]):
    """Keeps at most `capacity` keys that are not in use, each for `lifetime` seconds.

    `clock` counts seconds and never goes back.
    """

    def __init__(
        self, *, capacity: int, lifetime: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = capacity
        self._lifetime = lifetime
        self._clock = clock
        self._entries: OrderedDict[str, Entry[Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @asynccontextmanager
    async def using(self, key: str, digest: str) -> AsyncIterator[Entry[Value]]:
        """Give the entry of `key` to one user at a time; the next one sees what was left in it.

        `digest` stands for the content of the request; KeyReusedError if it was another one.
        """
        self._forget_old()
        if key not in self._entries:
            self._make_room()
        entry = self._entries.setdefault(key, Entry(digest, self._clock()))
        if entry.digest != digest:
            raise KeyReusedError(key)
        entry.users += 1
        try:
            async with entry.lock:
                yield entry
        finally:
            entry.users -= 1
            entry.used_at = self._clock()
            self._entries.move_to_end(key)

    def _forget_old(self) -> None:
        oldest = self._clock() - self._lifetime
        # Ordered by last use: the first that is young enough ends the search.
        self._forget(takewhile(lambda key: self._entries[key].used_at <= oldest, self._idle()))

    def _make_room(self) -> None:
        surplus = len(self._entries) - self._capacity + 1
        self._forget(islice(self._idle(), max(0, surplus)))

    def _forget(self, keys: Iterable[str]) -> None:
        for key in list(keys):
            del self._entries[key]

    def _idle(self) -> Iterator[str]:
        """Yield what may be forgotten; two users of a key that was forgotten would send twice."""
        return (key for key, entry in self._entries.items() if entry.users == 0)
