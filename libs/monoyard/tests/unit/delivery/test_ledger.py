"""The ledger: what was done is never lost, and nobody writes who may not."""

import pytest

from monoyard.delivery import UNREACHABLE, Kind, Lease, Ledger, Object, Record
from monoyard.delivery.lease import LEASE_NAME
from monoyard.delivery.objects import CONFIG_MAP, LEASE
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError
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


@pytest.fixture
def ledger(cluster: FakeNamespace, clock: FakeClock) -> Ledger:
    """Return the environment's ledger."""
    return Ledger(cluster, "staging", clock)


def held(cluster: FakeNamespace, clock: FakeClock, holder: str = "ours") -> Lease:
    """Return a Lease that a runner took."""
    lease = Lease(cluster, "staging", holder, clock, DURATION)
    lease.acquire(DURATION * 2, lambda _: None)
    return lease


def steps(record: Record) -> list[tuple[str, str]]:
    """Return what a record says was done."""
    return [(entry.step, entry.state) for entry in record.entries]


def test_what_is_appended_is_read_back(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """Header, entries, order and facts are what they were when they are read by somebody else."""
    lease = held(cluster, clock)
    record = ledger.begin(lease, {"commit": "abc", "services": ["api"]})
    record = ledger.append(lease, record, "backup", "intent", {})
    record = ledger.append(lease, record, "backup", "done", {"object": "backup-1", "bytes": 12})
    found = Ledger(cluster, "staging", clock).read(1)
    assert found == record
    assert found.header == {"commit": "abc", "services": ["api"]}
    assert steps(found) == [("backup", "intent"), ("backup", "done")]
    assert found.done("backup") == found.entries[1]
    assert found.done("migrate") is None
    assert found.entries[1].facts == {"object": "backup-1", "bytes": 12}


def test_numbers_count_up(cluster: FakeNamespace, clock: FakeClock, ledger: Ledger) -> None:
    """Deployments are numbered from 1 without a hole, and history begins with the newest."""
    lease = held(cluster, clock)
    for _ in range(12):
        record = ledger.begin(lease, {})
        ledger.close(lease, record, "completed", "")
    assert [record.number for record in ledger.history()] == list(range(12, 0, -1))
    assert {record.outcome for record in ledger.history()} == {"completed"}


def test_intent_without_end_is_not_done(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """A step that was begun and not ended is neither done nor forgotten."""
    lease = held(cluster, clock)
    record = ledger.append(lease, ledger.begin(lease, {}), "migrate:api", "intent", {"job": "m"})
    assert record.done("migrate:api") is None
    last = record.last("migrate:api")
    assert last is not None
    assert last.facts == {"job": "m"}


def test_step_that_failed_after_it_was_done_is_not_done(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """The last entry of a step decides."""
    lease = held(cluster, clock)
    record = ledger.append(lease, ledger.begin(lease, {}), "rollout:api", "done", {})
    record = ledger.append(lease, record, "rollout:api", "failed", {})
    assert record.done("rollout:api") is None


def test_open_deployment_is_closed_when_another_begins(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """History never holds two deployments that both seem to be under way."""
    lease = held(cluster, clock)
    ledger.begin(lease, {})
    ledger.begin(lease, {})
    assert [record.outcome for record in ledger.history()] == ["open", "abandoned"]


def test_runner_whose_clock_stood_still_writes_nothing(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """After another runner began, the first one adds nothing, whatever its own clock says."""
    first = held(cluster, FakeClock(), "first")
    record = ledger.begin(first, {})
    second = held(cluster, clock, "second")
    ledger.begin(second, {})
    before = cluster.list(CONFIG_MAP, {})
    assert first.check() == 1
    with pytest.raises(LeaseLostError, match="another runner took"):
        ledger.append(first, record, "migrate:api", "intent", {})
    with pytest.raises(LeaseLostError, match="another runner took"):
        ledger.begin(first, {})
    assert cluster.list(CONFIG_MAP, {}) == before


def test_ledger_outlives_its_lease(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """Where somebody removed the Lease its tokens go on from those of the ledger."""
    for holder in ("first", "second", "third"):
        lease = held(cluster, clock, holder)
        record = ledger.begin(lease, {"by": holder})
        ledger.close(lease, record, "completed", "")
    cluster.delete(LEASE, LEASE_NAME)
    again = Lease(cluster, "staging", "again", clock, DURATION)
    assert again.acquire(0, print, at_least=ledger.highest_token()) == 4
    assert ledger.begin(again, {"by": "again"}).token == 4
    with again.kept(lambda: None):
        pass
    after = Lease(cluster, "staging", "after", clock, DURATION)
    assert after.acquire(0, print, at_least=ledger.highest_token()) == 5


def test_ledger_without_records_has_no_token(ledger: Ledger) -> None:
    """Before the first deployment any token will do."""
    assert ledger.highest_token() == 0


def test_record_that_an_earlier_holder_was_quick_to_make_is_abandoned(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """A runner that woke up in between cannot keep the rightful one from beginning."""
    first = held(cluster, FakeClock(), "first")
    second = held(cluster, clock, "second")
    ledger.begin(first, {"by": "first"})
    ledger.begin(second, {"by": "second"})
    found = [(record.header["by"], record.outcome) for record in ledger.history()]
    assert found == [("second", "open"), ("first", "abandoned")]


def test_resumed_deployment_refuses_its_first_runner(
    cluster: FakeNamespace, clock: FakeClock, ledger: Ledger
) -> None:
    """Whoever resumes writes into the record first, so that the earlier runner cannot any more."""
    first = held(cluster, clock, "first")
    record = ledger.begin(first, {})
    second = held(cluster, clock, "second")
    resumed = ledger.append(second, ledger.read(1), "resume", "done", {})
    with pytest.raises(LeaseLostError):
        ledger.append(first, record, "backup", "intent", {})
    assert ledger.read(1) == resumed
    assert [entry.token for entry in resumed.entries] == [2]


def test_api_server_that_restarts_is_waited_for(clock: FakeClock) -> None:
    """An append that finds nobody at home is made when somebody is there again."""
    cluster = _Restarting("staging")
    lease = held(cluster, clock)
    ledger = Ledger(cluster, "staging", clock)
    record = ledger.begin(lease, {})
    cluster.answers = [False, False, True]
    assert steps(ledger.append(lease, record, "backup", "intent", {})) == [("backup", "intent")]


def test_lost_answer_is_no_lost_entry_and_no_second_one(clock: FakeClock) -> None:
    """An append whose answer got lost is found, not made twice and not taken for a takeover."""
    cluster = _Restarting("staging")
    lease = held(cluster, clock)
    ledger = Ledger(cluster, "staging", clock)
    record = ledger.begin(lease, {})
    cluster.answers = [None, True]
    assert steps(ledger.append(lease, record, "backup", "intent", {})) == [("backup", "intent")]


def test_lost_answer_to_a_long_text_is_no_takeover(clock: FakeClock) -> None:
    """What is compared after a lost answer is what was to be stored, which may have been cut."""
    cluster = _Restarting("staging")
    lease = held(cluster, clock)
    ledger = Ledger(cluster, "staging", clock)
    record = ledger.begin(lease, {})
    cluster.answers = [None, True]
    facts = {"message": "x" * 5000, "context": ("y" * 5000, "z")}
    record = ledger.append(lease, record, "migrate:api", "failed", facts)
    assert steps(record) == [("migrate:api", "failed")]
    assert steps(ledger.read(1)) == [("migrate:api", "failed")]
    assert steps(ledger.close(lease, record, "went-back", ""))[-1] == ("outcome", "done")


def test_api_server_that_stays_away_ends_the_runner(clock: FakeClock) -> None:
    """An append is tried for as long as the environment is held, and no longer."""
    cluster = _Restarting("staging")
    lease = held(cluster, clock)
    ledger = Ledger(cluster, "staging", clock)
    record = ledger.begin(lease, {})
    cluster.answers = [False] * 1000
    with pytest.raises(LeaseLostError):
        ledger.append(lease, record, "backup", "intent", {})
    assert clock.now() <= 1000.0 + DURATION


def test_refusal_is_told_at_once(cluster: FakeNamespace, clock: FakeClock) -> None:
    """What the API server refuses is not tried again: it would refuse it again."""
    lease = held(cluster, clock)
    ledger = Ledger(cluster, "staging", clock)
    record = ledger.begin(lease, {})
    cluster.delete(CONFIG_MAP, "deployment-1")
    began = clock.now()
    with pytest.raises(ClusterError):
        ledger.append(lease, record, "backup", "intent", {})
    assert clock.now() == began


def test_unknown_deployment_is_one_error(ledger: Ledger) -> None:
    """A number that history does not have is told, with where to look."""
    with pytest.raises(DeliveryError, match="has no deployment 7") as error:
        ledger.read(7)
    assert "invoke history" in str(error.value.hint)


def test_long_text_is_cut(cluster: FakeNamespace, clock: FakeClock, ledger: Ledger) -> None:
    """A megabyte of log in a fact cannot make the record impossible to write."""
    lease = held(cluster, clock)
    record = ledger.begin(lease, {"why": "x" * 2_000_000})
    record = ledger.append(lease, record, "backup", "failed", {"log": ["y" * 2_000_000]})
    assert len(str(record)) < 20_000


class _Restarting(FakeNamespace):
    """A cluster whose answers to replacements are told ahead.

    Attributes:
        answers: For each one: True answers, False does not, None does it and loses the answer.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.answers: list[bool | None] = []

    def replace(self, kind: Kind, thing: Object) -> Object:
        answer = self.answers.pop(0) if self.answers else True
        if answer is not False:
            made = super().replace(kind, thing)
        if not answer:
            raise ClusterError("nobody is at home", code=UNREACHABLE)
        return made
