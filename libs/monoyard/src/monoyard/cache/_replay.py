"""Giving stored bytes back, and forgetting results whose bytes are not what they were."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from monoyard.cache import _results
from monoyard.cache._access import Access
from monoyard.cache._blobs import BlobDirectory
from monoyard.cache._values import StoredFile, StoredResult, is_digest, is_safe_path


class Replay:
    """Reads blobs.

    Args:
        access: Loses the results that need a damaged blob.
        blobs: Has the bytes.

    """

    def __init__(self, access: Access, blobs: BlobDirectory) -> None:
        self._access = access
        self._blobs = blobs

    def read(self, digest: str) -> bytes | None:
        """Return a blob's bytes, or None when they are missing or damaged."""
        data = self._blobs.read(digest)
        if data is None:
            self._forget(digest)
        return data

    def materialise(self, file: StoredFile, target: Path) -> bool:
        """Copy a blob to `target`; False when there is no such blob or no way to write."""
        if not is_digest(file.digest):
            return False
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._blobs.copy(file, target):
                return True
        except OSError as error:
            self._access.notes.add(f"{target} could not be restored: {error.strerror}")
            return False
        self._forget(file.digest)
        return False

    def restore(self, result: StoredResult, directory: Path) -> bool:
        """Copy all outputs below `directory`.

        When False, some outputs may have been written; the task then runs and writes them all.
        """
        root = directory.resolve()
        for file in result.outputs:
            if not is_safe_path(file.path):
                self._access.notes.add(f"{result.task}: an output lies outside of its package")
                return False
            if not self._blobs.has(file.digest, file.size):
                self._forget(file.digest)
                return False
        return all(self._restore_one(file, root) for file in result.outputs)

    def _restore_one(self, file: StoredFile, root: Path) -> bool:
        target = root / file.path
        # A symbolic link on the way could lead anywhere.
        if not target.parent.resolve().is_relative_to(root):
            self._access.notes.add(f"{target} could not be restored: its directory is elsewhere")
            return False
        return self.materialise(file, target)

    def _forget(self, digest: str) -> None:
        """Remove what is left of a blob, and the own results that need it."""
        if not is_digest(digest):
            return
        self._access.notes.add("stored files were missing or damaged; their results are misses")

        def forget(connection: sqlite3.Connection) -> None:
            # Under the lock, because a writer may have brought the blob back a moment ago.
            if self._blobs.read(digest) is None:
                self._blobs.remove(digest)
                _results.delete_users(connection, digest, self._access.scopes)

        self._access.database.write(forget, None)
