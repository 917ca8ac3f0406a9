"""Rollouts of Argo Rollouts: what their controller says, in our words, and what we may ask of it.

The controller steps, analyses and aborts by itself, and goes on when this process dies; nothing
here moves traffic. Fields and patches are those of its own command line (argoproj/argo-rollouts
1.10: `utils/rollout/rolloututil.go`, `pkg/kubectl-argo-rollouts/cmd`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from monoyard.delivery.cluster import Namespace
from monoyard.delivery.objects import Kind, Object, name_of

ROLLOUT: Final = Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts")

Phase = Literal[
    "progressing", "paused", "standing", "inconclusive", "completed", "gone-back", "bad"
]
"""Where a rollout is.

`paused`: a pause of its own that ends by itself or by a person; `standing`: the new version serves,
or is tried and waits for the switch, and only has to be completed; `inconclusive`: an analysis had
too little to go by; `gone-back`: it was aborted, by whomever; `bad`: it failed, and did not go back
by itself.
"""

_PHASES: Final[Mapping[str, Phase]] = {
    "Progressing": "progressing",
    "Paused": "paused",
    "Healthy": "completed",
    "Degraded": "bad",
}
# Steps that last as long as they last.
_WAITING: Final = frozenset({"analysis", "experiment", "pause"})


@dataclass(frozen=True, slots=True)
class RolloutState:
    """What is known of a rollout.

    Attributes:
        name: Its name, which is that of its service.
        phase: Where it is.
        message: What the controller says.
        weight: Percent of the traffic that the new version gets; None where nothing says.
        step: How many of its steps are behind it.
        steps: How many it has; 0 where the strategy has none.
        stable: Hash of the pods that the old version has; empty before the first.
        current: Hash of the pods that the new version has.
        is_held: A person holds it where it is.
        deadline: Seconds within which its pods have to get on; None where nothing says, or where it
            waits for something else.
        progressed: When they got on last, as the controller writes it.
    """

    name: str
    phase: Phase
    message: str
    weight: int | None
    step: int
    steps: int
    stable: str
    current: str
    is_held: bool = False
    deadline: float | None = None
    progressed: str = ""


def read_rollout(rollout: Object) -> RolloutState:
    """Return what an object of kind Rollout says.

    The phase in the status is that of the generation that the controller saw: until it saw the
    latest one, or while it takes a continuation up, a rollout is progressing.
    """
    spec, status = rollout["spec"], rollout.get("status") or {}
    strategy = spec.get("strategy") or {}
    steps: Sequence[Mapping[str, Any]] = (strategy.get("canary") or {}).get("steps") or ()
    step = status.get("currentStepIndex")
    return RolloutState(
        name=name_of(rollout),
        phase=_phase(rollout, steps),
        message=str(status.get("message") or ""),
        weight=_weight(status, strategy),
        step=len(steps) if step is None else int(step),
        steps=len(steps),
        stable=str(status.get("stableRS") or ""),
        current=str(status.get("currentPodHash") or ""),
        is_held=bool(spec.get("paused")),
        deadline=_deadline(rollout, steps),
        progressed=_progressed(status),
    )


def abort(namespace: Namespace, name: str) -> None:
    """Have the controller send all traffic to the stable version again."""
    namespace.merge(ROLLOUT, name, {"status": {"abort": True}}, status=True)


def go_on(namespace: Namespace, name: str) -> None:
    """End the pause that a rollout is in."""
    namespace.merge(ROLLOUT, name, {"spec": {"paused": False}}, status=False)
    namespace.merge(ROLLOUT, name, {"status": {"pauseConditions": None}}, status=True)


def pause(namespace: Namespace, name: str) -> None:
    """Have a rollout stay where it is until it is told to go on."""
    namespace.merge(ROLLOUT, name, {"spec": {"paused": True}}, status=False)


def _phase(rollout: Object, steps: Sequence[Mapping[str, Any]]) -> Phase:
    status = rollout.get("status") or {}
    if not is_observed(rollout):
        return "progressing"
    reasons = {item.get("reason") for item in status.get("pauseConditions") or ()}
    if status.get("abort"):
        return "gone-back"
    if status.get("controllerPause") and not reasons:
        return "progressing"
    if reasons & {"InconclusiveAnalysisRun", "InconclusiveExperiment"}:
        return "inconclusive"
    if "BlueGreenPause" in reasons and not _is_tried(rollout):
        return "progressing"
    if "BlueGreenPause" in reasons or _is_at_the_end(status, steps, reasons):
        return "standing"
    return _PHASES.get(str(status.get("phase")), "progressing")


def _deadline(rollout: Object, steps: Sequence[Mapping[str, Any]]) -> float | None:
    spec, status = rollout["spec"], rollout.get("status") or {}
    step = int(status.get("currentStepIndex") or 0)
    waits = step < len(steps) and _WAITING & steps[step].keys()
    if waits or spec.get("paused") or status.get("pauseConditions"):
        return None
    said = spec.get("progressDeadlineSeconds")
    return None if said is None else float(said)


def _progressed(status: Mapping[str, Any]) -> str:
    for item in status.get("conditions") or ():
        if item.get("type") == "Progressing":
            return str(item.get("lastUpdateTime") or "")
    return ""


def is_observed(rollout: Object) -> bool:
    """Say whether the controller saw the latest generation; it writes that as text."""
    seen = (rollout.get("status") or {}).get("observedGeneration")
    return str(seen) == str(rollout["metadata"].get("generation"))


def _is_tried(rollout: Object) -> bool:
    """Say whether a new version that waits for the switch has passed what comes before it.

    The controller pauses while the analysis is still under way.
    """
    spec = (rollout["spec"].get("strategy") or {}).get("blueGreen") or {}
    status = (rollout.get("status") or {}).get("blueGreen") or {}
    said = (status.get("prePromotionAnalysisRunStatus") or {}).get("status")
    return not spec.get("prePromotionAnalysis") or said == "Successful"


def _is_at_the_end(
    status: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], reasons: set[Any]
) -> bool:
    """Say whether a canary is in its last step, and that is a pause without an end."""
    return (
        "CanaryPauseStep" in reasons
        and status.get("currentStepIndex") == len(steps) - 1
        and steps[-1].get("pause") == {}
    )


def _weight(status: Mapping[str, Any], strategy: Mapping[str, Any]) -> int | None:
    if "blueGreen" in strategy:
        active = (status.get("blueGreen") or {}).get("activeSelector")
        return 100 if active and active == status.get("currentPodHash") else 0
    weights = (status.get("canary") or {}).get("weights") or {}
    weight = (weights.get("canary") or {}).get("weight")
    return int(weight) if weight is not None else None
