"""Which deployment can be gone on with, and what was asked for when it was planned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from monoyard.delivery import Ledger, Record
from monoyard.deployment.plan import Request
from monoyard.errors import DeliveryError

_RESUMABLE: Final = ("open", "failed")


def open_record(ledger: Ledger, environment: str) -> Record:
    """Return the deployment that was begun last and not ended.

    Raises:
        DeliveryError: There is none.
    """
    return _newest(ledger, environment, ("open",))


def resumable_record(ledger: Ledger, environment: str) -> Record:
    """Return the deployment that was begun last, and not ended or not taken back.

    Raises:
        DeliveryError: There is none.
    """
    return _newest(ledger, environment, _RESUMABLE)


def _newest(ledger: Ledger, environment: str, outcomes: Collection[str]) -> Record:
    history = ledger.history()
    if history and history[0].outcome in outcomes:
        return history[0]
    raise DeliveryError(
        f"no deployment to `{environment}` waits to be resumed",
        code="nothing-open",
        hint=f"`invoke history --env {environment}` shows how they ended",
    )


def request_of(record: Record, environment: str) -> Request:
    """Return what was asked for when a deployment was planned.

    Raises:
        DeliveryError: The record is of a rollback.
    """
    said: Mapping[str, Any] | None = record.header.get("request")
    if said is None:
        again = f"`invoke rollback --env {environment} --to {record.header.get('to')}`"
        raise DeliveryError(
            f"deployment {record.number} is a rollback that did not come to its end",
            code="open-rollback",
            hint=f"{again} goes on with it",
        )
    return Request(**{**said, "services": tuple(said["services"])})
