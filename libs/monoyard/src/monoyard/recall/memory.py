"""The runs that a checkout remembers: in this state, with these words, all of it was known."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

STATE_DIRECTORY: Final = ".monoyard"
"""Where a checkout keeps its own state, from the top."""

_HEADER: Final = b"monoyard remembered run 1 %08x\n"
_KEPT: Final = 8
_READS: Final = ("", "what tasks read")  # no words that anybody can type


@dataclass(frozen=True, slots=True)
class RememberedRun:
    """A run in which every result came from the store.

    Attributes:
        state: What `Look.state` said of the checkout.
        store: Directory of the store.
        keys: Of every result, 64 hexadecimal digits each.
        lines: What is printed, but for the last line.
        last_line: That line, up to the duration.
        head: What the run's record begins with; `run` and `seconds` are others each time.
        record: The rest of it, as the rest of a JSON object.
        junit: Its JUnit file with a duration of `0.000`.
    """

    state: str
    store: str
    keys: tuple[str, ...]
    lines: tuple[str, ...]
    last_line: str
    head: dict[str, Any]
    record: bytes
    junit: bytes

    def to_bytes(self) -> bytes:
        """Return it as it is kept."""
        head = {
            "state": self.state,
            "store": self.store,
            "keys": list(self.keys),
            "lines": list(self.lines),
            "last_line": self.last_line,
            "head": self.head,
            "record": len(self.record),
        }
        body = b"".join((json.dumps(head).encode(), b"\n", self.record, self.junit))
        return _HEADER % zlib.crc32(body) + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Return what was kept, or None where it is damaged."""
        header, _, body = data.partition(b"\n")
        if header + b"\n" != _HEADER % zlib.crc32(body):
            return None
        first, _, rest = body.partition(b"\n")
        head: dict[str, Any] = json.loads(first)
        size = head["record"]
        return cls(
            head["state"], head["store"], tuple(head["keys"]), tuple(head["lines"]),
            head["last_line"], head["head"], rest[:size], rest[size:],
        )  # fmt: skip


class Memory:
    """What a checkout remembers: runs, and what the tasks read that it was asked of.

    Args:
        state: The checkout's directory for its own state.
    """

    def __init__(self, state: Path) -> None:
        self._place = state / "seen"

    def recall(self, static: str, words: Sequence[str]) -> RememberedRun | None:
        """Return the run that is remembered for words, at whatever edits.

        Args:
            static: What `Look.static` said.
            words: All that was asked for.
        """
        data = self._read(self._path(static, words))
        return RememberedRun.from_bytes(data) if data else None

    def remember(self, static: str, words: Sequence[str], run: RememberedRun) -> None:
        """Keep a run instead of the one before; the oldest of all go."""
        self._write(self._path(static, words), run.to_bytes())

    def recall_reads(self, static: str) -> bytes:
        """Return what is remembered of what tasks read; nothing where nothing is."""
        return self._read(self._path(static, _READS))

    def remember_reads(self, static: str, data: bytes) -> None:
        """Keep what tasks read instead of what was kept before; the oldest of all go."""
        self._write(self._path(static, _READS), data)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def _write(self, path: Path, data: bytes) -> None:
        passing = path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):  # what cannot be kept is not known the next time
            path.parent.mkdir(exist_ok=True)
            passing.write_bytes(data)
            passing.replace(path)
            self._prune()

    def _prune(self) -> None:
        found = sorted(self._place.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for old in found[:-_KEPT]:
            old.unlink(missing_ok=True)

    def _path(self, static: str, words: Sequence[str]) -> Path:
        name = hashlib.sha256(json.dumps([static, list(words)]).encode()).hexdigest()
        return self._place / name[:32]
