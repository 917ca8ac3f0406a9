"""A deployment from its lock to its end, back again, and after a kill at any point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monoyard.charts import Given
from monoyard.delivery import Lease
from monoyard.delivery.objects import CONFIG_MAP, LEASE, SECRET
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.execution import carry_out
from monoyard.errors import (
    DeliveryError,
    InconclusiveError,
    LockedError,
    VerificationError,
)
from monoyard.supply import Ruling

from .yard import NEW, OLD, SERVICE, FakeImages, Yard, digest

if TYPE_CHECKING:
    pass


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
    assert yard.holder() == ""
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
    assert yard.holder() == ""


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
    assert yard.holder() == ""


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


def test_images_of_records_are_never_secrets(yard: Yard) -> None:
    """Nothing of a Secret but its name and version is in the ledger."""
    yard.deploy()
    for thing in yard.cluster.list(CONFIG_MAP, {}):
        assert "c2VjcmV0" not in str(thing)
    assert yard.cluster.get(SECRET, "api-database") is not None
    assert yard.cluster.get(SERVICE, "api") is not None
    assert issubclass(VerificationError, Exception)
