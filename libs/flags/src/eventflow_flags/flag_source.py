"""The flags in a file, read again when the file changes."""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from eventflow_flags.definitions import Flag, FlagFileError, parse_flags

_log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | None


class FlagSource:
    """The flags in the file at `path`; safe to use from several threads.

    The file is looked at no more often than every `check_seconds` of `clock` (rising seconds), and
    read when its time, size or identity changed. A file that is missing or wrong leaves the
    flags as they were, and is logged once for each change.
    """

    def __init__(
        self,
        path: Path,
        *,
        check_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._check_seconds = check_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._flags: Mapping[str, Flag] = {}
        self._stamp: _Stamp = None
        self._digest = b""
        self._checked_at: float | None = None

    def flags(self) -> tuple[Mapping[str, Flag], frozenset[str]]:
        """Return all flags by key, and the keys that this very call found changed."""
        with self._lock:
            now = self._clock()
            if self._checked_at is not None and now - self._checked_at < self._check_seconds:
                return self._flags, frozenset()
            is_first = self._checked_at is None
            self._checked_at = now
            changed = self._look(is_first=is_first)
            return self._flags, changed

    def _look(self, *, is_first: bool) -> frozenset[str]:
        stamp = self._current_stamp()
        if stamp == self._stamp and not is_first:
            return frozenset()
        self._stamp = stamp
        try:
            content = self._path.read_bytes()
        except OSError as error:
            _log.warning(
                "flag file cannot be read; flags stay as they are",
                extra={"path": str(self._path), "reason": error.strerror},
            )
            return frozenset()
        digest = hashlib.sha256(content).digest()
        if digest == self._digest:
            return frozenset()
        self._digest = digest
        return self._take(content)

    def _take(self, content: bytes) -> frozenset[str]:
        try:
            flags = parse_flags(content)
        except FlagFileError as error:
            _log.error(
                "flag file is wrong; flags stay as they are",
                extra={"path": str(self._path), "faults": error.faults},
            )
            return frozenset()
        before, self._flags = self._flags, flags
        changed = {key for key in {*before, *flags} if before.get(key) != flags.get(key)}
        _log.info("flags read", extra={"path": str(self._path), "flags_changed": sorted(changed)})
        return frozenset(changed)

    def _current_stamp(self) -> _Stamp:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
