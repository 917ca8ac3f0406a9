"""A deployment from its lock to its end, back again, and after a kill at any point."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.charts import ChartCall, Given
from monoyard.delivery import Kind, Lease, Object
from monoyard.delivery.objects import CONFIG_MAP, LEASE, SECRET
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.earlier import find_earlier
from monoyard.deployment.execution import carry_out, go_back, resume
from monoyard.deployment.unended import open_record, request_of, resumable_record
from monoyard.errors import (
    DeliveryError,
    InconclusiveError,
    LeaseLostError,
    LockedError,
    VerificationError,
)
from monoyard.supply import Ruling
from monoyard.testing import FakeNamespace, FakeReleases

from .yard import NEW, OLD, SERVICE, FakeImages, Yard, digest, objects

if TYPE_CHECKING:
    from collections.abc import Callable


class KilledError(BaseException):
    """SIGKILL: nothing that the runner does hears of it."""


def holder(yard: Yard) -> str:
    """Return who holds the environment."""
    found = Lease(yard.cluster, "dev", "", yard.clock).look()
    return found.name if found else ""


def test_first_deployment(yard: Yard) -> None:
    """Everything is sent, stands, goes on together, and the ledger has each step."""
    record = yard.deploy()
    assert record.outcome == "completed"
    assert yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    assert [entry.step for entry in record.entries if entry.state == "done"] == [
        "upgrade:api", "upgrade:web", "rollout:api", "rollout:web", "complete", "outcome",
    ]  # fmt: skip
    assert record.header["by"] == "jane"
    assert record.header["commit"] == OLD
    assert record.last("upgrade:api").facts == {  # type: ignore[union-attr]
        "revision": 1, "digest": digest("api-1"),
    }  # fmt: skip
    assert holder(yard) == ""
    assert "Rollout/api progressing, step 2 of 4, 0 ready" in yard.told


def test_everything_that_is_sent_bears_the_number(yard: Yard) -> None:
    """Release, Rollout and record are found by the deployment's number."""
    yard.deploy()
    yard.deploy(NEW)
    thing = yard.cluster.get(ROLLOUT, "api")
    assert thing is not None
    assert thing["metadata"]["labels"]["monoyard.dev/deployment"] == "2"
    assert yard.releases.history("api")[-1].description == "deployment 2"
    labels = {"monoyard.dev/deployment": "2", "monoyard.dev/environment": "dev"}
    assert [item.name for item in yard.releases.all(labels)] == ["api"]
    assert len(yard.releases.history("web")) == 1


def test_nothing_goes_on_before_all_stand(yard: Yard) -> None:
    """A service that stands at its end waits for the others: nobody is completed alone."""
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2")
    yard.argo.stuck.add(digest("web-2"))
    seen: list[str] = []
    yard.clock.happenings.append(lambda: seen.append(yard.phases()["api"]))
    with pytest.raises(DeliveryError):
        yard.deploy(NEW)
    assert "standing api-2" in seen
    assert "completed api-2" not in seen


def test_failing_rollout_goes_back_with_evidence(yard: Yard) -> None:
    """Traffic first, then evidence, then the recorded specification; and it is told why."""
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2")
    yard.argo.bad.add(digest("web-2"))
    with pytest.raises(DeliveryError, match="went back") as error:
        yard.deploy(NEW)
    assert error.value.code == "went-back"
    assert error.value.exit_code == 40
    assert error.value.context == (
        "pod web-bad: Running",
        "  main: CrashLoopBackOff back-off, 3 restarts",
        "  main | Traceback",
        "  main | KeyError: 'x'",
    )
    assert yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    record = yard.ledger.read(2)
    assert record.outcome == "went-back"
    assert "web: Rollout/web went back: analysis failed" in str(record.failure)
    steps = [entry.step for entry in record.entries if entry.state == "done"]
    assert steps[-5:] == ["abort", "evidence", "back:web", "back:api", "outcome"]
    assert yard.releases.calls[-2:] == ["rollback web 1", "rollback api 1"]
    assert holder(yard) == ""


def test_failing_first_deployment_leaves_nothing(yard: Yard) -> None:
    """What was not there before is removed again; its history stays."""
    yard.argo.bad.add(digest("web-1"))
    with pytest.raises(DeliveryError, match="went back"):
        yard.deploy()
    assert yard.phases() == {}
    assert [item.status for item in yard.releases.history("api")] == ["uninstalled"]


