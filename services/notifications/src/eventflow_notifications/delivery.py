"""The words of a delivery: what is sent, how it ends, and what a channel is.

DeliveryError
├── RefusedDeliveryError    will never succeed: sending the same again is useless
└── FailedDeliveryError     may succeed later
"""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

ChannelName = Literal["email", "webhook"]
Outcome = Literal["delivered", "refused", "failed"]

Target_contra = TypeVar("Target_contra", contravariant=True)


class DeliveryError(Exception):
    """A message did not arrive; the text tells why, without naming a person or an address."""


class RefusedDeliveryError(DeliveryError):
    """The receiver, or we, will never accept this message."""


class FailedDeliveryError(DeliveryError):
    """The message may arrive when it is sent again later."""


@dataclass(frozen=True)
class Letter:
    """What is to be delivered.

    `delivery_id` is the same each time this letter is sent to this target, so that a receiver can
    drop a repeated one. `subject` is one line; `data` is what the texts were made from.
    """

    delivery_id: str
    template: str
    subject: str
    text: str
    html: str
    data: dict[str, str | int]


class Channel(Protocol[Target_contra]):
    """One way to reach someone."""

    async def deliver(self, letter: Letter, target: Target_contra) -> None:
        """Deliver once, or raise RefusedDeliveryError or FailedDeliveryError."""


@dataclass(frozen=True)
class ChannelResult:
    """How the delivery through one channel ended, after how many attempts in all."""

    channel: ChannelName
    outcome: Outcome
    attempts: int
    reason: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether sending again would change nothing."""
        return self.outcome != "failed"
