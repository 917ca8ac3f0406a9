"""How long a failed event waits."""

import pytest

from eventflow_worker.backoff import Backoff


def delays(backoff: Backoff, *attempts: int) -> list[float]:
    """Return the delays after these numbers of attempts."""
    return [backoff.delay(count) for count in attempts]


def test_delays_double_up_to_the_longest() -> None:
    """Without luck an event waits twice as long each time, and never longer than the limit."""
    backoff = Backoff(first=2, longest=30, fraction=lambda: 1.0)
    assert delays(backoff, 1, 2, 3, 4, 5, 6) == [2, 4, 8, 16, 30, 30]


def test_half_of_a_delay_is_random() -> None:
    """With the best luck an event waits half as long, never less."""
    backoff = Backoff(first=2, longest=30, fraction=lambda: 0.0)
    assert delays(backoff, 1, 2, 6) == [1, 2, 15]


@pytest.mark.parametrize("attempts", [1_000, 1_000_000])
def test_many_attempts_do_no_harm(attempts: int) -> None:
    """However often it has failed, the delay is the longest."""
    assert Backoff(first=2, longest=600, fraction=lambda: 1.0).delay(attempts) == 600


def test_two_events_do_not_wait_equally_long() -> None:
    """The default luck differs."""
    backoff = Backoff(first=100, longest=100)
    assert len(set(delays(backoff, *[1] * 20))) > 1
