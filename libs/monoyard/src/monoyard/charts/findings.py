"""What is wrong with a chart or its values, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChartFinding:
    """One fault.

    Attributes:
        rule: Which check found it.
        environment: Name of the environment.
        service: Name of the service; empty for what the environment has once.
        thing: The object, such as `Rollout/api`; empty where there is none.
        field: Path in the object; empty for the object as a whole.
        message: What is wrong.
    """

    rule: str
    environment: str
    service: str
    thing: str
    field: str
    message: str

    def __str__(self) -> str:
        """Return it as a line."""
        place = f"{self.environment}/{self.service or 'environment'}"
        spot = " ".join(word for word in (self.thing, self.field) if word)
        return f"{place}: {f'{spot}: ' if spot else ''}{self.message} [{self.rule}]"
