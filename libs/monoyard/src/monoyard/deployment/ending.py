"""How a deployment ended, for whoever asked for it."""

from __future__ import annotations

from monoyard.delivery import Record
from monoyard.deployment.watching import INCONCLUSIVE
from monoyard.errors import DeliveryError, InconclusiveError


def ended(record: Record) -> Record:
    """Return a completed record.

    Raises:
        DeliveryError: It went back, or failed before there was anything to go back from.
        InconclusiveError: It went back because its gates had too little to go by.
    """
    if record.outcome == "completed":
        return record
    if record.last("nothing-sent") is not None:
        raise _not_begun(record)
    evidence = record.last("evidence")
    lines = evidence.facts.get("lines", ()) if evidence else ()
    facts = record.failed.facts if record.failed is not None else {}
    is_unclear = facts.get("code") == INCONCLUSIVE
    raise (InconclusiveError if is_unclear else DeliveryError)(
        f"deployment {record.number} failed and went back: {record.failure}",
        code="went-back",
        context=(*facts.get("context", ()), *lines),
        hint="`invoke history --json` has every step; `--again` deploys the same images",
    )


def _not_begun(record: Record) -> DeliveryError:
    """Return how a deployment ended that failed before anything was sent."""
    facts = record.failed.facts if record.failed is not None else {}
    return DeliveryError(
        f"deployment {record.number} ended before anything was rolled out: {record.failure}",
        code=str(facts.get("code") or "not-begun"),
        context=tuple(facts.get("context") or ()),
        hint=facts.get("hint"),
    )
