"""Tries a delivery again while that may help, with pauses that grow and do not line up."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from eventflow_notifications.delivery import (
    ChannelName,
    ChannelResult,
    FailedDeliveryError,
    RefusedDeliveryError,
)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class RetryPolicy:
    """How often a delivery is tried within one request; durations are in seconds."""

    attempts: int = 3
    first_pause: float = 0.2
    longest_pause: float = 2.0
    deadline: float = 8.0

    def pause(self, failed_attempts: int, fraction: float) -> float:
        """Return the pause after `failed_attempts` (1 or more), `fraction` (0 to 1) of its limit.

        "Full jitter" of Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
        """
        limit = min(self.longest_pause, self.first_pause * 2.0 ** (failed_attempts - 1))
        return limit * fraction


class Retrying:
    """Applies a policy; `sleep` and `fraction` are replaced in tests."""

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        sleep: Sleep = asyncio.sleep,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy
        self._sleep = sleep
        self._fraction = fraction

    async def run(
        self, channel: ChannelName, deliver: Callable[[], Awaitable[None]]
    ) -> ChannelResult:
        """Call `deliver` until it is settled, the attempts are used up, or time is over."""
        count = _Count()
        try:
            async with asyncio.timeout(self._policy.deadline):
                return await self._attempts(channel, deliver, count)
        except TimeoutError:
            reason = f"no answer within {self._policy.deadline:g} s"
            return ChannelResult(channel, "failed", count.attempts, reason)

    async def _attempts(
        self, channel: ChannelName, deliver: Callable[[], Awaitable[None]], count: "_Count"
    ) -> ChannelResult:
        while True:
            count.attempts += 1
            try:
                await deliver()
            except RefusedDeliveryError as error:
                return ChannelResult(channel, "refused", count.attempts, str(error))
            except FailedDeliveryError as error:
                if count.attempts >= self._policy.attempts:
                    return ChannelResult(channel, "failed", count.attempts, str(error))
                await self._sleep(self._policy.pause(count.attempts, self._fraction()))
            else:
                return ChannelResult(channel, "delivered", count.attempts)


@dataclass
class _Count:
    """Attempts so far, still known when time is over."""

    attempts: int = 0
