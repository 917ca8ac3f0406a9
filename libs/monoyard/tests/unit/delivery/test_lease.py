"""The Lease: one runner at a time, whatever becomes of the others."""

import threading

import pytest

from monoyard.delivery import Kind, Lease, Object
from monoyard.delivery.objects import DEPLOYMENT_LABEL, ENVIRONMENT_LABEL, JOB, LEASE, new
from monoyard.errors import LeaseLostError, LockedError
from monoyard.testing import FakeClock, FakeNamespace

DURATION = 30


@pytest.fixture
def cluster() -> FakeNamespace:
    """Return the environment's namespace."""
    return FakeNamespace("staging")


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that tests move."""
    return FakeClock()


def lease(cluster: FakeNamespace, clock: FakeClock, holder: str) -> Lease:
    """Return the environment's Lease as a runner sees it."""
    return Lease(cluster, "staging", holder, clock, DURATION)


def quiet(_words: str) -> None:
    """Be somebody who does not listen."""


def test_free_lease_is_taken_at_once(cluster: FakeNamespace, clock: FakeClock) -> None:
    """Nobody waits for an environment that nobody holds, and the first token is 1."""
    ours = lease(cluster, clock, "ours")
    assert ours.acquire(0, quiet) == 1
    assert ours.check() == 1
    assert clock.now() == 1000.0


