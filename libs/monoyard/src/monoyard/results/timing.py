"""How long the engine's own steps took, and how durations are said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Span:
    """One step.

    Attributes:
        name: What was done.
        began: When, in seconds of a monotonic clock.
        ended: When it was over.
    """

    name: str
    began: float
    ended: float


class Phases:
    """The steps of one call of the engine; steps may be within others.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.spans: list[Span] = []

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Note how long the body takes, also where it fails."""
        began = self._clock()
        try:
            yield
        finally:
            self.spans.append(Span(name, began, self._clock()))


def duration(seconds: float) -> str:
    """Return `0.4 s`, `12 s` or `3 min 05 s`."""
    if seconds < 9.95:  # noqa: PLR2004  below ten, the tenth matters
        return f"{seconds:.1f} s"
    if round(seconds) < _MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest:02d} s"
