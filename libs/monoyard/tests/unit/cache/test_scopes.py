from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from monoyard.cache import Item, Outcome, Store, part_digest

MakeItem = Callable[..., Item]
OpenStore = Callable[..., Store]
Digest = Callable[[str], str]


def test_trusted_runs_never_see_what_others_wrote(open_store: OpenStore, item: MakeItem) -> None:
    """Nothing that a pull request stores reaches a run of the main branch, table by table."""
    guest = open_store(scope="untrusted")
    result, blobs = item("api")
    assert guest.put(result, blobs)
    entries = (("a", "1"),)
    guest.manifests.put({result.key: {"p": part_digest(entries)}}, {part_digest(entries): entries})
    guest.history.record_successes("w", {"t": result.key})
    guest.history.record_durations("w", {"t": 1.0})
    guest.history.record_outcomes(
        [Outcome(result.key, "t", passed, "r", 1.0) for passed in (True, False)]
    )
    guest.memo.put_many("n", {"k": b"v"})
    for store, is_seen in ((guest, True), (open_store(), False)):
        assert bool(store.lookup_many([result.key])) is is_seen
        assert bool(store.manifests.get_many([result.key])) is is_seen
        assert bool(store.history.last_successes("w")) is is_seen
        assert bool(store.history.estimates("w")) is is_seen
        assert bool(store.history.flaky()) is is_seen
        assert bool(store.memo.get_many("n", ["k"])) is is_seen


def test_others_read_what_trusted_runs_wrote(
    open_store: OpenStore, item: MakeItem, digest: Digest
) -> None:
    """A pull request starts with everything that the main branch has, and prefers it."""
    trusted, guest = open_store(), open_store(scope="untrusted")
    result, blobs = item("api")
    guest.put(replace(result, payload={"from": "guest"}), blobs)
    guest.memo.put_many("n", {"k": b"guest"})
    trusted.put(result, blobs)
    trusted.memo.put_many("n", {"k": b"trusted"})
    trusted.history.record_successes("w", {"t": digest("k")})
    assert guest.lookup_many([result.key]) == {result.key: result}
    assert guest.memo.get_many("n", ["k"]) == {"k": b"trusted"}
    assert guest.history.last_successes("w") == {"t": digest("k")}


@pytest.mark.parametrize("is_guest_first", [True, False])
def test_a_trusted_result_is_preferred_whoever_came_first(
    open_store: OpenStore, item: MakeItem, is_guest_first: bool
) -> None:
    """Of two results under one key a guest takes the trusted one, older or newer."""
    trusted, guest = open_store(), open_store(scope="untrusted")
    result, blobs = item("api")
    puts = [(guest, replace(result, payload={"from": "guest"})), (trusted, result)]
    for store, one in puts if is_guest_first else reversed(puts):
        assert store.put(one, blobs)
    assert guest.lookup_many([result.key]) == {result.key: result}


def test_two_guests_do_not_see_each_other(open_store: OpenStore, item: MakeItem) -> None:
    """Each scope but `trusted` is seen by itself alone."""
    result, blobs = item("api")
    open_store(scope="pull-1").put(result, blobs)
    assert open_store(scope="pull-1").lookup_many([result.key])
    assert not open_store(scope="pull-2").lookup_many([result.key])


def test_guests_remove_their_own_results_only(open_store: OpenStore, item: MakeItem) -> None:
    """Clearing and evicting as a guest leaves trusted results where they are."""
    trusted, guest = open_store(), open_store(scope="untrusted", limit_bytes=1)
    ours, theirs = item("ours"), item("theirs")
    trusted.put(*ours)
    guest.put(*theirs)
    guest.evict()
    assert trusted.statistics().results_by_scope == {"trusted": 1}
    guest.put(*theirs)
    guest.clear()
    assert trusted.statistics().results_by_scope == {"trusted": 1}
    assert trusted.read_blob(ours[0].artifacts[0].digest) == b"log of ours"


@pytest.mark.parametrize("scope", ["", "Upper", "a b", "../x", "x" * 65])
def test_senseless_scopes_are_refused(open_store: OpenStore, scope: str) -> None:
    """A scope has a plain name."""
    with pytest.raises(ValueError, match="not a name for a cache scope"):
        open_store(scope=scope)
