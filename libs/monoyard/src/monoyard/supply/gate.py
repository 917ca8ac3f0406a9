"""Whether an environment accepts what scanners found: today's policy, today's exceptions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from monoyard.config.policy import EnvironmentPolicy, PolicyException
from monoyard.results import SEVERITIES, SecurityFinding


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding, and what becomes of it.

    Attributes:
        finding: The finding.
        is_refused: The environment does not accept it.
        reason: Why, in words.
    """

    finding: SecurityFinding
    is_refused: bool
    reason: str


def judge(
    findings: Iterable[SecurityFinding],
    accepts: EnvironmentPolicy,
    exceptions: Iterable[PolicyException],
    today: datetime.date,
) -> tuple[Judged, ...]:
    """Return every finding with what becomes of it.

    Args:
        findings: What was found.
        accepts: What the environment accepts.
        exceptions: What is accepted for a while; one that has expired refuses by itself.
        today: The day that exceptions are held against.
    """
    exceptions = tuple(exceptions)
    return tuple(_judge(finding, accepts, exceptions, today) for finding in findings)


def _judge(
    finding: SecurityFinding,
    accepts: EnvironmentPolicy,
    exceptions: tuple[PolicyException, ...],
    today: datetime.date,
) -> Judged:
    said = finding.severity or "severity unknown, held as high"
    if accepts.fail_at is None:
        return Judged(finding, False, f"{said}; the environment refuses nothing")
    if finding.weight < SEVERITIES.index(accepts.fail_at):
        return Judged(finding, False, f"{said}, below {accepts.fail_at}")
    if accepts.only_fixable and not finding.can_be_mended:
        return Judged(finding, False, f"{said}, and no version mends it")
    matching = [item for item in exceptions if _covers(item, finding)]
    for item in matching:
        if item.expires is not None and item.expires >= today:
            reason = f"{said}; accepted by {item.owner} until {item.expires}: {item.reason}"
            return Judged(finding, False, reason)
    if matching:
        last = max(item.expires for item in matching if item.expires is not None)
        return Judged(finding, True, f"{said}; the exception expired on {last}")
    return Judged(finding, True, said)


def _covers(item: PolicyException, finding: SecurityFinding) -> bool:
    """Say whether an exception is about a finding, in every image that it is in."""
    if item.advisory not in finding.ids:
        return False
    if item.package and item.package != finding.package:
        return False
    # What is in no image is not in one of these either.
    return not item.images or (bool(finding.images) and set(finding.images) <= set(item.images))
