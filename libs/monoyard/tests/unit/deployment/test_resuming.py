"""Deployments whose runner was killed at any point, and what whoever comes next does."""

from __future__ import annotations

import contextlib

import pytest

from monoyard.delivery import Lease
from monoyard.delivery.objects import LEASE
from monoyard.deployment.earlier import find_earlier
from monoyard.deployment.execution import carry_out, resume
from monoyard.deployment.unended import open_record, request_of, resumable_record
from monoyard.errors import DeliveryError, LeaseLostError

from .killing import Deadly, KilledError
from .yard import NEW, OLD, Yard, digest


@pytest.fixture
def deadly() -> Deadly:
    """An environment that runs, and a commit with another image of every service."""
    yard = Deadly()
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2")
    return yard


def _kill(yard: Deadly) -> None:
    plan = yard.plan(NEW)
    lease = Lease(yard.cluster, "dev", "killed", yard.clock)
    lease.acquire(0, print)
    with pytest.raises(KilledError):
        carry_out(yard.crew("killed"), yard.world, plan)
    # SIGKILL gives nothing up.
    held = {"spec": {"holderIdentity": "killed"}}
    yard.cluster.merge(LEASE, "deployments", held, status=False)


def _resumed(yard: Deadly) -> str:
    yard.deadly.fatal = None
    yard.helm.fatal = None
    record = open_record(yard.ledger, "dev")
    assert request_of(record, "dev").commit == NEW
    with contextlib.suppress(DeliveryError):
        resume(yard.crew("second"), yard.world, record)
    return yard.ledger.history()[0].outcome


def _sent(yard: Yard, name: str) -> int:
    history = yard.releases.history(name)
    return sum(
        item.description == "deployment 2" and item.status != "pending-upgrade" for item in history
    )


@pytest.mark.parametrize("moment", ["before", "amid", "after"])
@pytest.mark.parametrize("call", [0, 1])
def test_killed_at_a_call_of_helm(deadly: Deadly, call: int, moment: str) -> None:
    """Killed before, in or after an upgrade, whoever resumes ends it, and sends each once."""
    deadly.helm.fatal, deadly.helm.moment = call, moment
    _kill(deadly)
    assert _resumed(deadly) == "completed"
    assert deadly.phases() == {"api": "completed api-2", "web": "completed web-2"}
    assert [_sent(deadly, name) for name in ("api", "web")] == [1, 1]
    assert deadly.holder() == ""


@pytest.mark.parametrize("write", range(1, 12))
@pytest.mark.parametrize("is_written", [False, True])
def test_killed_at_a_write_of_the_ledger(deadly: Deadly, write: int, is_written: bool) -> None:
    """Killed around any entry, the end is the same and every effect is there once."""
    deadly.deadly.fatal, deadly.deadly.is_written = write, is_written
    _kill(deadly)
    if deadly.ledger.history()[0].outcome == "open":
        assert _resumed(deadly) == "completed"
    assert deadly.phases() == {"api": "completed api-2", "web": "completed web-2"}
    assert [_sent(deadly, name) for name in ("api", "web")] == [1, 1]


@pytest.mark.parametrize("write", range(6, 15))
def test_killed_while_going_back(deadly: Deadly, write: int) -> None:
    """Killed on the way back, whoever resumes goes on back, and never forward."""
    deadly.argo.bad.add(digest("web-2"))
    deadly.deadly.fatal, deadly.deadly.is_written = write, True
    _kill(deadly)
    if deadly.ledger.history()[0].outcome == "open":
        assert _resumed(deadly) == "went-back"
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}
    rollbacks = [item for item in deadly.releases.calls if item.startswith("rollback")]
    assert sorted(rollbacks) == ["rollback api 1", "rollback web 1"]


