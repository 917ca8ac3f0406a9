"""The runner: each effect once, whenever it is killed, and back again when something fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from monoyard.delivery import UNREACHABLE, Kind, Lease, Ledger, Object, Record
from monoyard.delivery.runner import Runner, Step, Told
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError
from monoyard.testing import FakeClock, FakeNamespace

DURATION = 30
NAMES = ("backup", "migrate:api", "rollout:api", "finish")


class KilledError(BaseException):
    """SIGKILL: nothing that the runner does hears of it."""


@dataclass
class World:
    """What steps have an effect on."""

    effects: dict[str, int] = field(default_factory=dict)

    def effect(self, name: str) -> str:
        """Have an effect, unless the one of this name is there already."""
        if name in self.effects:
            return "adopted"
        self.effects[name] = 1
        return "made"


@dataclass
class Named:
    """A step whose effect has a name, as a Job has."""

    name: str
    world: World
    fails: bool = False
    dies: str = ""
    lines: tuple[str, ...] = ("a line",)

    def do(self, record: Record) -> Mapping[str, Any]:
        """Have the effect, once for each deployment."""
        if self.dies == "before":
            raise KilledError
        how = self.world.effect(f"{self.name}-{record.number}")
        if self.dies == "after":
            raise KilledError
        if self.fails:
            raise DeliveryError(f"{self.name} is no good", hint="look at it", context=self.lines)
        return {"how": how}


class Deadly(FakeNamespace):
    """A namespace at one of whose replacements the runner is killed.

    Attributes:
        fatal: Which one, from 0; None for none.
        is_written: It is made before the kill.
    """

    fatal: int | None = None
    is_written = False
    _count = 0

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Replace an object, or be the moment of the kill."""
        is_fatal = self._count == self.fatal
        self._count += self.fatal is not None
        if is_fatal and not self.is_written:
            raise KilledError
        made = super().replace(kind, thing)
        if is_fatal:
            raise KilledError
        return made


class Yard:
    """An environment with a ledger, and runners that come one after the other."""

    def __init__(self) -> None:
        self.cluster = Deadly("staging")
        self.clock = FakeClock()
        self.ledger = Ledger(self.cluster, "staging", self.clock)
        self.told: list[Told] = []

    def runner(self, name: str, duration: int = DURATION) -> tuple[Runner, Lease]:
        """Return a runner that holds the environment."""
        lease = Lease(self.cluster, "staging", name, self.clock, duration)
        lease.acquire(duration * 2, lambda _: None)
        return Runner(self.ledger, lease, self.told.append, self.clock), lease


@pytest.fixture
def yard() -> Yard:
    """Return an environment that nothing was deployed to."""
    return Yard()


def steps(world: World, **changes: Any) -> list[Step]:
    """Return the steps of a deployment; `changes` names one and what is different with it."""
    only = changes.pop("only", "")
    return [Named(name, world, **(changes if name == only else {})) for name in NAMES]


def no_way_back(_record: Record) -> Sequence[Step]:
    """Go back without doing anything."""
    return ()


def test_everything_is_done_in_order_and_recorded(yard: Yard) -> None:
    """Each step has its intent before its effect, and what came out of it after."""
    runner, lease = yard.runner("first")
    record = runner.run(yard.ledger.begin(lease, {}), steps(World()), no_way_back)
    assert record.outcome == "completed"
    written = [(entry.step, entry.state) for entry in record.entries]
    assert written == [
        *((name, state) for name in NAMES for state in ("intent", "done")),
        ("outcome", "done"),
    ]
    assert [item.state for item in yard.told] == ["begun", "done"] * len(NAMES)


@dataclass
class Severed:
    """A step whose cluster does not answer for a while, and does what is left when it does."""

    times: int
    code: str = UNREACHABLE
    name: str = "upgrade:api"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Be done once the cluster answers."""
        del record
        self.times -= 1
        if self.times >= 0:
            raise ClusterError("the cluster does not answer", code=self.code)
        return {}


def test_cluster_that_is_gone_for_a_while_is_waited_for(yard: Yard) -> None:
    """A step that lost it is done again, which is told once, and the ledger has it once."""
    runner, lease = yard.runner("first")
    record = runner.run(yard.ledger.begin(lease, {}), [Severed(5)], no_way_back)
    assert record.outcome == "completed"
    assert [entry.state for entry in record.entries] == ["intent", "done", "done"]
    assert [item.state for item in yard.told] == ["begun", "waiting", "done"]


def test_cluster_that_stays_away_is_not_waited_for_beyond_the_lease(yard: Yard) -> None:
    """Nobody renews a Lease there meanwhile: somebody else may have it by then."""
    runner, lease = yard.runner("first")
    with pytest.raises(LeaseLostError):
        runner.run(yard.ledger.begin(lease, {}), [Severed(1000)], no_way_back)


def test_what_only_looks_like_a_cluster_that_is_gone_fails(yard: Yard) -> None:
    """A webhook that is down is no cluster that is: after a minute it is the step's failure."""
    runner, lease = yard.runner("first", duration=600)
    record = runner.run(yard.ledger.begin(lease, {}), [Severed(1000)], no_way_back)
    assert record.failure == "upgrade:api: the cluster does not answer"
    other = Severed(1, code="refused")
    record = runner.run(yard.ledger.begin(lease, {}), [other], no_way_back)
    assert (record.outcome, other.times) == ("went-back", 0)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", NAMES)
