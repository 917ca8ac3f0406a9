"""Time that goes on while this process does not."""

from __future__ import annotations

import sys
import threading
import time
from typing import Final, Protocol

# Linux's CLOCK_MONOTONIC stands still while a machine is suspended, that of macOS does not.
_CLOCK: Final = time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC


class Clock(Protocol):
    """Says what time it is, and waits."""

    def now(self) -> float:
        """Return seconds since some moment; they go on while the machine or we are stopped."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Let time pass until an event is set at most; say whether it is."""


class MachineClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since the machine started."""
        return time.clock_gettime(_CLOCK)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Let time pass until an event is set at most; say whether it is."""
        return event.wait(seconds)
