"""Rollouts: stable, growing, independent, and as large as asked."""

import itertools

import pytest

from eventflow_flags import is_in_share

CALLERS = [f"user-{number}" for number in range(5_000)]


def chosen(flag: str, percentage: float) -> set[str]:
    """Return the callers in the share."""
    return {caller for caller in CALLERS if is_in_share(flag, caller, percentage)}


def test_choice_is_the_same_for_ever() -> None:
    """The choice is fixed by flag and caller: these callers must never change sides."""
    callers = ["ada", "grace", "edsger", "barbara", "donald", "alan"]
    assert [c for c in callers if is_in_share("new-list", c, 50)] == ["edsger", "alan"]


@pytest.mark.parametrize("percentage", [0.1, 1, 10, 25, 50, 99])
def test_share_is_as_large_as_asked(percentage: float) -> None:
    """About the asked percentage of callers is chosen."""
    share = len(chosen("f", percentage)) / len(CALLERS) * 100
    assert share == pytest.approx(percentage, abs=2)


def test_nobody_and_everybody() -> None:
    """Nothing is nobody and a hundred percent is everybody, exactly."""
    assert chosen("f", 0) == set()
    assert chosen("f", 100) == set(CALLERS)


def test_growing_share_keeps_its_callers() -> None:
    """Whoever has the new variant keeps it when the percentage rises."""
    shares = [chosen("f", percentage) for percentage in (1, 5, 5.5, 20, 80)]
    for smaller, larger in itertools.pairwise(shares):
        assert smaller < larger


def test_flags_choose_independently() -> None:
    """The callers of one flag's half are no more likely in another flag's half."""
    both = len(chosen("first", 50) & chosen("second", 50)) / len(CALLERS)
    assert both == pytest.approx(0.25, abs=0.03)
