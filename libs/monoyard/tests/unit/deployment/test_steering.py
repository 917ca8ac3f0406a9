"""What a person tells a deployment that is under way."""

from __future__ import annotations

from typing import Any

import pytest

from monoyard.delivery import Record
from monoyard.delivery.objects import new
from monoyard.delivery.rollouts import ROLLOUT, go_on, pause
from monoyard.deployment import STEERING
from monoyard.deployment.watching import DONE, Watcher
from monoyard.errors import DeliveryError
from monoyard.testing import FakeNamespace

from .yard import Yard


def record(number: int, **header: Any) -> Record:
    """Return a deployment that is open."""
    return Record(number, header, (), "", 0)


RECORD = record(7, services={"api": {}, "web": {}})


def rollout(cluster: FakeNamespace, name: str, **status: Any) -> None:
    """Have a Rollout in some state."""
    owner = {"meta.helm.sh/release-name": name}
    spec = {"strategy": {"canary": {"steps": [{"setWeight": 5}, {"pause": {}}]}}}
    found = {"observedGeneration": "1", "phase": "Progressing", "currentStepIndex": 0, **status}
    thing = new(ROLLOUT, name, annotations=owner, spec=spec, status=found)
    thing["metadata"]["generation"] = 1
    cluster.create(ROLLOUT, thing)


def spec_of(cluster: FakeNamespace, name: str) -> dict[str, Any]:
    """Return the specification of a Rollout."""
    found = cluster.get(ROLLOUT, name)
    assert found is not None
    return dict(found["spec"])


def test_pause_concerns_what_is_under_way_alone() -> None:
    """Rollouts of the deployment that are not at their end stay; others are not touched."""
    cluster = FakeNamespace()
    rollout(cluster, "api")
    rollout(cluster, "web", phase="Healthy")
    rollout(cluster, "stranger")
    assert STEERING["pause"](cluster, RECORD) == ("api",)
    assert spec_of(cluster, "api")["paused"] is True
    assert "paused" not in spec_of(cluster, "web")
    assert "paused" not in spec_of(cluster, "stranger")


def test_continue_ends_what_a_person_or_a_gate_holds() -> None:
    """What stands at its end is left to the runner: all services of a release go on together."""
    cluster = FakeNamespace()
    rollout(cluster, "api")
    pause(cluster, "api")
    waits = [{"reason": "InconclusiveAnalysisRun"}]
    rollout(cluster, "web", phase="Paused", pauseConditions=waits)
    assert STEERING["continue"](cluster, RECORD) == ("api", "web")
    assert spec_of(cluster, "api")["paused"] is False
    stands = record(8, services={"end": {}})
    end = [{"reason": "CanaryPauseStep"}]
    rollout(cluster, "end", phase="Paused", currentStepIndex=1, pauseConditions=end)
    with pytest.raises(DeliveryError) as error:
        STEERING["continue"](cluster, stands)
    assert error.value.code == "nothing-under-way"


def test_abort_moves_the_traffic_back() -> None:
    """Every rollout of the deployment that is under way is aborted; a rollback is not."""
    cluster = FakeNamespace()
    rollout(cluster, "api")
    assert STEERING["abort"](cluster, RECORD) == ("api",)
    found = cluster.get(ROLLOUT, "api")
    assert found is not None
    assert found["status"]["abort"] is True
    with pytest.raises(DeliveryError) as error:
        STEERING["abort"](cluster, record(9, services={"api": {}}, to=3))
    assert error.value.code == "open-rollback"


@pytest.mark.parametrize("how", STEERING)
def test_nothing_under_way_is_said(how: str) -> None:
    """Whoever steers a deployment whose rollouts have ended is told so."""
    cluster = FakeNamespace()
    rollout(cluster, "api", phase="Healthy")
    with pytest.raises(DeliveryError, match="no rollout of deployment 7"):
        STEERING[how](cluster, RECORD)


def test_time_that_a_person_holds_does_not_count(yard: Yard) -> None:
    """A rollout that is held for longer than it may take is late only after it goes on."""
    rollout(yard.cluster, "api")
    pause(yard.cluster, "api")
    yard.clock.happenings.clear()

    def happen() -> None:
        if yard.clock.now() == 1500:
            go_on(yard.cluster, "api")

    yard.clock.happenings.append(happen)
    watcher = Watcher(yard.cluster, yard.clock, lambda: None, yard.told.append, 60.0, 20.0)
    with pytest.raises(DeliveryError) as error:
        watcher.until(["api"], DONE)
    assert error.value.code == "rollout-late"
    assert 1559 <= yard.clock.now() <= 1562
    assert any("held by a person" in line for line in yard.told)
