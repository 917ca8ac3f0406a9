"""Argo Rollouts' controller as far as deployments see it, one step a second."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from monoyard.delivery import Object
from monoyard.delivery.objects import POD, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.testing import FakeClock, FakeNamespace

PATIENCE_SECONDS = 30.0


class Argo:
    """Plays the controller of the Rollouts of a namespace.

    Attributes:
        bad: Images, by what is in their references, whose first analysis fails.
        unclear: Those whose analysis has too little to go by.
        stuck: Those whose pods are never ready.
    """

    def __init__(self, cluster: FakeNamespace) -> None:
        self.bad: set[str] = set()
        self.unclear: set[str] = set()
        self.stuck: set[str] = set()
        self._cluster = cluster

    def step(self) -> None:
        """Take every Rollout one step further."""
        for thing in self._cluster.list(ROLLOUT, {}):
            if "template" in thing["spec"]:
                status = self._next(thing)
                self._cluster.merge(
                    ROLLOUT, thing["metadata"]["name"], {"status": status}, status=True
                )

    def _next(self, thing: Object) -> dict[str, Any]:
        spec, status = thing["spec"], thing.get("status") or {}
        current = hashlib.sha256(json.dumps(spec["template"]).encode()).hexdigest()[:8]
        image = spec["template"]["spec"]["containers"][0]["image"]
        seen = {"observedGeneration": thing["metadata"]["generation"], "currentPodHash": current}
        last = len(spec["strategy"]["canary"]["steps"]) - 1
        if current == status.get("stableRS"):
            return {**seen, "abort": False, "phase": "Healthy", "pauseConditions": None,
                    "currentStepIndex": last + 1, "message": None}  # fmt: skip
        if current != status.get("currentPodHash"):
            return {**seen, "abort": False, "phase": "Progressing", "currentStepIndex": 0,
                    "pauseConditions": None}  # fmt: skip
        if status.get("abort"):
            return {**seen, "phase": "Degraded", "message": status.get("message") or "aborted"}
        odd = self._odd(thing, image)
        return {**seen, **(self._further(status, last) if odd is None else odd)}

    def _odd(self, thing: Object, image: str) -> dict[str, Any] | None:
        """Return what becomes of a version that does not work; None for one that does."""
        if any(word in image for word in self.bad):
            self._make_pod(thing)
            return {"abort": True, "message": "analysis failed"}
        if any(word in image for word in self.stuck):
            return {}
        if any(word in image for word in self.unclear):
            pause = [{"reason": "InconclusiveAnalysisRun"}]
            return {"phase": "Paused", "pauseConditions": pause, "message": "no samples"}
        return None

    def _further(self, status: Mapping[str, Any], last: int) -> dict[str, Any]:
        step = status.get("currentStepIndex", 0)
        if step < last:
            return {"phase": "Progressing", "currentStepIndex": step + 1}
        if status.get("phase") == "Paused" and not status.get("pauseConditions"):
            current = status["currentPodHash"]
            return {"phase": "Healthy", "stableRS": current, "currentStepIndex": last + 1}
        return {"phase": "Paused", "pauseConditions": [{"reason": "CanaryPauseStep"}]}

    def _make_pod(self, thing: Object) -> None:
        name = f"{thing['metadata']['name']}-bad"
        if self._cluster.get(POD, name) is None:
            labels = thing["spec"]["selector"]["matchLabels"]
            state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
            status = {"phase": "Running", "containerStatuses": [
                {"name": "main", "state": state, "restartCount": 3}]}  # fmt: skip
            self._cluster.create(POD, new(POD, name, labels=labels, status=status))
            self._cluster.print_log(name, "main", "Traceback\nKeyError: 'x'\n")


class LivingClock(FakeClock):
    """Time in which something happens whenever somebody waits.

    It goes on only when every thread that renews a Lease has done what was due: else a thread that
    the machine is slow to start would lose its Lease in a minute that took no time.

    Attributes:
        happenings: What happens in each second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.happenings: list[Callable[[], None]] = []
        self._due: dict[threading.Thread, float | None] = {}

    def sleep(self, seconds: float) -> None:
        """Let time pass, and things happen."""
        super().sleep(seconds)
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while not self._is_settled() and time.monotonic() < deadline:
                self._changed.wait(0.01)  # the end of a thread does not notify us
        for happen in list(self.happenings):
            happen()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until an event is set, or somebody else let enough time pass; say which."""
        me = threading.current_thread()
        with self._changed:
            until = self._now + seconds
            self._due[me] = until
            self._changed.notify_all()
            while not event.is_set() and self._now < until:
                self._changed.wait(0.01)  # an event does not notify us
            self._due[me] = None
        return event.is_set()

    def _is_settled(self) -> bool:
        renewing = (item for item in threading.enumerate() if item.name.endswith("(_renew)"))
        return all((self._due.get(item) or 0) > self._now for item in renewing)
