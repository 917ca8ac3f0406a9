"""How long to wait before an event is tried again."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Waits that double with each attempt, up to `longest`; all in seconds.

    Half of each wait is random ("equal jitter" of Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015): events that failed together do not come back together, and none
    comes back at once. `fraction` returns numbers from 0 to 1.
    """

    first: float
    longest: float
    fraction: Callable[[], float] = random.random

    def delay(self, attempts: int) -> float:
        """Return the seconds to wait after `attempts` (1 or more) have failed."""
        # A power this large would overflow a float long after it has passed any limit.
        whole = min(self.longest, self.first * 2.0 ** min(attempts - 1, 60))
        return whole * (0.5 + 0.5 * self.fraction())
