"""Giving an environment up in the place of its holder."""

from __future__ import annotations

import pytest

from monoyard.delivery import Kind, Lease, Object
from monoyard.delivery.objects import LEASE
from monoyard.delivery.releasing import release_lease
from monoyard.errors import LeaseLostError, LockedError
from monoyard.testing import FakeClock, FakeNamespace

SECONDS = 30


class Renewing(FakeClock):
    """Time in which a holder lives: it renews its Lease at every fifth second."""

    def __init__(self, cluster: FakeNamespace) -> None:
        super().__init__()
        self._cluster = cluster

    def sleep(self, seconds: float) -> None:
        """Let time pass, and the holder live."""
        super().sleep(seconds)
        if self.now() % 5 == 0:
            change = {"spec": {"renewTime": f"at {self.now()}"}}
            self._cluster.merge(LEASE, "deployments", change, status=False)


class Racing(FakeNamespace):
    """A namespace in which the holder renews between a question and a replacement, once."""

    races = 1

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Let the holder be quicker."""
        if self.races:
            self.races -= 1
            self.merge(LEASE, "deployments", {"spec": {"renewTime": "later"}}, status=False)
        return super().replace(kind, thing)


def held(cluster: FakeNamespace, clock: FakeClock) -> Lease:
    """Return the Lease of a runner that holds the environment."""
    lease = Lease(cluster, "staging", "runner", clock, SECONDS)
    lease.acquire(0, lambda _: None)
    return lease


def test_nothing_to_give_up() -> None:
    """Where nobody ever held it, or the last one gave it up, there is nothing to do."""
    cluster, clock = FakeNamespace(), FakeClock()
    assert release_lease(cluster, "staging", clock, print) is None
    with held(cluster, clock).kept(lambda: None):
        pass
    assert release_lease(cluster, "staging", clock, print) is None


def test_dead_holder_is_watched_for_one_renewal() -> None:
    """After a whole duration without a renewal the environment is free, and not before."""
    cluster, clock, told = FakeNamespace(), FakeClock(), list[str]()
    held(cluster, clock)
    began = clock.now()
    holder = release_lease(cluster, "staging", clock, told.append)
    assert holder is not None
    assert holder.name == "runner"
    assert clock.now() - began == SECONDS
    assert told == ["watching runner for 30 s"]
    assert Lease(cluster, "staging", "next", clock).acquire(0, print) == 2


def test_living_holder_keeps_it() -> None:
    """Whoever renews is alive, and the way to take it all the same is named."""
    cluster = FakeNamespace()
    clock = Renewing(cluster)
    held(cluster, clock)
    with pytest.raises(LockedError, match="is alive") as error:
        release_lease(cluster, "staging", clock, print)
    assert "--force" in str(error.value.hint)


def test_holder_that_renews_at_the_last_moment_keeps_it() -> None:
    """A renewal between the last look and the write is seen."""
    cluster, clock = Racing(), FakeClock()
    held(cluster, clock)
    with pytest.raises(LockedError):
        release_lease(cluster, "staging", clock, print)


def test_force_takes_it_from_a_living_holder() -> None:
    """By force nothing is waited for, a renewal in between does not help, and the holder stops."""
    cluster, clock = Racing(), FakeClock()
    lease = held(cluster, clock)
    began = clock.now()
    holder = release_lease(cluster, "staging", clock, print, is_forced=True)
    assert holder is not None
    assert clock.now() == began
    Lease(cluster, "staging", "next", clock).acquire(0, print)
    clock.advance(SECONDS)
    with pytest.raises(LeaseLostError):
        lease.check()
