"""A channel that ends as it is told; it keeps the promises that the conformance suite checks."""

from dataclasses import dataclass, field

from eventflow_notifications.delivery import (
    FailedDeliveryError,
    Letter,
    Outcome,
    RefusedDeliveryError,
)


@dataclass
class ScriptedChannel:
    """Ends the next deliveries with `outcomes`, one each, then delivers; keeps what arrived."""

    outcomes: list[Outcome] = field(default_factory=list)
    arrived: list[tuple[Letter, object]] = field(default_factory=list)
    tried: int = 0

    async def deliver(self, letter: Letter, target: object) -> None:
        """Deliver, refuse or fail."""
        self.tried += 1
        match self.outcomes.pop(0) if self.outcomes else "delivered":
            case "refused":
                raise RefusedDeliveryError("refused as told")
            case "failed":
                raise FailedDeliveryError("failed as told")
            case _:
                self.arrived.append((letter, target))
