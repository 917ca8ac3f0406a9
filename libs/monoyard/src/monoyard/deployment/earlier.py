"""What an environment was after an earlier deployment, by the ledger and Helm's record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monoyard.delivery import Ledger, Record
from monoyard.deployment.releases import Releases
from monoyard.errors import DeliveryError

_UPGRADE: Final = "upgrade:"
_SENDING: Final = ("upgrade", "back")
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an environment was.

    Attributes:
        environment: Its name.
        number: The deployment after which it was so.
        commit: What was deployed then.
        revisions: Service to Helm's revision of then, of those that have another one now.
        left: Services that were not there then; they stay as they are.
    """

    environment: str
    number: int
    commit: str
    revisions: Mapping[str, int]
    left: tuple[str, ...]


def find_earlier(ledger: Ledger, releases: Releases, environment: str, number: int) -> Earlier:
    """Return what an environment was after a deployment.

    Args:
        ledger: What was done to it.
        releases: What Helm sent.
        environment: Its name.
        number: Number of the deployment; 0 for the completed one before the present state.

    Raises:
        DeliveryError: There is no such deployment, it was not completed, Helm forgot it, or a
            database does not fit it any more.
    """
    history = ledger.history()
    target = _target(history, environment, number)
    then = _revisions(record for record in history if record.number <= target.number)
    now = _revisions(history, with_begun=True)
    found, left = {}, []
    for name in now:
        if name not in then or not then[name]:
            left.append(name)
            continue
        kept = {item.revision for item in releases.history(name)}
        if then[name] not in kept:
            raise DeliveryError(
                f"Helm no longer has revision {then[name]} of {name}",
                code="forgotten",
                context=(f"it has {', '.join(map(str, sorted(kept))) or 'none'}",),
                hint="`invoke deploy --commit SHA --allow-older` deploys what it was made from",
            )
        if then[name] != now[name]:
            found[name] = then[name]
    _check_fits([record for record in history if record.number > target.number], found)
    commit = str(target.header.get("commit") or "")
    return Earlier(environment, target.number, commit, found, tuple(left))


def _target(history: Sequence[Record], environment: str, number: int) -> Record:
    completed = [record for record in history if record.outcome == "completed"]
    if number:
        for record in completed:
            if record.number == number:
                return record
        known = ", ".join(str(record.number) for record in completed) or "none"
        raise DeliveryError(
            f"`{environment}` has no completed deployment {number}",
            code="no-deployment", context=(f"completed: {known}",),
            hint=f"`invoke history --env {environment}` lists them",
        )  # fmt: skip
    half_sent = [record for record in history if _is_half_sent(record)]
    if completed and half_sent and half_sent[0].number > completed[0].number:
        return completed[0]
    present = _went_to(completed) if completed else 0
    for record in completed:
        if record.number < present:
            return record
    raise DeliveryError(
        f"`{environment}` has no earlier completed deployment",
        code="no-deployment", hint=f"`invoke history --env {environment}` lists them",
    )  # fmt: skip


def _went_to(completed: Sequence[Record]) -> int:
    """Return the deployment whose state there is now: back from a rollback is back from that one.

    Any other rollback is a state like those of deployments. What it went back from is none to
    return to: somebody had a reason.
    """
    numbers = {record.number: record.header.get("to") for record in completed}
    number = completed[0].number
    while (to := numbers.get(number)) is not None:
        number = int(to)
    return number


def is_below_floor(record: Record, service: str) -> bool:
    """Say whether a deployment migrated to where what a service ran before cannot live with it."""
    said = (record.header.get("services") or {}).get(service) or {}
    is_raised = bool(said.get("floors")) and bool(said.get("base"))
    return is_raised and record.done(f"migrate:{service}") is not None


def _check_fits(later: Iterable[Record], services: Iterable[str]) -> None:
    """See that no migration since raised the floor over a service that would go back.

    Raises:
        DeliveryError: One did.
    """
    for record in later:
        for name in services:
            if is_below_floor(record, name):
                floors = record.header["services"][name]["floors"]
                why = [f"{revision}: {reason}" for revision, reason in floors.items()]
                raise DeliveryError(
                    f"deployment {record.number} migrated the database of {name} to where the "
                    "earlier version cannot live with it",
                    code="does-not-fit",
                    context=tuple(why),
                    hint=f"`--to {record.number}` still fits if it was completed; "
                    "`invoke deploy --commit SHA --allow-older` deploys all the same",
                )


def _is_half_sent(record: Record) -> bool:
    """Say whether a deployment sent something, and neither came to its end nor went back."""
    is_sent = any(entry.step.startswith(_UPGRADE) for entry in record.entries)
    return is_sent and record.outcome in ("open", "failed", "abandoned")


def _revisions(records: Iterable[Record], *, with_begun: bool = False) -> dict[str, int]:
    """Return the revision that each service had after some deployments; 0 where it was removed.

    Args:
        records: The deployments.
        with_begun: Count what was begun and not done as a revision of its own: nobody knows
            whether Helm was called.
    """
    found: dict[str, int] = {}
    for record in sorted(records, key=lambda item: item.number):
        for entry in record.entries:
            verb, _, name = entry.step.partition(":")
            if entry.state != "done":
                if with_begun and verb in _SENDING:
                    found[name] = _UNKNOWN
            elif verb in _SENDING:
                found[name] = int(entry.facts.get("revision") or 0)
            elif verb == "remove":
                found[name] = 0
    return found
