"""What a Job says while it runs, and what its end means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from monoyard.delivery import Object
from monoyard.deployment.jobs import Wanted
from monoyard.errors import DeliveryError

_LINES_TOLD: Final = 20
_QUIET: Final = frozenset({"locked", "heads"})
_UNTOLD: Final = frozenset({"event", "sha256"})
_LATE: Final = "DeadlineExceeded"


@dataclass
class Log:
    """What the program says, as far as it could be read: a pod may be removed with its log.

    Attributes:
        service: Whose Job it is.
        tell: Is told each event once.
    """

    service: str
    tell: Callable[[str], None]
    lines: list[str] = field(default_factory=list)
    last_said: str = ""
    told: int = 0

    def read(self, text: str) -> None:
        """Take what a container printed so far."""
        lines = text.splitlines()
        if len(lines) >= len(self.lines):
            self.lines = lines
        events = list(self.events)
        for event in events[self.told :]:
            if event["event"] not in _QUIET:
                self.tell(f"{self.service}: {_event_words(event)}")
        self.told = max(self.told, len(events))

    def say(self, words: str) -> None:
        """Tell something that is no event, unless it was said last."""
        if words != self.last_said:
            self.last_said = words
            self.tell(f"{self.service}: {words}")

    @property
    def events(self) -> Iterator[dict[str, Any]]:
        """What is an event; `env.py` and Python itself print beside them."""
        for line in self.lines:
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and "event" in event:
                    yield event

    def last(self, name: str) -> dict[str, Any]:
        """Return the last event of a name; empty where there is none."""
        return next((item for item in reversed(list(self.events)) if item["event"] == name), {})

    @property
    def migrated(self) -> dict[str, Any]:
        """What a migration did, for the ledger."""
        applied = [item.get("revision") for item in self.events if item["event"] == "applied"]
        done = self.last("done")
        return {"applied": applied, **({"head": done["revision"]} if "revision" in done else {})}

    def evidence(self, wanted: Wanted) -> tuple[str, ...]:
        """Return what stays applied, and the last lines, for people and the ledger."""
        applied = ", ".join(map(str, self.migrated["applied"])) if wanted.role.is_kept else ""
        first = (f"stays applied: {applied}",) if applied else ()
        return (*first, *self.lines[-_LINES_TOLD:])


def ending_of(job: Object) -> Mapping[str, Any] | None:
    """Return how a Job ended; None while it did not."""
    for item in (job.get("status") or {}).get("conditions") or ():
        if item.get("type") in ("Complete", "Failed") and item.get("status") == "True":
            found: Mapping[str, Any] = item
            return found
    return None


def failure_of(
    wanted: Wanted, ended: Mapping[str, Any], pods: Iterable[Object], log: Log
) -> DeliveryError:
    """Return what the failure of a Job comes to, in the program's own words.

    Args:
        wanted: The Job.
        ended: The condition by which the Job ended.
        pods: Its pods.
        log: What was read of them.
    """
    if ended.get("reason") == _LATE:
        return late(wanted, log.evidence(wanted))
    failed = log.last("failed")
    words = failed.get("message") or ended.get("message") or "it does not say why"
    said: int | None = failed.get("status")
    status = said or next((code for pod in pods for code in _statuses(wanted, pod)), None)
    with_status = f" (status {status})" if status else ""
    return DeliveryError(
        f"{wanted.role.noun} failed{with_status}: {words}",
        code=f"{wanted.role.code}-failed",
        context=log.evidence(wanted) or tuple(reasons_of(pods)),
        hint=wanted.role.hints.get(
            status or 0, f"`kubectl logs job/{wanted.name} --all-containers` has all that it said"
        ),
    )


def late(wanted: Wanted, lines: Iterable[str]) -> DeliveryError:
    """Return what it comes to that a Job took too long; arguments as of `failure_of`."""
    return DeliveryError(
        f"Job {wanted.name} did not end in {wanted.seconds:.0f} s",
        code=f"{wanted.role.code}-late",
        context=tuple(lines),
        hint=f"`{wanted.role.setting}` of the environment is how long it may take",
    )


def _containers(pod: Object) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status") or {}
    for kind in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(kind) or ()


def _statuses(wanted: Wanted, pod: Object) -> Iterator[int]:
    for item in _containers(pod):
        if item["name"] not in wanted.role.containers:
            continue  # a server that was ended with its pod
        ended = (item.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            yield int(ended["exitCode"])


def reasons_of(pods: Iterable[Object]) -> Iterator[str]:
    """Yield why pods do not run."""
    for pod in pods:
        status = pod.get("status") or {}
        for item in _containers(pod):
            waiting = (item.get("state") or {}).get("waiting") or {}
            if waiting.get("message"):
                yield f"its pod waits: {waiting.get('reason')}: {waiting['message']}"
        for item in status.get("conditions") or ():
            if item.get("type") == "PodScheduled" and item.get("status") == "False":
                yield f"its pod waits: {item.get('message') or item.get('reason')}"


def _event_words(event: Mapping[str, Any]) -> str:
    rest = (
        f"{name} {value}"
        for name, value in event.items()
        if name not in _UNTOLD and value and not isinstance(value, dict)
    )
    return " ".join((str(event["event"]), *rest))
