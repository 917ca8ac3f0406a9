"""What a check finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from monoyard.errors import (
    ClusterError,
    ConfigurationError,
    DeliveryError,
    MachineError,
    MonoyardError,
    RegistryError,
)

State = Literal["ok", "warning", "problem", "unknown"]
"""`problem`: a deployment would be refused, or would fail; `warning`: it may; `unknown`: it cannot
be found out from here."""

FIELDS: Final[Mapping[str, type[MonoyardError]]] = {
    "machine": MachineError,
    "configuration": ConfigurationError,
    "cluster": ClusterError,
    "registry": RegistryError,
    "delivery": DeliveryError,
}
"""What a check is about, with the error whose exit code stands for it; the first one counts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check finds.

    Attributes:
        check: Name of the check.
        state: Whether it matters.
        message: One sentence.
        hint: What helps.
        about: The service that it is about; empty for all.
    """

    check: str
    state: State
    message: str
    hint: str = ""
    about: str = ""


def demand_ready(environment: str, found: Iterable[tuple[str, Finding]]) -> None:
    """See that nothing is a problem.

    Args:
        environment: Its name.
        found: Findings, each with its field.

    Raises:
        MonoyardError: Something is; of the kind of the first field that has a problem.
    """
    problems = [(field, item) for field, item in found if item.state == "problem"]
    if not problems:
        return
    fields = {field for field, _ in problems}
    kind = next(error for field, error in FIELDS.items() if field in fields)
    raise kind(
        f"`{environment}` is not ready for a deployment",
        code="not-ready",
        context=tuple(f"{item.check}: {item.message}" for _, item in problems),
    )
