"""Runs a Job of a deployment: made once whoever makes it, adopted, waited for, and read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from monoyard.config.environment_values import Timeouts
from monoyard.delivery import UNREACHABLE, Clock, ConflictError, Namespace, Object
from monoyard.delivery.objects import JOB, POD, name_of
from monoyard.deployment.job_log import Log, ending_of, failure_of, late, reasons_of
from monoyard.deployment.job_pods import JobObjects
from monoyard.deployment.jobs import BEGAN, Wanted
from monoyard.deployment.tidying import sweep, tidy
from monoyard.errors import ClusterError, DeliveryError

Result = TypeVar("Result")

_PAUSE_SECONDS: Final = 1.0
# Over what the Job itself is given, so that it ends by itself and says why.
_GRACE_SECONDS: Final = 60.0
# Of a first installation with a long history there are some thousand.
_LINES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Runs:
    """Under what Jobs run.

    Attributes:
        namespace: Where they run.
        clock: Says what time it is, and waits.
        alive: Raises LeaseLostError where nothing may be done any more.
        tell: Is told what a Job says, in words.
        timeouts: How long one may take.
    """

    namespace: Namespace
    clock: Clock
    alive: Callable[[], object]
    tell: Callable[[str], None]
    timeouts: Timeouts


@dataclass(frozen=True, slots=True)
class JobRun:
    """One Job.

    It bears number and service in its name, so that there is one whoever makes it; it goes on when
    the runner dies, and whoever resumes finds it. It is kept: its log is the evidence.

    Attributes:
        wanted: What it is called.
        image: Image of the container that ends it.
        runs: Under what it runs.
    """

    wanted: Wanted
    image: str
    runs: Runs

    def do(self, make: Callable[[], JobObjects]) -> Log:
        """Make the Job, or find it, and wait for its end; return what it said.

        Args:
            make: Returns what is made where there is no Job, after it has seen that it may be.

        Raises:
            ClusterError: The cluster does not take the Job.
            DeliveryError: It failed, took too long, or is gone.
            LeaseLostError: The environment is not ours any more; the Job goes on.
        """
        namespace = self.runs.namespace
        began = self.runs.clock.now()
        job = self._asked(began, lambda: namespace.get(JOB, self.wanted.name))
        if job is None:
            self._asked(began, lambda: _make(namespace, self._made(make)))
        else:
            self._check_ours(job)
        return self._wait(began)

    def _made(self, make: Callable[[], JobObjects]) -> JobObjects:
        things = make()
        (sweep if self.wanted.run else tidy)(self.runs.namespace, self.wanted)
        if not self.wanted.began:
            return things
        metadata = things.job["metadata"]
        said = {**(metadata.get("annotations") or {}), BEGAN: self.wanted.began}
        return replace(things, job={**things.job, "metadata": {**metadata, "annotations": said}})

    def _wait(self, began: float) -> Log:
        wanted, runs = self.wanted, self.runs
        log = Log(wanted.service, runs.tell)
        while True:
            job, pods = self._asked(began, lambda: _look(runs.namespace, wanted, log))
            if job is None:
                raise DeliveryError(
                    f"somebody removed Job {wanted.name} while it ran",
                    code=f"{wanted.role.code}-vanished",
                    context=log.evidence(wanted),
                    hint="deploy again: a migration that was applied is not applied twice",
                )
            ended = ending_of(job)
            if ended is not None:
                if ended["type"] == "Complete":
                    return log
                raise failure_of(wanted, ended, pods, log)
            if runs.clock.now() - began >= wanted.seconds + _GRACE_SECONDS:
                raise late(wanted, (*reasons_of(pods), *log.evidence(wanted)))
            for reason in reasons_of(pods):
                log.say(reason)
            runs.clock.sleep(_PAUSE_SECONDS)

    def _asked(self, began: float, ask: Callable[[], Result]) -> Result:
        """Ask; an API server that starts anew is waited for."""
        while True:
            self.runs.alive()
            try:
                return ask()
            except ClusterError as error:
                waited = self.runs.clock.now() - began
                if error.code != UNREACHABLE or waited >= self.wanted.seconds + _GRACE_SECONDS:
                    raise
                self.runs.clock.sleep(_PAUSE_SECONDS)

    def _check_ours(self, job: Object) -> None:
        """See that a Job of our name runs what is wanted, and is not of a record that is gone."""
        found = str(job["spec"]["template"]["spec"]["containers"][0].get("image") or "")
        if found != self.image:
            raise self._of_another("image", f"it runs {found}", f"wanted is {self.image}")
        began = (job["metadata"].get("annotations") or {}).get(BEGAN, "")
        if began != self.wanted.began:
            of = f"it is of a deployment that began at {began or 'nobody knows when'}"
            raise self._of_another("deployment", of, f"this one began at {self.wanted.began}")

    def _of_another(self, what: str, *context: str) -> DeliveryError:
        return DeliveryError(
            f"there is a Job {self.wanted.name} already, of another {what}",
            code=f"{self.wanted.role.code}-vanished",
            context=context,
            hint="the ledger was removed, and numbers began anew: remove the Job",
        )


def _make(namespace: Namespace, things: JobObjects) -> None:
    for kind, thing in things.ahead:
        namespace.apply(kind, thing)
    # An answer may have been lost: then it is there.
    with suppress(ConflictError):
        namespace.create(JOB, things.job)


def _look(namespace: Namespace, wanted: Wanted, log: Log) -> tuple[Object | None, list[Object]]:
    # First the Job: once it ended, its pod says nothing more than what is read now.
    job = namespace.get(JOB, wanted.name)
    pods = namespace.list(POD, wanted.labels)
    for pod in pods:
        log.read("".join(_said(namespace, pod, name) for name in wanted.role.containers))
    return job, pods


def _said(namespace: Namespace, pod: Object, container: str) -> str:
    try:
        return namespace.log(name_of(pod), container, _LINES)
    except ClusterError as error:
        if error.code == UNREACHABLE:
            raise  # and ask again: what it said last must not be missed
        return ""
