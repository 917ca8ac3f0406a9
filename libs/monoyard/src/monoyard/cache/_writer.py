"""Making results visible: first the bytes, then the row, or neither."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from monoyard.cache import _results
from monoyard.cache._access import Access
from monoyard.cache._blobs import BlobDirectory, ChangedSourceError, Source, Staged, discard
from monoyard.cache._values import StoredResult

Item = tuple[StoredResult, Mapping[str, Source]]

# A blob that was on disk when it was looked for can be evicted before the row is written; the
# second attempt brings its bytes along.
_ATTEMPTS: Final = 2


class Writer:
    """Stores results with their blobs.

    Args:
        access: Takes the rows, and the reasons why a result was not kept.
        blobs: Takes the bytes.

    """

    def __init__(self, access: Access, blobs: BlobDirectory) -> None:
        self._access = access
        self._blobs = blobs

    def put_many(self, items: Sequence[Item]) -> int:
        """Store results in one transaction and return how many are visible now.

        Raises:
            TypeError, ValueError: a result is not one that can be stored.

        """
        visible, waiting = 0, list(items)
        for _ in range(_ATTEMPTS):
            if not waiting or not self._access.database.is_writable:
                break
            count, waiting = self._try(waiting)
            visible += count
        return visible

    def _try(self, items: Sequence[Item]) -> tuple[int, list[Item]]:
        """Return how many became visible, and those worth another attempt."""
        staged: dict[str, Staged] = {}
        writings = [(item, _results.prepare(item[0], staged)) for item in items]
        try:
            ready = [pair for pair in writings if self._stage(pair[0], staged)]
            shown = self._access.database.write(
                lambda connection: [self._insert(connection, writing) for _, writing in ready],
                list[bool](),
            )
        finally:
            discard(staged)
        waiting = [item for (item, _), is_shown in zip(ready, shown, strict=False) if not is_shown]
        return sum(shown), waiting

    def _insert(self, connection: sqlite3.Connection, writing: _results.Writing) -> bool:
        return _results.insert(
            connection, writing, self._blobs, self._access.scopes, self._access.clock()
        )

    def _stage(self, item: Item, staged: dict[str, Staged]) -> bool:
        """Bring the blobs that are not there yet next to their place; False to give the item up."""
        result, sources = item
        try:
            for file in result.files():
                if file.digest in staged or self._blobs.has(file.digest, file.size):
                    continue
                if (source := sources.get(file.digest)) is None:
                    self._access.notes.add(
                        f"{result.task} was not cached: {file.path} was not given"
                    )
                    return False
                staged[file.digest] = self._blobs.stage(file, source)
        except ChangedSourceError as error:
            self._access.notes.add(f"{result.task} was not cached: {error}")
            return False
        except OSError as error:
            self._access.database.stop_writing(error)
            return False
        return True
