"""How long the engine's own steps took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


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
