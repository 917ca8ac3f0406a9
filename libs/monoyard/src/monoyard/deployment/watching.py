"""Looks on while services move to what was sent, and says when they are there or will not be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from monoyard.delivery import UNREACHABLE, Clock, Namespace
from monoyard.delivery.rollouts import ROLLOUT, Phase, go_on
from monoyard.delivery.workloads import HELD, Workload, read_workloads
from monoyard.errors import ClusterError, DeliveryError

_PAUSE_SECONDS: Final = 1.0
_FIRST_WORD_SECONDS: Final = 15.0
_FAILED: Final[frozenset[Phase]] = frozenset({"gone-back", "bad"})
THERE: Final[frozenset[Phase]] = frozenset({"standing", "completed"})
"""Phases in which the new version serves."""
DONE: Final[frozenset[Phase]] = frozenset({"completed"})
INCONCLUSIVE: Final = "inconclusive"
"""Code of the error that a gate had too little to go by for too long."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Looks on.

    Attributes:
        namespace: Where the services run.
        clock: Says what time it is, and waits.
        alive: Raises LeaseLostError where nothing may be done any more.
        tell: Is told whatever changes, in words.
        seconds: How long services may take, besides the time that a person holds one.
        pause: Seconds that an inconclusive gate may hold one, likewise.
    """

    namespace: Namespace
    clock: Clock
    alive: Callable[[], object]
    tell: Callable[[str], None]
    seconds: float
    pause: float

    def until(
        self,
        services: Collection[str],
        phases: Collection[Phase],
        others: Collection[str] = (),
        forgiven: Collection[Phase] = (),
    ) -> tuple[Workload, ...]:
        """Wait until every workload of services is in one of some phases.

        Args:
            services: Names of the services.
            phases: Where they are to get.
            others: Services of the same release: if one of them fails, all do.
            forgiven: Phases that are no failure here: what was aborted is still where it was when
                the specification before it is sent again.

        Returns:
            The workloads of the services, as they are then.

        Raises:
            DeliveryError: One failed, takes too long, or nobody can tell how it does.
            LeaseLostError: The environment is not ours any more.
        """
        began = now = self.clock.now()
        unclear: float | None = None
        told: dict[str, str] = {}
        seen: dict[str, tuple[str, int, float]] = {}
        while True:
            self.alive()
            found = self._look(began)
            watched = [item for item in found if item.service in services]
            for item in watched:
                self._tell(item, told)
            for item in found:
                if item.service in {*services, *others} and item.phase in _FAILED - set(forgiven):
                    raise _failed(item)
            if all(item.phase in phases for item in watched):
                return tuple(watched)
            before, now = now, self.clock.now()
            if any(item.is_held for item in watched):
                began += now - before
                unclear = None
            for item in watched:
                self._check_progress(item, seen)
            doubtful = [item for item in watched if item.phase == "inconclusive"]
            unclear = (unclear or now) if doubtful else None
            if unclear is not None and now - unclear >= self.pause:
                raise _inconclusive(doubtful[0], self.pause)
            if now - began >= self.seconds:
                raise _late([item for item in watched if item.phase not in phases], self.seconds)
            self.clock.sleep(_PAUSE_SECONDS)

    def _look(self, began: float) -> tuple[Workload, ...]:
        """Return what runs; an API server that starts anew is waited for."""
        while True:
            try:
                return read_workloads(self.namespace)
            except ClusterError as error:
                if error.code != UNREACHABLE or self.clock.now() - began >= self.seconds:
                    raise
                self.clock.sleep(_PAUSE_SECONDS)
                self.alive()

    def _check_progress(self, item: Workload, seen: dict[str, tuple[str, int, float]]) -> None:
        """See that a workload's pods get on.

        Argo Rollouts does that itself, but not while pods of a version that was aborted before are
        still kept (argoproj/argo-rollouts 1.10, `isWaitingForReplicaSetScaleDown`): that is the
        very time in which the next attempt is made. It gets the first word.

        Raises:
            DeliveryError: They do not.
        """
        if item.phase != "progressing" or item.deadline is None:
            seen.pop(item.name, None)
            return
        now = self.clock.now()
        *sign, since = seen.get(item.name, ("", 0, now))
        if sign != [item.progressed, item.step]:
            since = now
        seen[item.name] = (item.progressed, item.step, since)
        if now - since >= item.deadline + _FIRST_WORD_SECONDS:
            raise _stuck(item, now - since)

    def _tell(self, item: Workload, told: dict[str, str]) -> None:
        name = f"{item.kind}/{item.name}"
        words = describe(item)
        if told.get(name) != words:
            told[name] = words
            self.tell(f"{name} {words}")


def describe(item: Workload) -> str:
    """Return where a workload is, in words."""
    parts: list[str] = [item.phase]
    if item.steps and item.phase not in DONE:
        parts.append(f"step {item.step} of {item.steps}")
    if item.weight is not None and item.phase not in DONE:
        parts.append(f"{item.weight} % of traffic")
    parts.append(f"{item.pods} ready")
    if item.is_held:
        parts.append(HELD)
    return ", ".join(parts)


def end_pauses(watcher: Watcher, services: Collection[str]) -> None:
    """Have every rollout of services go on that stands at its end."""
    for item in read_workloads(watcher.namespace):
        if item.kind == ROLLOUT.name and item.service in services and item.phase == "standing":
            go_on(watcher.namespace, item.name)


def _failed(item: Workload) -> DeliveryError:
    how = "went back" if item.phase == "gone-back" else "failed"
    return DeliveryError(
        f"{item.service}: {item.kind}/{item.name} {how}: {item.message or 'it does not say why'}",
        code="rollout-failed",
    )


def _stuck(item: Workload, seconds: float) -> DeliveryError:
    return DeliveryError(
        f"{item.service}: the pods of {item.kind}/{item.name} did not get on for {seconds:.0f} s",
        code="rollout-failed",
        context=(item.message,) if item.message else (),
        hint="`strategy.progressDeadlineSeconds` of its values is how long that may last",
    )


def _inconclusive(item: Workload, seconds: float) -> DeliveryError:
    return DeliveryError(
        f"{item.service}: the gates of {item.name} had too little to go by for {seconds:.0f} s",
        code=INCONCLUSIVE,
        context=(item.message,) if item.message else (),
        hint="`max-pause` of the environment is how long that may last",
    )


def _late(items: Iterable[Workload], seconds: float) -> DeliveryError:
    where = (f"{item.kind}/{item.name}: {describe(item)} {item.message}" for item in items)
    return DeliveryError(
        f"not there after {seconds:.0f} s",
        code="rollout-late",
        context=tuple(line.strip() for line in where),
        hint="`timeouts.rollout` of the environment is how long it may take",
    )
