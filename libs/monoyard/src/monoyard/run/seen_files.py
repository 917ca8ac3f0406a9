"""What files were when a tool's cache was last used, for a tool that goes by size and time.

mypy takes a file for the one it knows where path, size and second of the last modification are the
same. Here files are told apart by inode and by the time of the last change of their record (ctime),
which cannot be put back. What is another file than one that the cache may know, with the same size
and second, is doubtful: the tool has to be shown it in a way that makes it compare the contents.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from monoyard.errors import MachineError

Seen = list[int]
"""Second of the last modification, size, inode, ctime in nanoseconds."""

_NAME: Final = "monoyard-seen.json"
# Each doubtful file costs the tool a look at all files; a new cache is cheaper than many of them.
_LIMIT: Final = 100


class SeenFiles:
    """The memory beside one cache, which goes with it.

    Between `begin` and `end` nobody else may use the cache.

    Args:
        cache: The cache's directory.
        top: Root of the work tree.
        files: Returns every file that the tool may read, from the top.
    """

    def __init__(self, cache: Path, top: Path, files: Callable[[], Iterable[str]]) -> None:
        self._cache = cache
        self._top = top
        self._files = files
        self._known: dict[str, list[Seen]] = {}
        self._unsure: set[str] = set()

    def begin(self) -> tuple[str, ...]:
        """Take note that the tool is started now; return the files that are doubtful to it.

        Where nothing is remembered, or too much is doubtful, the cache is emptied.

        Raises:
            MachineError: The cache cannot be emptied, or the note not be written.
        """
        now = self._look()
        is_remembered = self._recall(now)
        doubtful = [path for path, seen in now.items() if self._is_doubtful(path, seen)]
        try:
            if not is_remembered or len(doubtful) > _LIMIT:
                if self._cache.exists():
                    shutil.rmtree(self._cache)
                self._known, self._unsure, doubtful = {}, set(), []
            for path, seen in now.items():
                rows = self._known.setdefault(path, [])
                rows[:] = [*(row for row in rows if row != seen), seen]
            self._keep(ended=None)
        except OSError as error:
            raise MachineError(f"{self._cache} cannot be written: {error}") from error
        return tuple(doubtful)

    def end(self) -> None:
        """Take note that the tool has ended: of what changed meanwhile it read some version."""
        self._note_changes(self._look())
        with contextlib.suppress(OSError):  # without the note the next use doubts more
            self._keep(ended=time.time_ns())

    def _note_changes(self, now: Mapping[str, Seen]) -> None:
        """Note the known files of which a version may have been read that was not looked at."""
        self._unsure.update(
            path for path, seen in now.items()
            if path in self._known and self._known[path][-1] != seen
        )  # fmt: skip

    def _is_doubtful(self, path: str, seen: Seen) -> bool:
        others = (row for row in self._known.get(path, ()) if row != seen)
        return path in self._unsure or any(row[:2] == seen[:2] for row in others)

    def _look(self) -> dict[str, Seen]:
        looked = ((path, _seen(self._top / path)) for path in self._files())
        return {path: seen for path, seen in looked if seen is not None}

    def _recall(self, now: Mapping[str, Seen]) -> bool:
        """Read what is remembered, and what may have changed while the tool ran; False for nothing.

        Args:
            now: What files are now.
        """
        try:
            data: dict[str, Any] = json.loads((self._cache / _NAME).read_bytes())
        except (OSError, ValueError):
            return False
        self._known, self._unsure = data["files"], set(data["unsure"])
        ended = data["ended"]
        if ended is None:
            self._note_changes(now)
        self._unsure.update(
            path for path, seen in now.items()
            if path not in self._known and (ended is None or seen[3] <= ended)
        )  # fmt: skip
        return True

    def _keep(self, *, ended: int | None) -> None:
        data = {"ended": ended, "unsure": sorted(self._unsure), "files": self._known}
        self._cache.mkdir(parents=True, exist_ok=True)
        fresh = self._cache / f"{_NAME}.new"
        fresh.write_text(json.dumps(data, separators=(",", ":")), encoding="ascii")
        fresh.replace(self._cache / _NAME)


def _seen(path: Path) -> Seen | None:
    try:
        link, said = path.lstat(), path.stat()
    except OSError:
        return None
    changed = max(link.st_ctime_ns, said.st_ctime_ns)
    return [int(said.st_mtime), said.st_size, said.st_ino, changed]
