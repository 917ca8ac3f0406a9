"""What checks of an environment found, in print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from monoyard.diagnosis import Finding
from monoyard.report.words import count

_WIDTH: Final = 7


def diagnosis_lines(
    environment: str, where: str, found: Sequence[tuple[str, Finding]]
) -> Iterator[str]:
    """Yield findings, one a line, below each what helps; the count comes last.

    Args:
        environment: Its name.
        where: Namespace and cluster, in words.
        found: Findings, each with its field.
    """
    yield f"{environment}: {where}"
    width = max((len(item.check) for _, item in found), default=0)
    for _, item in found:
        state = item.state.upper() if item.state == "problem" else item.state
        about = f"{item.about}: " if item.about else ""
        yield f"  {state:{_WIDTH}}  {item.check:{width}}  {about}{item.message}"
        if item.hint and item.state != "ok":
            yield f"  {'':{_WIDTH}}  {'':{width}}  {item.hint}"
    yield _verdict(found)


def diagnosis_data(
    environment: str, where: str, commit: str, found: Sequence[tuple[str, Finding]]
) -> dict[str, Any]:
    """Return the same as data."""
    return {
        "environment": environment,
        "where": where,
        "commit": commit,
        "ready": not any(item.state == "problem" for _, item in found),
        "findings": [{"field": field, **asdict(item)} for field, item in found],
    }


def _verdict(found: Sequence[tuple[str, Finding]]) -> str:
    numbers = {
        state: sum(item.state == state for _, item in found)
        for state in ("problem", "warning", "unknown", "ok")
    }
    said = ", ".join(
        (
            count(numbers["problem"], "problem"),
            count(numbers["warning"], "warning"),
            f"{numbers['unknown']} unknown",
            f"{numbers['ok']} ok",
        )
    )
    return f"{'NOT READY' if numbers['problem'] else 'ready'}: {said}"