def test_rolled_back_image_is_refused_next_time(yard: Yard) -> None:
    """What went back is not deployed a second time without a word."""
    yard.deploy()
    yard.argo.bad.add(digest("api-2"))
    with pytest.raises(DeliveryError):
        yard.deploy(NEW)
    assert [item.code for item in yard.plan(NEW).refusals] == ["rolled-back"]


def test_only_the_image_at_fault_is_refused_next_time(yard: Yard) -> None:
    """A service that went back because another one failed is blamed for nothing."""
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2")
    yard.argo.bad.add(digest("web-2"))
    with pytest.raises(DeliveryError, match="rollout:api: web:"):
        yard.deploy(NEW)
    assert [(item.code, item.service) for item in yard.plan(NEW).refusals] == [
        ("rolled-back", "web")
    ]


def test_inconclusive_gate_goes_back_after_its_time(yard: Yard) -> None:
    """Too little to go by is never a pass: in the end it goes back, with a status of its own."""
    yard.deploy()
    yard.argo.unclear.add(digest("api-2"))
    began = yard.clock.now()
    with pytest.raises(InconclusiveError, match="too little to go by for 20 s") as error:
        yard.deploy(NEW)
    assert error.value.exit_code not in {DeliveryError.exit_code, *range(41, 44)}
    assert 20 <= yard.clock.now() - began < 50
    assert yard.phases()["api"] == "completed api-1"


def test_rollout_that_gets_nowhere_goes_back(yard: Yard) -> None:
    """After `timeouts.rollout` a service that is not there has failed."""
    yard.deploy()
    yard.argo.stuck.add(digest("api-2"))
    with pytest.raises(DeliveryError, match="not there after 60 s"):
        yard.deploy(NEW)
    failed = yard.ledger.read(2).last("rollout:api")
    assert failed is not None
    assert failed.facts["context"] == ["Rollout/api: progressing, step 0 of 4, 0 ready"]


def test_refusal_of_helm_goes_back(yard: Yard) -> None:
    """Where a later service cannot be sent, the earlier ones go back."""
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2")
    yard.releases.fail_next("web")
    with pytest.raises(DeliveryError, match="web cannot be upgraded"):
        yard.deploy(NEW)
    assert yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    assert yard.releases.calls[-2:] == ["rollback web 1", "rollback api 1"]


class Forgetful(FakeImages):
    """A registry whose images are accepted twice: by the plan under the lock, and not after it."""

    asked = 0

    def examine(self, service: str, digest: str, commit: str) -> Ruling:
        """Return what the environment says of an image."""
        self.asked += 1
        if self.asked > 2:
            self.refused.add(digest)
        return super().examine(service, digest, commit)


def test_image_is_verified_again_under_the_lock(yard: Yard) -> None:
    """An image that is no longer accepted when its turn comes is not sent."""
    plan = yard.plan()
    yard.images = Forgetful(yard.images.published, yard.images.made)
    with pytest.raises(DeliveryError, match="went back"):
        carry_out(yard.crew(), yard.world, plan)
    assert yard.releases.calls == ["uninstall api"]


def test_plan_of_another_state_is_not_carried_out(yard: Yard) -> None:
    """Whoever waited while another deployment went by is told what changed, and does nothing."""
    plan = yard.plan(OLD)
    yard.deploy(OLD)
    with pytest.raises(DeliveryError) as error:
        carry_out(yard.crew(), yard.world, plan)
    assert error.value.code == "base-changed"
    assert 'services.api.action: "install" -> "keep"' in error.value.context
    assert len(yard.ledger.history()) == 1


def test_refusal_that_came_up_meanwhile_counts(yard: Yard) -> None:
    """What forbids the plan only now, such as today's findings, stops it before it begins."""
    plan = yard.plan()
    yard.images.refused.add(digest("api-1"))
    with pytest.raises(DeliveryError) as error:
        carry_out(yard.crew(), yard.world, plan)
    assert error.value.code == "not-accepted"
    assert yard.ledger.history() == []
    assert holder(yard) == ""


def test_two_at_once_are_one_after_the_other(yard: Yard) -> None:
    """While somebody else is at it and alive, nothing begins."""
    plan = yard.plan()
    other = Lease(yard.cluster, "dev", "other", yard.clock)
    other.acquire(0, print)
    change = iter(range(1000))

    def renew() -> None:
        spec = {"spec": {"renewTime": str(next(change))}}
        yard.cluster.merge(LEASE, "deployments", spec, status=False)

    yard.clock.happenings.append(renew)
    with pytest.raises(LockedError, match="other holds it"):
        carry_out(yard.crew(), yard.world, plan)
    assert yard.told == ["other holds it"]
    assert yard.releases.calls == []


