from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.cache import Flaky, Outcome, Store

Digest = Callable[[str], str]


def test_last_success_is_the_latest_of_its_workspace(store: Store, digest: Digest) -> None:
    """Each workspace remembers one key per task, the last one."""
    store.history.record_successes("w", {"api:unit": digest("1"), "web:unit": digest("2")})
    store.history.record_successes("w", {"api:unit": digest("3")})
    store.history.record_successes("other", {"api:unit": digest("4")})
    assert store.history.last_successes("w") == {
        "api:unit": digest("3"),
        "web:unit": digest("2"),
    }
    assert store.history.last_successes("unknown") == {}


def test_estimate_is_the_median_of_the_last_five(store: Store) -> None:
    """One slow run does not spoil an estimate, and old runs are forgotten."""
    for seconds in (100.0, 1.0, 2.0, 3.0, 90.0, 4.0):
        store.history.record_durations("w", {"api:unit": seconds})
    store.history.record_durations("w", {"web:unit": 1.0})
    store.history.record_durations("w", {"web:unit": 2.0})
    assert store.history.estimates("w") == {"api:unit": 3.0, "web:unit": 1.5}
    assert store.history.estimates("other") == {}


def test_estimates_keep_parts_of_a_second(store: Store) -> None:
    """What takes no second is told from what takes one, however often it ran."""
    for _ in range(3):
        store.history.record_durations("w", {"api:unit": 0.25})
    assert store.history.estimates("w") == {"api:unit": 0.25}


def test_flaky_is_one_key_with_both_outcomes(store: Store, digest: Digest) -> None:
    """Failing under one key and passing under another is a fix; under the same it is flaky."""
    outcomes = [
        Outcome(digest("k"), "api:unit", passed=False, run="r1", at=1.0),
        Outcome(digest("k"), "api:unit", passed=True, run="r2", at=2.0),
        Outcome(digest("k"), "api:unit", passed=True, run="r3", at=3.0),
        Outcome(digest("old"), "web:unit", passed=False, run="r1", at=1.0),
        Outcome(digest("new"), "web:unit", passed=True, run="r2", at=2.0),
    ]
    store.history.record_outcomes(outcomes)
    assert store.history.flaky() == (Flaky("api:unit", digest("k"), 2, 1, "r3", 3.0),)


def test_outcomes_of_a_task_are_in_order(store: Store, digest: Digest) -> None:
    """Every execution of a task under a key is told, the oldest first, and no other one."""
    told = [
        Outcome(digest("1"), "api:unit", passed=passed, run=run, at=at)
        for run, passed, at in (("c", True, 3.0), ("a", False, 1.0), ("b", True, 2.0))
    ]
    others = [
        Outcome(digest("2"), "api:unit", passed=True, run="a", at=1.0),
        Outcome(digest("1"), "web:unit", passed=True, run="a", at=1.0),
    ]
    store.history.record_outcomes([*told, *others])
    found = store.history.outcomes(digest("1"), "api:unit")
    assert found == (told[1], told[2], told[0])


def test_history_takes_keys_only(store: Store) -> None:
    """A word that is no key raises where it is given."""
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.history.record_successes("w", {"api:unit": "nope"})
    assert store.history.last_successes("w") == {}


def test_a_store_that_cannot_be_read_has_no_history(
    open_store: Callable[..., Store], directory: Path
) -> None:
    """A question to a store that is not there has an empty answer."""
    history = open_store(directory / "none", read_only=True).history
    assert (history.last_successes("w"), history.estimates("w"), history.flaky()) == ({}, {}, ())
