"""Looking on while services move."""

from __future__ import annotations

import pytest

from monoyard.delivery import UNREACHABLE
from monoyard.delivery.objects import DEPLOYMENT, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.watching import DONE, Watcher
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError

from .argo import LivingClock
from .yard import Yard


def watcher(yard: Yard) -> Watcher:
    """Return what looks on for a minute."""
    return Watcher(yard.cluster, yard.clock, lambda: None, yard.told.append, 60.0, 20.0)


def deployment(yard: Yard, **status: object) -> None:
    """Have a Deployment of the api in some state."""
    owner = {"meta.helm.sh/release-name": "api"}
    found = {"observedGeneration": 1, **status}
    thing = new(DEPLOYMENT, "api", annotations=owner, spec={"replicas": 1}, status=found)
    yard.cluster.create(DEPLOYMENT, thing)


def test_api_server_that_starts_anew_is_waited_for(yard: Yard) -> None:
    """While it does not answer nothing is decided, and it goes on once it does."""
    deployment(yard)
    yard.clock.happenings.clear()

    def happen() -> None:
        if yard.clock.now() == 1005:
            yard.cluster.stop_answering()
        if yard.clock.now() == 1020:
            yard.cluster.answer_again()
            status = {"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
            yard.cluster.merge(DEPLOYMENT, "api", {"status": status}, status=True)

    yard.clock.happenings.append(happen)
    assert [item.phase for item in watcher(yard).until(["api"], DONE)] == ["completed"]
    assert yard.told == [
        "Deployment/api progressing, 0 ready", "Deployment/api completed, 0 ready",
    ]  # fmt: skip


def test_silence_is_not_waited_for_for_ever(yard: Yard) -> None:
    """A cluster that does not answer for as long as the rollout may take is an error."""
    yard.clock.happenings.clear()
    yard.cluster.stop_answering()
    with pytest.raises(ClusterError) as error:
        watcher(yard).until(["api"], DONE)
    assert error.value.code == UNREACHABLE
    assert isinstance(yard.clock, LivingClock)
    assert yard.clock.now() == 1060


def test_deployment_that_exceeds_its_deadline_has_failed(yard: Yard) -> None:
    """A failure of one service of the release is one of all."""
    reason = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too long"}
    deployment(yard, conditions=[reason])
    with pytest.raises(DeliveryError, match="api: Deployment/api failed: too long"):
        watcher(yard).until(["web"], DONE, others=["api"])


def test_service_without_workloads_is_there_at_once(yard: Yard) -> None:
    """What has nothing to watch holds nobody up."""
    assert watcher(yard).until(["web"], DONE) == ()
    assert yard.clock.now() == 1000


def rollout(yard: Yard, step: dict[str, object], **status: object) -> None:
    """Have a Rollout of the api in its first step, whose pods have 30 s to get on."""
    owner = {"meta.helm.sh/release-name": "api"}
    spec = {"progressDeadlineSeconds": 30, "strategy": {"canary": {"steps": [step, {"pause": {}}]}}}
    progress = {"type": "Progressing", "status": "True", "lastUpdateTime": "then"}
    found = {"observedGeneration": "1", "phase": "Progressing", "currentStepIndex": 0,
             "conditions": [progress], **status}  # fmt: skip
    thing = new(ROLLOUT, "api", annotations=owner, spec=spec, status=found)
    thing["metadata"]["generation"] = 1
    yard.cluster.create(ROLLOUT, thing)


def test_pods_that_do_not_get_on_have_failed(yard: Yard) -> None:
    """A little after its deadline, where its controller does not say so; progress counts anew."""
    rollout(yard, {"setCanaryScale": {"replicas": 1}})
    yard.clock.happenings.clear()

    def happen() -> None:
        if yard.clock.now() == 1010:
            progress = {"type": "Progressing", "status": "True", "lastUpdateTime": "later"}
            status = {"conditions": [progress]}
            yard.cluster.merge(ROLLOUT, "api", {"status": status}, status=True)

    yard.clock.happenings.append(happen)
    with pytest.raises(DeliveryError, match="did not get on for 45 s") as error:
        watcher(yard).until(["api"], DONE)
    assert error.value.code == "rollout-failed"
    assert 1055 <= yard.clock.now() <= 1057


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ({"analysis": {"templates": []}}, {}),
        ({"setWeight": 5}, {"pauseConditions": [{"reason": "BlueGreenPause"}]}),
    ],
)
def test_what_waits_for_something_else_is_not_stuck(
    yard: Yard, step: dict[str, object], status: dict[str, object]
) -> None:
    """An analysis and a pause take as long as they take, up to what the whole rollout has."""
    rollout(yard, step, **status)
    yard.clock.happenings.clear()
    with pytest.raises(DeliveryError) as error:
        watcher(yard).until(["api"], DONE)
    assert error.value.code == "rollout-late"


def test_nothing_is_waited_for_without_the_lease(yard: Yard) -> None:
    """Whoever lost the environment stops looking on at once."""

    def alive() -> None:
        raise LeaseLostError("this runner no longer holds it")

    deployment(yard)
    lost = Watcher(yard.cluster, yard.clock, alive, yard.told.append, 60.0, 20.0)
    with pytest.raises(LeaseLostError):
        lost.until(["api"], DONE)
    assert yard.told == []