def test_service_that_is_gone_is_pruned_last(yard: Yard) -> None:
    """It is removed after everything else went well, and by order alone."""
    yard.deploy()
    del yard.services["web"]
    record = yard.deploy(NEW, prune=True)
    assert record.header["removed"] == ["web"]
    assert yard.phases() == {"api": "completed api-2"}
    assert yard.releases.calls[-1] == "uninstall web"


def test_image_by_hand_is_noticed(yard: Yard) -> None:
    """If what serves at the end is not what was sent, the deployment did not work."""
    yard.deploy()
    plan = yard.plan(NEW)

    def meddle() -> None:
        thing = yard.cluster.get(ROLLOUT, "api")
        if thing is not None and digest("api-2") in str(thing["spec"]["template"]):
            text = str(thing["spec"]["template"]).replace(digest("api-2"), digest("api-3"))
            template = {"spec": {"template": eval(text)}}  # noqa: S307 - its own repr
            yard.cluster.merge(ROLLOUT, "api", template, status=False)

    yard.clock.happenings.append(meddle)
    with pytest.raises(DeliveryError, match="runs another image than was sent"):
        carry_out(yard.crew(), yard.world, plan)


def test_interrupted_helm_is_repaired(yard: Yard) -> None:
    """What a killed call of Helm left is ended under the lock, and history stays."""
    yard.deploy()
    yard.releases.fail_next("api", "pending-upgrade")
    with pytest.raises(DeliveryError, match="went back"):
        yard.deploy(NEW)
    statuses = [(item.status, item.description) for item in yard.releases.history("api")]
    assert statuses == [
        ("superseded", "deployment 1"), ("pending-upgrade", "deployment 2"),
        ("deployed", "Rollback to 1"),
    ]  # fmt: skip
    yard.releases.fail_next("api", "pending-upgrade")
    call = yard.charts.of_service(yard.environment, "api", _given())
    with pytest.raises(DeliveryError):
        yard.releases.upgrade(call, {}, "by hand")
    assert yard.deploy(NEW).outcome == "completed"
    assert yard.phases()["api"] == "completed api-2"


def test_first_installation_that_was_interrupted_is_repaired(yard: Yard) -> None:
    """Where nothing was ever taken, what was half made is removed, and installed anew."""
    yard.releases.fail_next("api", "pending-install")
    with pytest.raises(DeliveryError):
        yard.releases.upgrade(
            yard.charts.of_service(yard.environment, "api", _given()), {}, "by hand"
        )
    assert yard.deploy().outcome == "completed"
    assert "uninstall api" in yard.releases.calls


def _given() -> Any:
    return Given("registry.example/api", digest("api-3"), OLD)