def test_deployment_over_one_that_hangs_is_refused(deadly: Deadly) -> None:
    """Between two versions nothing new begins: first the open one is ended, or taken back."""
    deadly.deadly.fatal, deadly.deadly.is_written = 7, True
    _kill(deadly)
    deadly.deadly.fatal = None
    deadly.images.publish("3" * 40, api="api-3", web="web-2")
    deadly.commits.order.append("3" * 40)
    refusals = deadly.plan("3" * 40).refusals
    assert {(item.code, item.service) for item in refusals} == {
        ("unsettled", "api"), ("unsettled", "web"),
    }  # fmt: skip
    assert refusals[0].hint == "`invoke deploy --env dev --resume` goes on with deployment 2"
    deadly.clock.advance(60)
    assert deadly.go_back(1) == "completed"
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}
    assert deadly.plan(OLD).refusals == ()


def test_overtaken_runner_sends_nothing(deadly: Deadly) -> None:
    """A runner whose Lease went to somebody else ends before its next effect."""
    plan = deadly.plan(NEW)

    def overtake() -> None:
        if deadly.phases().get("api", "").endswith("api-2"):
            deadly.clock.happenings.clear()
            deadly.clock.advance(60)

    deadly.clock.happenings.append(overtake)
    with pytest.raises(LeaseLostError):
        carry_out(deadly.crew(), deadly.world, plan)
    assert deadly.ledger.history()[0].outcome == "open"


def test_rollback_after_a_kill_sees_what_may_have_been_sent(deadly: Deadly) -> None:
    """What was begun and not written down counts as sent: it is gone back from, with no number."""
    deadly.helm.fatal, deadly.helm.moment = 0, "after"
    _kill(deadly)
    deadly.helm.fatal = None
    assert deadly.phases()["api"].endswith("api-2")
    deadly.clock.advance(60)
    found = find_earlier(deadly.ledger, deadly.releases, "dev", 0)
    assert (found.number, found.revisions) == (1, {"api": 1})
    assert deadly.go_back() == "completed"
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}


def test_failed_way_back_is_gone_on_with(deadly: Deadly) -> None:
    """Where going back failed, `--resume` does the rest of it, and nothing twice."""
    deadly.argo.bad.add(digest("web-2"))
    deadly.helm.refused.add("web")
    with pytest.raises(DeliveryError) as error:
        deadly.deploy(NEW)
    assert error.value.code == "not-back"
    deadly.helm.refused.clear()
    with pytest.raises(DeliveryError, match="went back"):
        resume(deadly.crew("second"), deadly.world, resumable_record(deadly.ledger, "dev"))
    record = deadly.ledger.history()[0]
    assert (record.number, record.outcome) == (2, "went-back")
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}
    done = [entry.step for entry in record.entries if entry.state == "done"]
    assert len(set(done)) == len(done) - 1  # its end was written twice


def test_another_deployment_is_not_resumed_by_this_commit(deadly: Deadly) -> None:
    """Whoever waits to resume one deployment does not go on with another that began meanwhile."""
    deadly.deadly.fatal, deadly.deadly.is_written = 7, True
    _kill(deadly)
    deadly.deadly.fatal = None
    mine = open_record(deadly.ledger, "dev")
    deadly.clock.advance(60)
    other = Lease(deadly.cluster, "dev", "other", deadly.clock)
    other.acquire(60, print)
    deadly.ledger.begin(other, {"services": {}, "removed": []})
    deadly.clock.advance(60)
    with pytest.raises(DeliveryError, match="deployment 3 was begun meanwhile"):
        resume(deadly.crew("second"), deadly.world, mine)


def test_lease_that_was_removed_locks_nobody_out(yard: Yard) -> None:
    """The ledger outlives a Lease that somebody deleted: the next deployment works at once."""
    yard.deploy()
    yard.deploy(NEW)
    yard.cluster.delete(LEASE, "deployments")
    assert yard.deploy(OLD, allow_older=True).outcome == "completed"


def test_nothing_to_resume(yard: Yard) -> None:
    """Where every deployment ended, there is nothing to go on with, and it says so."""
    yard.deploy()
    with pytest.raises(DeliveryError, match="waits to be resumed"):
        open_record(yard.ledger, "dev")
