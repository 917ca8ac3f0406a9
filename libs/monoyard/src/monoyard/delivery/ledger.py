"""What was done to an environment, step by step, kept where it was done.

Each deployment is one ConfigMap: a header that never changes, and entries that are only ever
added. An entry is written before an effect (intent) and after it (done or failed), so that whoever
reads it after a kill knows what may have happened. Every append replaces the version that was read,
and whoever takes an environment over touches the record that was left open: the earlier holder can
add nothing to it any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from monoyard.delivery.clock import Clock
from monoyard.delivery.cluster import UNREACHABLE, ConflictError, Namespace
from monoyard.delivery.lease import Lease
from monoyard.delivery.objects import (
    CONFIG_MAP,
    DEPLOYMENT_LABEL,
    ENVIRONMENT_LABEL,
    Object,
    new,
)
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError

State = Literal["intent", "done", "failed"]
Outcome = Literal["open", "completed", "went-back", "failed", "abandoned"]

_RECORD_LABEL: Final = "monoyard.dev/record"
_RECORD: Final = "deployment"
_TOKEN: Final = "monoyard.dev/token"  # noqa: S105 - it counts changes of hands, and is no secret
_OUTCOME_STEP: Final = "outcome"
RESTORE: Final = "restore"
# A ConfigMap holds 1 MiB. What is longer belongs to the evidence.
_LONGEST_TEXT: Final = 4000
_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    Attributes:
        step: What is done, such as `migrate:api`.
        state: `intent` before an effect, `done` or `failed` after it.
        at: When, as RFC 3339 in UTC.
        token: Token of the Lease under which it was written.
        facts: What is known of it: names of objects, digests, figures.
    """

    step: str
    state: State
    at: str
    token: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One deployment.

    Attributes:
        number: Its number in the environment; 1 was the first.
        header: What was to be deployed, by whom, and from which plan; it never changes.
        entries: What was done, in order.
        version: Version of the object that it was read from.
        token: Token of the Lease under which it was last written.
        begun: When the cluster took note of it, by its clock, as RFC 3339 in UTC; empty before.
    """

    number: int
    header: Mapping[str, Any]
    entries: tuple[Entry, ...]
    version: str
    token: int
    begun: str = ""

    @property
    def outcome(self) -> Outcome:
        """How it ended; `open` while it did not."""
        for entry in reversed(self.entries):
            if entry.step == _OUTCOME_STEP:
                outcome: Outcome = entry.facts["outcome"]
                return outcome
        return "open"

    @property
    def own(self) -> tuple[Entry, ...]:
        """The entries of the deployment itself."""
        return tuple(entry for entry in self.entries if not _is_restore(entry))

    @property
    def restores(self) -> tuple[Entry, ...]:
        """The entries of what was brought back from backups while it was the newest one."""
        return tuple(filter(_is_restore, self.entries))

    @property
    def failed(self) -> Entry | None:
        """The entry of the deployment's own step that failed first; None while none did."""
        return next((entry for entry in self.own if entry.state == "failed"), None)

    @property
    def failure(self) -> str | None:
        """The step that failed first and why; None while none did."""
        failed = self.failed
        return f"{failed.step}: {failed.facts.get('message', '')}" if failed else None

    def last(self, step: str) -> Entry | None:
        """Return the last entry of a step; None where it was not begun."""
        return next((entry for entry in reversed(self.entries) if entry.step == step), None)

    def done(self, step: str) -> Entry | None:
        """Return the entry that says that a step was done; None where it has yet to be."""
        last = self.last(step)
        return last if last is not None and last.state == "done" else None