def test_resumed_after_a_kill_in_any_step(yard: Yard, name: str, when: str) -> None:
    """Killed before or after any effect, whoever resumes ends it, and each effect is there once."""
    world = World()
    runner, lease = yard.runner("first")
    with pytest.raises(KilledError):
        runner.run(yard.ledger.begin(lease, {}), steps(world, only=name, dies=when), no_way_back)
    runner, _ = yard.runner("second")
    record = runner.run(yard.ledger.read(1), steps(world), no_way_back)
    assert record.outcome == "completed"
    assert world.effects == {f"{item}-1": 1 for item in NAMES}
    assert sum(entry.state == "intent" for entry in record.entries) == len(NAMES)


@pytest.mark.parametrize("write", range(2 * len(NAMES) + 1))
@pytest.mark.parametrize("is_written", [False, True])
def test_resumed_after_a_kill_at_any_write(yard: Yard, write: int, is_written: bool) -> None:
    """Killed just before or after any entry of the ledger, the end and the effects are the same."""
    world = World()
    runner, lease = yard.runner("first")
    record = yard.ledger.begin(lease, {})
    yard.cluster.fatal, yard.cluster.is_written = write, is_written
    with pytest.raises(KilledError):
        runner.run(record, steps(world), no_way_back)
    yard.cluster.fatal = None
    runner, _ = yard.runner("second")
    found = yard.ledger.read(1)
    if found.outcome == "open":
        found = runner.run(found, steps(world), no_way_back)
    assert found.outcome == "completed"
    assert world.effects == {f"{item}-1": 1 for item in NAMES}


def test_failed_step_goes_back(yard: Yard) -> None:
    """What comes after a failed step is not begun; what undoes it is, and history says why."""
    world = World()
    runner, lease = yard.runner("first")
    seen: list[Record] = []

    def way_back(record: Record) -> Sequence[Step]:
        seen.append(record)
        return [Named("back:api", world)]

    record = runner.run(
        yard.ledger.begin(lease, {}), steps(world, only="migrate:api", fails=True), way_back
    )
    assert record.outcome == "went-back"
    assert record.failure == "migrate:api: migrate:api is no good"
    assert set(world.effects) == {"backup-1", "migrate:api-1", "back:api-1"}
    assert seen[0].done("migrate:api") is None
    failed = record.last("migrate:api")
    assert failed is not None
    assert failed.facts["context"] == ["a line"]


def test_wordy_failure_keeps_nobody_from_going_back(yard: Yard) -> None:
    """Of what a failed step says as much is written down as the record has room for."""
    world = World()
    runner, lease = yard.runner("first")
    lines = tuple(f"{number} " + "\U0001f480" * 5000 for number in range(10, 70))
    failing = steps(world, only="migrate:api", fails=True, lines=lines)
    record = runner.run(yard.ledger.begin(lease, {}), failing, lambda _: [Named("back:api", world)])
    assert record.outcome == "went-back"
    failed = record.last("migrate:api")
    assert failed is not None
    assert failed.facts["context"][-1].startswith("69 ")
    assert {len(line) for line in failed.facts["context"]} == {504}


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_going_back(yard: Yard, when: str) -> None:
    """Whoever resumes a deployment that was going back goes on back, and never forward."""
    world = World()
    runner, lease = yard.runner("first")
    failing = steps(world, only="migrate:api", fails=True)
    with pytest.raises(KilledError):
        runner.run(
            yard.ledger.begin(lease, {}), failing, lambda _: [Named("back", world, dies=when)]
        )
    runner, _ = yard.runner("second")
    record = runner.run(yard.ledger.read(1), steps(world), lambda _: [Named("back", world)])
    assert record.outcome == "went-back"
    assert "rollout:api-1" not in world.effects
    assert world.effects["back-1"] == 1


def test_failure_to_go_back_is_one_error_with_both_reasons(yard: Yard) -> None:
    """Nobody has to search for why an environment is neither here nor there."""
    world = World()
    runner, lease = yard.runner("first")
    with pytest.raises(DeliveryError) as error:
        runner.run(
            yard.ledger.begin(lease, {}),
            steps(world, only="rollout:api", fails=True),
            lambda _: [Named("back", world, fails=True)],
        )
    assert error.value.context == (
        "rollout:api: rollout:api is no good",
        "back: back is no good",
    )
    assert yard.ledger.read(1).outcome == "failed"


def test_runner_without_its_lease_writes_nothing(yard: Yard) -> None:
    """A runner that slept through a takeover has no effect after it wakes up, and says nothing."""
    world = World()
    runner, lease = yard.runner("first")
    record = yard.ledger.begin(lease, {})
    yard.clock.advance(DURATION)
    taker, _ = yard.runner("second")
    done = taker.run(yard.ledger.read(1), steps(world), no_way_back)
    with pytest.raises(LeaseLostError):
        runner.run(record, steps(World()), no_way_back)
    assert yard.ledger.read(1) == done
