"""Rollouts: the controller's words become ours, and never better ones."""

from typing import Any

import pytest

from monoyard.delivery.rollouts import ROLLOUT, Phase, abort, go_on, pause, read_rollout
from monoyard.testing import FakeNamespace

STEPS = [{"setWeight": 5}, {"pause": {"duration": "10s"}}, {"setWeight": 100}, {"pause": {}}]


def rollout(strategy: str = "canary", **status: Any) -> dict[str, Any]:
    """Return a rollout whose controller says something of the generation that it has."""
    told = {"observedGeneration": "3", "phase": "Progressing", "stableRS": "old", **status}
    steps = {"steps": STEPS} if strategy == "canary" else {}
    return {
        "apiVersion": ROLLOUT.api_version,
        "kind": "Rollout",
        "metadata": {"name": "api", "generation": 3},
        "spec": {"strategy": {strategy: steps}},
        "status": told,
    }


PAUSED: dict[str, Any] = {"phase": "Paused", "controllerPause": True}


def tried(outcome: str) -> dict[str, Any]:
    """Return a blue-green rollout that waits for the switch, with an analysis before it."""
    run = {"prePromotionAnalysisRunStatus": {"status": outcome}}
    reasons = [{"reason": "BlueGreenPause"}]
    said = rollout("blueGreen", **PAUSED, pauseConditions=reasons, blueGreen=run)
    said["spec"]["strategy"]["blueGreen"] = {"prePromotionAnalysis": {"templates": []}}
    return said


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        pytest.param(rollout(), "progressing", id="steps"),
        pytest.param(rollout(phase="Healthy"), "completed", id="healthy"),
        pytest.param(
            rollout(phase="Healthy", observedGeneration="2"), "progressing", id="healthy-of-before"
        ),
        pytest.param(rollout(phase="Degraded"), "bad", id="deadline"),
        pytest.param(rollout(phase="Degraded", abort=True), "gone-back", id="aborted"),
        pytest.param(
            rollout(**PAUSED, currentStepIndex=1, pauseConditions=[{"reason": "CanaryPauseStep"}]),
            "paused",
            id="pause-that-ends",
        ),
        pytest.param(
            rollout(**PAUSED, currentStepIndex=3, pauseConditions=[{"reason": "CanaryPauseStep"}]),
            "standing",
            id="last-pause",
        ),
        pytest.param(rollout(**PAUSED, currentStepIndex=3), "progressing", id="told-to-go-on"),
        pytest.param(
            rollout(
                **PAUSED,
                currentStepIndex=3,
                pauseConditions=[
                    {"reason": "CanaryPauseStep"},
                    {"reason": "InconclusiveAnalysisRun"},
                ],
            ),
            "inconclusive",
            id="too-little-data-at-the-end",
        ),
        pytest.param(
            rollout("blueGreen", **PAUSED, pauseConditions=[{"reason": "BlueGreenPause"}]),
            "standing",
            id="blue-green",
        ),
        pytest.param(tried("Running"), "progressing", id="blue-green-that-is-tried"),
        pytest.param(tried("Successful"), "standing", id="blue-green-that-was-tried"),
        pytest.param(rollout(phase=""), "progressing", id="nothing-said"),
        pytest.param(rollout(phase="Delighted"), "progressing", id="unknown-word"),
    ],
)
def test_phase(said: dict[str, Any], phase: Phase) -> None:
    """Only a controller that saw the latest spec and calls it healthy has completed it."""
    assert read_rollout(said).phase == phase


def test_rollout_that_no_controller_saw_progresses() -> None:
    """A rollout without a status is read too, and is not taken for a completed one."""
    said = rollout()
    del said["status"]
    state = read_rollout(said)
    assert state.phase == "progressing"
    assert (state.stable, state.current, state.weight) == ("", "", None)


def test_weight_is_what_the_controller_set() -> None:
    """The share of a canary is read from its status; that of blue-green from the active Service."""
    weights = {"canary": {"weight": 25}, "stable": {"weight": 75}}
    assert read_rollout(rollout(canary={"weights": weights})).weight == 25
    before = rollout("blueGreen", blueGreen={"activeSelector": "old"}, currentPodHash="new")
    after = rollout("blueGreen", blueGreen={"activeSelector": "new"}, currentPodHash="new")
    assert [read_rollout(item).weight for item in (before, after)] == [0, 100]


def test_position() -> None:
    """How far it is can be told: steps behind it, of how many."""
    state = read_rollout(rollout(currentStepIndex=2))
    assert (state.step, state.steps) == (2, 4)


def test_what_is_asked_of_the_controller() -> None:
    """Abort, continuation and pause are the fields that the controller's own tool sets."""
    namespace = FakeNamespace()
    namespace.create(ROLLOUT, rollout(pauseConditions=[{"reason": "CanaryPauseStep"}]))
    pause(namespace, "api")
    found = namespace.get(ROLLOUT, "api")
    assert found is not None
    assert found["spec"]["paused"] is True
    go_on(namespace, "api")
    abort(namespace, "api")
    found = namespace.get(ROLLOUT, "api")
    assert found is not None
    assert found["spec"]["paused"] is False
    assert "pauseConditions" not in found["status"]
    assert found["status"]["abort"] is True