class Ledger:
    """The deployments of one environment.

    Args:
        namespace: Where the records lie.
        environment: Name of the environment.
        clock: Waits while the API server does not answer.
        noted: Is told of each record as it was written.
    """

    def __init__(
        self,
        namespace: Namespace,
        environment: str,
        clock: Clock,
        noted: Callable[[Record], None] = lambda _: None,
    ) -> None:
        self._namespace = namespace
        self._environment = environment
        self._clock = clock
        self._noted = noted

    def history(self) -> list[Record]:
        """Return all deployments, the newest first."""
        labels = {ENVIRONMENT_LABEL: self._environment, _RECORD_LABEL: _RECORD}
        found = map(_read, self._namespace.list(CONFIG_MAP, labels))
        return sorted(found, key=lambda record: record.number, reverse=True)

    def highest_token(self) -> int:
        """Return the highest token under which anything was written; 0 where nothing was."""
        return max((record.token for record in self.history()), default=0)

    def read(self, number: int) -> Record:
        """Return a deployment.

        Raises:
            DeliveryError: There is none of this number.
        """
        found = self._namespace.get(CONFIG_MAP, record_name(number))
        if found is None:
            raise DeliveryError(
                f"`{self._environment}` has no deployment {number}",
                code="no-deployment",
                hint=f"`invoke history --env {self._environment}` lists them",
            )
        return _read(found)

    def begin(self, lease: Lease, header: Mapping[str, Any]) -> Record:
        """Begin a deployment; those that were left open are closed as abandoned first.

        Args:
            lease: Held by this runner.
            header: What is to be deployed; JSON.

        Raises:
            LeaseLostError: The environment is not ours any more.
        """
        while True:
            token = lease.check()
            history = self.history()
            for record in history:
                if record.outcome == "open":
                    self.close(lease, record, "abandoned", "another deployment began")
            if any(record.token > token for record in history):
                raise _lost(self._environment)
            number = history[0].number + 1 if history else 1
            thing = self._object(Record(number, header, (), "", token))
            try:
                return self._told(self._namespace.create(CONFIG_MAP, thing))
            except ConflictError:
                continue  # an earlier holder woke up and was quicker: its record is abandoned next

    def append(
        self, lease: Lease, record: Record, step: str, state: State, facts: Mapping[str, Any]
    ) -> Record:
        """Add an entry, and return the record with it.

        Raises:
            LeaseLostError: The environment is not ours any more; nothing was written.
        """
        token = lease.check()
        if record.token > token:
            raise _lost(self._environment)
        entries = (*record.entries, Entry(step, state, _now(), token, facts))
        thing = self._object(replace(record, entries=entries, token=token))
        while True:
            try:
                return self._told(self._namespace.replace(CONFIG_MAP, thing))
            except ConflictError as error:
                found = self._namespace.get(CONFIG_MAP, record_name(record.number))
                # As written: a text that is too long is stored otherwise than it was said.
                if found is None or found["data"] != thing["data"]:
                    raise _lost(self._environment) from error
                return self._told(found)  # our own write, whose answer was lost
            except ClusterError as error:
                if error.code != UNREACHABLE:
                    raise
                # A restart of the API server; the Lease bounds how long we ask.
                self._clock.sleep(_PAUSE_SECONDS)
                lease.check()

    def close(self, lease: Lease, record: Record, outcome: Outcome, reason: str) -> Record:
        """Say how a deployment ended.

        Raises:
            LeaseLostError: The environment is not ours any more; nothing was written.
        """
        facts = {"outcome": outcome, "reason": reason}
        return self.append(lease, record, _OUTCOME_STEP, "done", facts)

    def _told(self, thing: Object) -> Record:
        record = _read(thing)
        self._noted(record)
        return record

    def _object(self, record: Record) -> dict[str, Any]:
        thing = new(
            CONFIG_MAP,
            record_name(record.number),
            labels={
                ENVIRONMENT_LABEL: self._environment,
                DEPLOYMENT_LABEL: str(record.number),
                _RECORD_LABEL: _RECORD,
            },
            annotations={_TOKEN: str(record.token)},
            data={"header": _written(record.header), "entries": _lines(record.entries)},
        )
        if record.version:
            thing["metadata"]["resourceVersion"] = record.version
        return thing


def record_name(number: int) -> str:
    """Return the name of the ConfigMap that keeps a deployment."""
    return f"{_RECORD}-{number}"


def _is_restore(entry: Entry) -> bool:
    return entry.step.startswith(f"{RESTORE}:")


def _read(thing: Object) -> Record:
    data = thing["data"]
    metadata = thing["metadata"]
    return Record(
        number=int(metadata["labels"][DEPLOYMENT_LABEL]),
        header=json.loads(data["header"]),
        entries=tuple(Entry(**json.loads(line)) for line in data["entries"].splitlines()),
        version=str(metadata["resourceVersion"]),
        token=int(metadata["annotations"][_TOKEN]),
        begun=str(metadata["creationTimestamp"]),
    )


def _lines(entries: Iterable[Entry]) -> str:
    return "".join(f"{_written(asdict(entry))}\n" for entry in entries)


def _written(value: Mapping[str, Any]) -> str:
    return json.dumps(_shortened(value), sort_keys=True, separators=(",", ":"))


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return value[:_LONGEST_TEXT] + " ..."
    if isinstance(value, Mapping):
        return {name: _shortened(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(item) for item in value]
    return value


def _lost(environment: str) -> LeaseLostError:
    return LeaseLostError(
        f"another runner took `{environment}` over; nothing was written after that",
        hint=f"`invoke history --env {environment}` shows what it did",
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