class DeadlyCluster(FakeNamespace):
    """A cluster at one of whose records' writes the runner is killed."""

    fatal: int | None = None
    is_written = False

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Replace an object, or be the moment of the kill."""
        if kind != CONFIG_MAP or self.fatal is None:
            return super().replace(kind, thing)
        self.fatal -= 1
        if self.fatal == -1 and not self.is_written:
            raise KilledError
        made = super().replace(kind, thing)
        if self.fatal == -1:
            raise KilledError
        return made


class DeadlyReleases(FakeReleases):
    """A Helm that is killed with its runner before, after or amid one of its calls."""

    fatal: int | None = None
    moment = "before"

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.refused: set[str] = set()

    def upgrade(self, call: ChartCall, labels: Mapping[str, str], description: str) -> None:
        """Upgrade, or be the moment of the kill."""
        self._die(lambda: super(DeadlyReleases, self).upgrade(call, labels, description), call.name)

    def rollback(self, name: str, revision: int) -> None:
        """Go back, or be the moment of the kill, or refuse."""
        if name in self.refused:
            raise DeliveryError(f"{name} cannot be taken back", code="helm")
        self._die(lambda: super(DeadlyReleases, self).rollback(name, revision), "")

    def _die(self, do: Callable[[], None], name: str) -> None:
        if self.fatal is not None:
            self.fatal -= 1
            if self.fatal == -1:
                if self.moment == "amid" and name:
                    self.fail_next(name, "pending-upgrade")
                    with pytest.raises(DeliveryError):
                        do()
                elif self.moment == "after":
                    do()
                raise KilledError
        do()


class Deadly(Yard):
    """An environment in which runners are killed.

    Attributes:
        ledger_kills: Where they are killed at writes of the ledger.
        helm_kills: Where they are killed at calls of Helm.
    """

    def __init__(self) -> None:
        self.ledger_kills = DeadlyCluster("shop-dev")
        super().__init__(self.ledger_kills)
        self.helm_kills = DeadlyReleases(self.cluster, lambda call: list(objects(call))[:-1])
        self.releases = self.helm_kills


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
    yard.ledger_kills.fatal = None
    yard.helm_kills.fatal = None
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
    deadly.helm_kills.fatal, deadly.helm_kills.moment = call, moment
    _kill(deadly)
    assert _resumed(deadly) == "completed"
    assert deadly.phases() == {"api": "completed api-2", "web": "completed web-2"}
    assert [_sent(deadly, name) for name in ("api", "web")] == [1, 1]
    assert holder(deadly) == ""


@pytest.mark.parametrize("write", range(11))
@pytest.mark.parametrize("is_written", [False, True])
def test_killed_at_a_write_of_the_ledger(deadly: Deadly, write: int, is_written: bool) -> None:
    """Killed around any entry, the end is the same and every effect is there once."""
    deadly.ledger_kills.fatal, deadly.ledger_kills.is_written = write, is_written
    _kill(deadly)
    if deadly.ledger.history()[0].outcome == "open":
        assert _resumed(deadly) == "completed"
    assert deadly.phases() == {"api": "completed api-2", "web": "completed web-2"}
    assert [_sent(deadly, name) for name in ("api", "web")] == [1, 1]


@pytest.mark.parametrize("write", range(5, 14))
def test_killed_while_going_back(deadly: Deadly, write: int) -> None:
    """Killed on the way back, whoever resumes goes on back, and never forward."""
    deadly.argo.bad.add(digest("web-2"))
    deadly.ledger_kills.fatal, deadly.ledger_kills.is_written = write, True
    _kill(deadly)
    if deadly.ledger.history()[0].outcome == "open":
        assert _resumed(deadly) == "went-back"
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}
    rollbacks = [item for item in deadly.releases.calls if item.startswith("rollback")]
    assert sorted(rollbacks) == ["rollback api 1", "rollback web 1"]


def test_deployment_over_one_that_hangs_is_refused(deadly: Deadly) -> None:
    """Between two versions nothing new begins: first the open one is ended, or taken back."""
    deadly.ledger_kills.fatal, deadly.ledger_kills.is_written = 6, True
    _kill(deadly)
    deadly.ledger_kills.fatal = None
    deadly.images.publish("3" * 40, api="api-3", web="web-2")
    deadly.commits.order.append("3" * 40)
    refusals = deadly.plan("3" * 40).refusals
    assert {(item.code, item.service) for item in refusals} == {
        ("unsettled", "api"), ("unsettled", "web"),
    }  # fmt: skip
    assert refusals[0].hint == "`invoke deploy --env dev --resume` goes on with deployment 2"
    deadly.clock.advance(60)
    assert _back(deadly, 1) == "completed"
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
    deadly.helm_kills.fatal, deadly.helm_kills.moment = 0, "after"
    _kill(deadly)
    deadly.helm_kills.fatal = None
    assert deadly.phases()["api"].endswith("api-2")
    deadly.clock.advance(60)
    found = find_earlier(deadly.ledger, deadly.releases, "dev", 0)
    assert (found.number, found.revisions) == (1, {"api": 1})
    assert _back(deadly) == "completed"
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}


def test_failed_way_back_is_gone_on_with(deadly: Deadly) -> None:
    """Where going back failed, `--resume` does the rest of it, and nothing twice."""
    deadly.argo.bad.add(digest("web-2"))
    deadly.helm_kills.refused.add("web")
    with pytest.raises(DeliveryError) as error:
        deadly.deploy(NEW)
    assert error.value.code == "not-back"
    deadly.helm_kills.refused.clear()
    with pytest.raises(DeliveryError, match="went back"):
        resume(deadly.crew("second"), deadly.world, resumable_record(deadly.ledger, "dev"))
    record = deadly.ledger.history()[0]
    assert (record.number, record.outcome) == (2, "went-back")
    assert deadly.phases() == {"api": "completed api-1", "web": "completed web-1"}
    done = [entry.step for entry in record.entries if entry.state == "done"]
    assert len(set(done)) == len(done) - 1  # its end was written twice


def test_another_deployment_is_not_resumed_by_this_commit(deadly: Deadly) -> None:
    """Whoever waits to resume one deployment does not go on with another that began meanwhile."""
    deadly.ledger_kills.fatal, deadly.ledger_kills.is_written = 6, True
    _kill(deadly)
    deadly.ledger_kills.fatal = None
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


def _back(yard: Yard, number: int = 0) -> str:
    earlier = find_earlier(yard.ledger, yard.releases, "dev", number)
    return go_back(yard.crew(), yard.cluster, yard.ledger, yard.releases, earlier).outcome


def test_rollback_to_the_deployment_before(yard: Yard) -> None:
    """What was recorded then runs again, services that did not change are left alone."""
    yard.deploy()
    yard.deploy(NEW)
    assert _back(yard) == "completed"
    assert yard.phases() == {"api": "completed api-1", "web": "completed web-1"}
    assert yard.releases.calls[-1] == "rollback api 1"
    record = yard.ledger.history()[0]
    assert (record.header["to"], record.header["commit"]) == (1, OLD)
    assert list(record.header["services"]) == ["api"]
    assert yard.plan(OLD).is_empty


def test_rollback_to_a_number(yard: Yard) -> None:
    """Any completed deployment can be gone back to, and forward again."""
    yard.images.publish("3" * 40, api="api-3", web="web-1")
    yard.commits.order.append("3" * 40)
    for commit in (OLD, NEW, "3" * 40):
        yard.deploy(commit)
    assert _back(yard, 1) == "completed"
    assert yard.phases()["api"] == "completed api-1"
    assert _back(yard, 3) == "completed"
    assert yard.phases()["api"] == "completed api-3"
    assert _back(yard) == "completed"
    assert yard.phases()["api"] == "completed api-2"


def test_rollback_needs_neither_registry_nor_findings(yard: Yard) -> None:
    """Going back works with an empty registry and images that nobody accepts any more."""
    yard.deploy()
    yard.deploy(NEW)
    yard.images.published.clear()
    yard.images.refused.add(digest("api-1"))
    assert _back(yard) == "completed"


def test_rollback_after_one_that_went_back(yard: Yard) -> None:
    """A failed deployment is none to go back to, and its revisions are no state of then."""
    yard.deploy()
    yard.deploy(NEW)
    yard.images.publish("3" * 40, api="api-3", web="web-1")
    yard.argo.bad.add(digest("api-3"))
    yard.commits.order.append("3" * 40)
    with pytest.raises(DeliveryError):
        yard.deploy("3" * 40)
    assert yard.phases()["api"] == "completed api-2"
    assert _back(yard) == "completed"
    assert yard.phases()["api"] == "completed api-1"


@pytest.mark.parametrize("number", [0, 2, 9])
def test_rollback_to_nothing_is_refused(yard: Yard, number: int) -> None:
    """Before the first there is nothing; what failed or never was is no place to go."""
    yard.deploy()
    yard.argo.bad.add(digest("api-2"))
    with pytest.raises(DeliveryError, match="went back"):
        yard.deploy(NEW)
    with pytest.raises(DeliveryError) as error:
        find_earlier(yard.ledger, yard.releases, "dev", number)
    assert error.value.code == "no-deployment"


def test_rollback_that_fails_is_not_hidden(yard: Yard) -> None:
    """A rollback that gets nowhere is a failure that somebody has to look at."""
    yard.deploy()
    yard.deploy(NEW)
    yard.argo.stuck.add(digest("api-1"))
    thing = yard.cluster.get(ROLLOUT, "api")
    assert thing is not None
    with pytest.raises(DeliveryError) as error:
        _back(yard)
    assert error.value.code == "not-back"
    assert yard.ledger.history()[0].outcome == "failed"


def test_service_that_came_later_is_left(yard: Yard) -> None:
    """What was not there then stays as it is, and that is told."""
    del yard.services["web"]
    yard.deploy()
    yard.services["web"] = yard.services["api"]
    yard.deploy(NEW)
    earlier = find_earlier(yard.ledger, yard.releases, "dev", 1)
    assert earlier.left == ("web",)
    assert list(earlier.revisions) == ["api"]


def test_images_of_records_are_never_secrets(yard: Yard) -> None:
    """Nothing of a Secret but its name and version is in the ledger."""
    yard.deploy()
    for thing in yard.cluster.list(CONFIG_MAP, {}):
        assert "c2VjcmV0" not in str(thing)
    assert yard.cluster.get(SECRET, "api-database") is not None
    assert yard.cluster.get(SERVICE, "api") is not None
    assert issubclass(VerificationError, Exception)