def test_given_up_lease_is_taken_with_the_next_token(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """A runner that ends gives the environment up, and the next one has a token of its own."""
    first = lease(cluster, clock, "first")
    first.acquire(0, quiet)
    with first.kept(lambda: None):
        pass
    second = lease(cluster, clock, "second")
    assert second.acquire(0, quiet) == 2


def test_living_holder_is_waited_for_and_named(cluster: FakeNamespace, clock: FakeClock) -> None:
    """Whoever comes second is told who holds the environment, once, and gives up in time."""
    first = lease(cluster, clock, "first")
    first.acquire(0, quiet)
    told: list[str] = []
    with pytest.raises(LockedError, match="first holds it") as refused:
        lease(cluster, clock, "second").acquire(10, told.append)
    assert told == ["first holds it"]
    assert refused.value.hint is not None
    assert "`timeouts.lock` of the environment" in refused.value.hint
    assert first.check() == 1


def test_dead_holder_is_waited_for_a_whole_duration(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """A taker believes its own clock: it saw no renewal for a whole duration, then takes over."""
    lease(cluster, clock, "dead").acquire(0, quiet)
    clock.advance(DURATION * 10)  # by whose clock it expired long ago does not matter
    began = clock.now()
    taker = lease(cluster, clock, "taker")
    assert taker.acquire(DURATION * 2, quiet) == 2
    assert DURATION <= clock.now() - began <= DURATION + 2


def test_holder_that_slept_through_its_expiry_knows(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """A runner that was stopped for longer than its Lease lasts refuses to go on by itself."""
    slept = lease(cluster, clock, "slept")
    slept.acquire(0, quiet)
    clock.advance(DURATION)
    with pytest.raises(LeaseLostError):
        slept.check()


def test_holder_stops_before_anybody_can_take_over(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """The holder's own end comes earlier than the moment at which another one may begin."""
    ours = lease(cluster, clock, "ours")
    ours.acquire(0, quiet)
    clock.advance(DURATION * 0.75)
    with pytest.raises(LeaseLostError):
        ours.check()


def test_lost_lease_stays_lost(cluster: FakeNamespace, clock: FakeClock) -> None:
    """A runner that was told once that it lost the environment is never told otherwise."""
    ours = lease(cluster, clock, "ours")
    ours.acquire(0, quiet)
    clock.advance(DURATION)
    with pytest.raises(LeaseLostError):
        ours.check()
    clock.advance(-DURATION)
    with pytest.raises(LeaseLostError):
        ours.check()


def test_renewals_keep_it(cluster: FakeNamespace, clock: FakeClock) -> None:
    """A runner that renews holds the environment for as long as it takes."""
    ours = lease(cluster, clock, "ours")
    ours.acquire(0, quiet)
    with ours.kept(lambda: None):
        for _ in range(20):
            clock.until_waiting()
            before = cluster.get(LEASE, "deployments")
            clock.advance(DURATION / 6)
            while cluster.get(LEASE, "deployments") == before:
                threading.Event().wait(0.001)
        assert ours.check() == 1


def test_unreachable_cluster_ends_the_runner_in_time(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """A holder that cannot renew stops its work before its Lease expires for others."""
    ours = lease(cluster, clock, "ours")
    ours.acquire(0, quiet)
    stopped = threading.Event()
    began = clock.now()
    cluster.stop_answering()
    with ours.kept(stopped.set):
        while not stopped.is_set():
            clock.until_waiting()
            clock.advance(1)
            stopped.wait(0.01)
        assert clock.now() - began < DURATION
        with pytest.raises(LeaseLostError):
            ours.check()


def test_overtaken_holder_is_told_and_gives_nothing_up(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """A holder whose Lease was taken stops, and does not release what is another's."""
    ours = lease(cluster, clock, "ours")
    ours.acquire(0, quiet)
    stopped = threading.Event()
    with ours.kept(stopped.set):
        found = cluster.get(LEASE, "deployments")
        assert found is not None
        spec = {**found["spec"], "holderIdentity": "taker", "leaseTransitions": 2}
        cluster.replace(LEASE, {**found, "spec": spec})
        clock.until_waiting()
        clock.advance(DURATION / 6)
        assert stopped.wait(10)
    holder = ours.look()
    assert holder is not None
    assert holder.name == "taker"


class _Odd(FakeNamespace):
    """A cluster whose answers nobody can read any more.

    Attributes:
        is_odd: Whether that is so yet.
    """

    is_odd = False

    def get(self, kind: Kind, name: str) -> Object | None:
        if self.is_odd:
            raise KeyError("content-type")
        return super().get(kind, name)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whatever_ends_the_renewals_ends_the_runner(clock: FakeClock) -> None:
    """A holder whose renewals ended by an error of our own stops as one that lost its Lease."""
    cluster = _Odd("staging")
    ours = lease(cluster, clock, "ours")
    ours.acquire(0, quiet)
    stopped = threading.Event()
    with ours.kept(stopped.set):
        cluster.is_odd = True
        clock.until_waiting()
        clock.advance(DURATION / 6)
        assert stopped.wait(10)
        with pytest.raises(LeaseLostError):
            ours.check()


def job(cluster: FakeNamespace, number: str) -> None:
    """Have a Job of a deployment in the cluster."""
    labels = {ENVIRONMENT_LABEL: "staging", DEPLOYMENT_LABEL: number}
    cluster.create(JOB, new(JOB, f"migrate-{number}", labels=labels, spec={}))


def finish(cluster: FakeNamespace, number: str) -> None:
    """Be a Job that completes."""
    status = {"conditions": [{"type": "Complete", "status": "True"}]}
    cluster.merge(JOB, f"migrate-{number}", {"status": status}, status=True)


def test_running_job_of_a_dead_runner_is_waited_for(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """A migration that outlived its runner ends before another deployment begins."""
    job(cluster, "6")
    told: list[str] = []
    with pytest.raises(LockedError, match="Job migrate-6 still runs"):
        lease(cluster, clock, "taker").acquire(5, told.append)
    assert told == ["Job migrate-6 still runs"]
    finish(cluster, "6")
    assert lease(cluster, clock, "taker").acquire(0, quiet) == 1


def test_running_job_of_the_same_deployment_is_adopted(
    cluster: FakeNamespace, clock: FakeClock
) -> None:
    """Whoever resumes a deployment does not wait for its own Job, but finds it."""
    job(cluster, "6")
    assert lease(cluster, clock, "ours").acquire(0, quiet, adopting="6") == 1


def test_two_at_once_get_it_one_after_the_other(cluster: FakeNamespace, clock: FakeClock) -> None:
    """Of many who ask at the same moment, exactly one holds the environment."""
    runners = [lease(cluster, clock, f"runner-{number}") for number in range(8)]
    start = threading.Barrier(len(runners))
    won: list[int] = []

    def ask(runner: Lease) -> None:
        start.wait()
        try:
            won.append(runner.acquire(0, quiet))
        except LockedError:
            return

    threads = [threading.Thread(target=ask, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]
