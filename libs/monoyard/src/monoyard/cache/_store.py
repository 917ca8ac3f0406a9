"""The store: what all worktrees and clones of a user have worked out already."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from monoyard.cache._access import Access
from monoyard.cache._blobs import BlobDirectory, Source
from monoyard.cache._database import Database
from monoyard.cache._eviction import Evictor
from monoyard.cache._history import History
from monoyard.cache._manifests import Manifests
from monoyard.cache._memo import Memo
from monoyard.cache._notes import Notes
from monoyard.cache._replay import Replay
from monoyard.cache._results import Found, delete, find, has_sound, touch
from monoyard.cache._rows import TRUSTED, Scopes
from monoyard.cache._schema import FORMAT
from monoyard.cache._statistics import count
from monoyard.cache._values import (
    Eviction,
    Statistics,
    StoredFile,
    StoredResult,
    require_scope,
)
from monoyard.cache._writer import Item, Writer

if TYPE_CHECKING:
    from monoyard.cache._archive import Archiver

DATABASE_NAME: Final = f"store-v{FORMAT}.sqlite"
BLOBS_NAME: Final = f"blobs-v{FORMAT}"


class Store:
    """Results, blobs, manifests, history and small facts below one directory.

    Many processes may use one directory at once. Nothing here raises because of what is on the
    disk: what cannot be read is a miss, what cannot be written is lost, and `notes` says so.
    Arguments that make no sense (a key that is no digest, a payload that is no JSON) raise
    ValueError or TypeError, where they are written. A store is not for use across a fork.
    """

    def __init__(
        self,
        directory: Path,
        *,
        limit_bytes: int,
        read_only: bool,
        scope: str,
        clock: Callable[[], float],
    ) -> None:
        scopes, notes = Scopes(require_scope(scope)), Notes()
        database = Database(
            directory / DATABASE_NAME, read_only=read_only, notes=notes, clock=clock
        )
        self._access = access = Access(database, scopes, notes, clock)
        self._blobs = BlobDirectory(directory / BLOBS_NAME)
        self._limit_bytes = limit_bytes
        self._writer = Writer(access, self._blobs)
        self._replay = Replay(access, self._blobs)
        self._evictor = Evictor(database, self._blobs, scopes, limit_bytes)
        self._stale_uses: set[int] = set()
        self.manifests = Manifests(access)
        self.history = History(access)
        self.memo = Memo(access)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        limit_bytes: int,
        read_only: bool = False,
        scope: str = TRUSTED,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open the store below `directory`, making it when missing unless `read_only`.

        Args:
            directory: Where it is; shared by all worktrees and clones of a user.
            limit_bytes: What `evict` brings it down to.
            read_only: Read, and write nothing, not even a last use.
            scope: Whose results are written. `trusted` reads its own alone; a run of a pull
                request or a fork has another scope, reads `trusted` too and writes only its own.
                This binds the engine, not a process that can write to the directory.
            clock: Gives Unix seconds.

        Raises:
            ValueError: `scope` cannot name one.

        """
        return cls(
            directory, limit_bytes=limit_bytes, read_only=read_only, scope=scope, clock=clock
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write the last uses and let go of the files."""
        self.touch()
        self._access.database.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong so far, one sentence each, every sentence once."""
        return self._access.notes.as_tuple()

    # Results

    def lookup_many(self, keys: Iterable[str]) -> dict[str, StoredResult]:
        """Return the results of those keys that have one, all from one moment."""
        now, scopes = self._access.clock(), self._access.scopes
        found = self._access.database.read(
            lambda connection: find(connection, keys, scopes, now), Found()
        )
        if found.has_faults:
            self._access.notes.add("results with an unknown shape were found; they are misses")
        if found.malformed:
            self._access.database.write(
                lambda connection: delete(connection, found.malformed), None
            )
        self._stale_uses.update(found.stale_uses)
        return found.results

    def has_all(self, keys: Iterable[str]) -> bool:
        """Say whether every key has a result, and none of them ever failed."""
        scopes = self._access.scopes
        return self._access.database.read(
            lambda connection: has_sound(connection, keys, scopes), False
        )

    def put(self, result: StoredResult, blobs: Mapping[str, Source]) -> bool:
        """Store one result; see `put_many`."""
        return self.put_many([(result, blobs)]) == 1

    def put_many(self, items: Sequence[Item]) -> int:
        """Store results with the bytes of their files, and return how many are visible now.

        Args:
            items: Each a result and, by digest, the bytes of its files or where they are.

        Raises:
            TypeError, ValueError: a result is not one that can be stored.

        """
        return self._writer.put_many(items)

    def touch(self) -> None:
        """Write the last use of everything looked up so far, where the one written is old."""
        now, rows, self._stale_uses = self._access.clock(), sorted(self._stale_uses), set()
        if rows:
            self._access.database.write(lambda connection: touch(connection, rows, now), None)
        self.memo.touch()

    # Bytes

    def read_blob(self, digest: str) -> bytes | None:
        """Return a blob's bytes, their digest checked.

        None when it is missing or damaged: the own results that need it are gone then.
        """
        return self._replay.read(digest)

    def materialise(self, file: StoredFile, target: Path) -> bool:
        """Put a file's bytes and mode at `target`, whose directory is made when missing.

        False when the blob is missing or damaged, or `target` cannot be written; what was at
        `target` is then still there.
        """
        return self._replay.materialise(file, target)

    def restore(self, result: StoredResult, directory: Path) -> bool:
        """Put all outputs of a result below `directory`; False when the task must run after all."""
        return self._replay.restore(result, directory)

    # The whole

    def evict(self) -> Eviction:
        """Remove the results used longest ago until the rest fits the limit."""
        self.touch()
        return self._evictor.evict(self._access.clock())

    def clear(self) -> Eviction:
        """Remove everything of the own scope; in `trusted`, of all scopes."""
        return self._evictor.clear()

    def pack(
        self, file: Path, *, scope: str | None = None, keys: Collection[str] | None = None
    ) -> int:
        """Write one scope into an archive, the same bytes for the same contents.

        Args:
            file: The archive to write.
            scope: Which scope; its own when not given.
            keys: Only these results and manifests; all when not given.

        Returns:
            How many results it holds.

        Raises:
            ArchiveError: `file` cannot be written, or the scope not be read.

        """
        return self._archiver().pack(file, scope or self._access.scopes.own, keys)

    def unpack(self, file: Path, *, scope: str | None = None) -> int:
        """Import an archive, all of it or nothing; what is there already stays as it is.

        Args:
            file: The archive; nothing in it is believed.
            scope: Where to; the own scope when not given. Results of another scope never become
                trusted.

        Returns:
            How many results are new.

        Raises:
            ArchiveError: it is malformed, too large, or of a scope that may not go there.

        """
        return self._archiver().unpack(file, scope or self._access.scopes.own)

    def _archiver(self) -> Archiver:
        # Loaded here for the start-up time of everything else: archives are made once per job.
        from monoyard.cache._archive import Archiver  # noqa: PLC0415

        return Archiver(self._access, self._blobs, self._limit_bytes)

    def statistics(self) -> Statistics:
        """Count what is there, over all scopes."""
        return self._access.database.read(
            lambda connection: count(connection, self._limit_bytes),
            Statistics(limit_bytes=self._limit_bytes),
        )
