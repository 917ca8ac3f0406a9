"""SIGINT and SIGTERM during a run: the first asks to stop, the second kills."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType


class Interrupts:
    """Counts requests to stop, and wakes the scheduler's loop through a pipe."""

    def __init__(self) -> None:
        self.count = 0
        self.signal = 0
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """File descriptor that is readable after `wake` or a signal."""
        return self._read

    def wake(self) -> None:
        """Make `fileno` readable; safe from any thread and from a signal handler."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def clear(self) -> None:
        """Take everything out of the pipe."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM for the time of the block; only the main thread can."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        previous = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            os.close(self._read)
            os.close(self._write)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.count += 1
        self.signal = number
        self.wake()
