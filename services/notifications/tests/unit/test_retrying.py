"""Attempts and pauses within one request."""

import asyncio
from dataclasses import dataclass, field

import pytest

from eventflow_notifications.delivery import ChannelResult, Letter, Outcome
from eventflow_notifications.retrying import Retrying, RetryPolicy
from eventflow_notifications.testing.scripted_channel import ScriptedChannel

LETTER = Letter("d-1", "order-placed", "subject", "text", "<p>html</p>", {})


@dataclass
class Pauses:
    """A sleep that takes no time and keeps what was asked for, in seconds."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        """Keep the pause."""
        self.taken.append(seconds)


def run(pauses: Pauses, *outcomes: Outcome, policy: RetryPolicy) -> ChannelResult:
    """Deliver through a channel that ends like `outcomes`, with the longest jitter."""
    channel = ScriptedChannel(list(outcomes))
    retrying = Retrying(policy, sleep=pauses, fraction=lambda: 1.0)
    return asyncio.run(retrying.run("email", lambda: channel.deliver(LETTER, None)))


def test_success_at_once_pauses_never() -> None:
    """A delivery that works is made once."""
    pauses = Pauses()
    assert run(pauses, policy=RetryPolicy()) == ChannelResult("email", "delivered", 1)
    assert pauses.taken == []


def test_failures_are_tried_again_with_growing_pauses() -> None:
    """Each pause may be twice as long as the one before, up to the longest."""
    pauses = Pauses()
    policy = RetryPolicy(attempts=6, first_pause=0.2, longest_pause=1.0)
    result = run(pauses, "failed", "failed", "failed", "failed", policy=policy)
    assert (result.outcome, result.attempts) == ("delivered", 5)
    assert pauses.taken == pytest.approx([0.2, 0.4, 0.8, 1.0])


def test_attempts_are_bounded() -> None:
    """After the last attempt the delivery has failed, and says why."""
    pauses = Pauses()
    result = run(pauses, "failed", "failed", "failed", "failed", policy=RetryPolicy(attempts=3))
    assert result == ChannelResult("email", "failed", 3, "failed as told")
    assert len(pauses.taken) == 2


def test_a_refusal_is_final() -> None:
    """What will never be accepted is not tried again."""
    pauses = Pauses()
    result = run(pauses, "failed", "refused", policy=RetryPolicy())
    assert result == ChannelResult("email", "refused", 2, "refused as told")


def test_the_deadline_ends_an_attempt_that_hangs() -> None:
    """A receiver that never answers cannot hold the caller for longer than the deadline."""

    async def hang() -> None:
        await asyncio.Event().wait()

    retrying = Retrying(RetryPolicy(deadline=0.01))
    result = asyncio.run(retrying.run("webhook", hang))
    assert result == ChannelResult("webhook", "failed", 1, "no answer within 0.01 s")


def test_jitter_shortens_pauses() -> None:
    """Callers that failed together do not come back together."""
    policy = RetryPolicy(first_pause=1.0, longest_pause=10.0)
    assert [policy.pause(3, fraction) for fraction in (0.0, 0.25, 1.0)] == [0.0, 1.0, 4.0]


def test_a_defect_is_not_hidden_as_a_failure() -> None:
    """An error that no channel announces ends the request."""

    async def defect() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Retrying(RetryPolicy()).run("email", defect))
