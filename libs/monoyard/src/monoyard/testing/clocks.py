"""A clock that goes on only when it is told to."""

from __future__ import annotations

import threading


class FakeClock:
    """Time that passes by `sleep` and `advance` alone; safe for threads.

    Args:
        now: Where it begins, in seconds.
    """

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._changed = threading.Condition()
        self.waiting = 0

    def now(self) -> float:
        """Return the seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever waits for it goes on."""
        with self._changed:
            self._now += seconds
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Let time pass, for everybody."""
        self.advance(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until an event is set, or somebody else let enough time pass; say which."""
        with self._changed:
            until = self._now + seconds
            self.waiting += 1
            self._changed.notify_all()
            while not event.is_set() and self._now < until:
                self._changed.wait(0.01)  # an event does not notify us
            self.waiting -= 1
        return event.is_set()

    def until_waiting(self) -> None:
        """Return when a thread waits for time to pass."""
        with self._changed:
            self._changed.wait_for(lambda: self.waiting > 0)
