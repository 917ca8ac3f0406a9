"""Who may change an environment: one Lease, held by one runner at a time.

A Lease of Kubernetes (coordination.k8s.io/v1) as its own components use it: the holder renews it,
and whoever wants it waits until it saw no renewal for a whole duration by its *own* clock, so that
clocks need not agree. Every change of hands counts `leaseTransitions` up; that number is the token
that the ledger compares, so that a runner which slept through its expiry can write nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from monoyard.delivery.clock import Clock
from monoyard.delivery.cluster import ConflictError, Namespace
from monoyard.delivery.objects import (
    DEPLOYMENT_LABEL,
    ENVIRONMENT_LABEL,
    JOB,
    LEASE,
    Object,
    labels_of,
    name_of,
    new,
)
from monoyard.errors import ClusterError, LeaseLostError, LockedError

DURATION_SECONDS: Final = 30
_RENEWALS: Final = 6
# What remains at the end of a Lease for stopping: nothing is begun in it.
_MARGIN: Final = 0.3
LEASE_NAME: Final = "deployments"
_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Holder:
    """What a Lease says.

    Attributes:
        name: Who holds it; empty where nobody does.
        token: How often it changed hands.
        duration: Seconds after a renewal at which it expires.
        renewed: When it was renewed, by the holder's clock, as RFC 3339; for people only.
        version: Version of the object: it differs after every renewal.
    """

    name: str
    token: int
    duration: float
    renewed: str
    version: str


_NOBODY: Final = Holder("", 0, 0.0, "", "")


class Lease:
    """The Lease of one environment, as one runner sees it.

    Args:
        namespace: Where it lies.
        environment: Name of the environment.
        holder: Name of this runner, unlike that of any other.
        clock: Says what time it is, and waits.
        duration: Seconds that a renewal lasts.
    """

    def __init__(
        self,
        namespace: Namespace,
        environment: str,
        holder: str,
        clock: Clock,
        duration: int = DURATION_SECONDS,
    ) -> None:
        self._namespace = namespace
        self._environment = environment
        self._holder = holder
        self._clock = clock
        self._duration = duration
        self._expires = 0.0
        self._token = 0
        self._lost = threading.Event()

    def look(self) -> Holder | None:
        """Return what the Lease says; None where there is none yet."""
        found = self._namespace.get(LEASE, LEASE_NAME)
        return read_holder(found) if found is not None else None

    def acquire(
        self,
        patience: float,
        tell: Callable[[str], None],
        adopting: str = "",
        at_least: int = 0,
    ) -> int:
        """Take the Lease; wait for another holder to give it up or to expire.

        Args:
            patience: Seconds to wait at most for others.
            tell: Is told what we wait for, once for each.
            adopting: Number of a deployment whose running Jobs are not waited for: they are ours.
            at_least: The highest token in the ledger, which outlives a Lease that somebody removed.

        Returns:
            The token.

        Raises:
            LockedError: Another runner still holds it, or a Job of it still runs.
        """
        began = self._clock.now()
        watched: Holder | None = None
        since, told = began, ""
        while True:
            asked = self._clock.now()
            found = self._namespace.get(LEASE, LEASE_NAME)
            holder = read_holder(found) if found is not None else _NOBODY
            if watched is None or watched.version != holder.version:
                watched, since = holder, asked
            obstacle = self._obstacle(holder, asked - since, adopting)
            if not obstacle and self._take(found, asked, at_least):
                return self._token
            if obstacle and asked - began >= patience:
                raise LockedError(
                    f"`{self._environment}` cannot be changed now: {obstacle}",
                    context=(f"last renewed at {holder.renewed}",) if holder.name else (),
                    hint="`invoke lease.status` shows who holds it; `timeouts.lock` of the "
                    "environment is how long that is waited for",
                )
            if obstacle and obstacle != told:
                told = obstacle
                tell(obstacle)
            self._clock.sleep(_PAUSE_SECONDS)

    @contextmanager
    def kept(self, on_loss: Callable[[], None]) -> Iterator[None]:
        """Renew the Lease until the block ends, then give it up.

        Args:
            on_loss: Is called once, from another thread, when the Lease cannot be renewed in time:
                it has to stop whatever this runner has under way.
        """
        done = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(done, on_loss), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()
            if not self._lost.is_set():
                self._release()

    def check(self) -> int:
        """Return the token of a Lease that is still ours.

        Raises:
            LeaseLostError: It expired, or will before anything could be done.
        """
        if self._lost.is_set() or self._clock.now() >= self._expires:
            self._lost.set()
            raise LeaseLostError(
                f"this runner no longer holds `{self._environment}`",
                hint="`invoke status` shows who does; `invoke deploy --resume` goes on after it",
            )
        return self._token

    def _take(self, found: Object | None, asked: float, at_least: int) -> bool:
        token = max(at_least, 0 if found is None else read_holder(found).token) + 1
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": self._duration,
            "leaseTransitions": token,
            "acquireTime": _instant(),
            "renewTime": _instant(),
        }
        try:
            if found is None:
                labels = {ENVIRONMENT_LABEL: self._environment}
                self._namespace.create(LEASE, new(LEASE, LEASE_NAME, labels=labels, spec=spec))
            else:
                self._namespace.replace(LEASE, {**found, "spec": spec})
        except ConflictError:
            return False
        self._token = token
        self._extend(asked)
        return True

    def _renew(self, done: threading.Event, on_loss: Callable[[], None]) -> None:
        try:
            self._renew_until(done)
        finally:  # whatever ended it, nobody renews any more
            if not done.is_set():
                self._lost.set()
                on_loss()

    def _renew_until(self, done: threading.Event) -> None:
        while not self._clock.wait(done, self._duration / _RENEWALS):
            asked = self._clock.now()
            try:
                found = self._namespace.get(LEASE, LEASE_NAME)
                if found is None or not self._is_ours(found):
                    return
                spec = {**found["spec"], "renewTime": _instant()}
                self._namespace.replace(LEASE, {**found, "spec": spec})
            except ClusterError:
                if self._clock.now() >= self._expires:
                    return
                continue
            # Counted from before the question: the answer may have been long under way.
            self._extend(asked)

    def _extend(self, asked: float) -> None:
        self._expires = asked + self._duration * (1 - _MARGIN)

    def _is_ours(self, found: Object) -> bool:
        holder = read_holder(found)
        # ast-grep-ignore: token-compared  it counts changes of hands, and is no secret
        return holder.name == self._holder and holder.token == self._token

    def _release(self) -> None:
        """Give it up; where the cluster does not answer it expires by itself."""
        try:
            found = self._namespace.get(LEASE, LEASE_NAME)
            if found is not None and self._is_ours(found):
                spec = {**found["spec"], "holderIdentity": ""}
                self._namespace.replace(LEASE, {**found, "spec": spec})
        except ClusterError:
            return

    def _obstacle(self, holder: Holder, unchanged: float, adopting: str) -> str:
        """Say what stands against taking the Lease; nothing where it is free."""
        if holder.name and unchanged < holder.duration:
            return f"{holder.name} holds it"
        jobs = self._running_jobs(adopting)
        return f"Job {', '.join(jobs)} still runs" if jobs else ""

    def _running_jobs(self, adopting: str) -> list[str]:
        """Return the Jobs of other deployments that may still be writing."""
        jobs = self._namespace.list(JOB, {ENVIRONMENT_LABEL: self._environment})
        return [
            name_of(job)
            for job in jobs
            if labels_of(job).get(DEPLOYMENT_LABEL, adopting) != adopting and not _is_finished(job)
        ]


def read_holder(found: Object) -> Holder:
    """Return what a Lease says."""
    spec: Mapping[str, Any] = found["spec"]
    return Holder(
        name=str(spec.get("holderIdentity") or ""),
        token=int(spec.get("leaseTransitions") or 0),
        duration=float(spec.get("leaseDurationSeconds") or DURATION_SECONDS),
        renewed=str(spec.get("renewTime") or ""),
        version=str(found["metadata"]["resourceVersion"]),
    )


def _is_finished(job: Object) -> bool:
    conditions = job.get("status", {}).get("conditions") or ()
    return any(
        item.get("type") in ("Complete", "Failed") and item.get("status") == "True"
        for item in conditions
    )


def _instant() -> str:
    """Return now, as Kubernetes writes a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
