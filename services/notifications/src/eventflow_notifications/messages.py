"""What is said over HTTP: the bodies of requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from eventflow_notifications.delivery import ChannelName, Outcome
from eventflow_notifications.email_channel import EmailTarget
from eventflow_notifications.notifier import AnyTarget, Notification
from eventflow_notifications.webhook_channel import WebhookTarget

EmailAddress = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f,;<>()\"]+@[A-Za-z0-9.-]+$")
]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$")]
ValueName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Words = Annotated[str, StringConstraints(max_length=2000)]
Number = Annotated[int, Field(ge=-(2**53), le=2**53, strict=True)]


class Message(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(frozen=True)


class EmailDestination(Message):
    """Someone to write to."""

    channel: Literal["email"]
    address: EmailAddress

    def target(self) -> AnyTarget:
        """Return the target that is meant."""
        return EmailTarget(self.address)


class WebhookDestination(Message):
    """A system to tell; the body it gets is signed."""

    channel: Literal["webhook"]
    url: Url

    def target(self) -> AnyTarget:
        """Return the target that is meant."""
        return WebhookTarget(self.url)


Destination = Annotated[EmailDestination | WebhookDestination, Field(discriminator="channel")]


class NewNotification(Message):
    """Something to say, and to whom."""

    template: str = Field(max_length=100, description="Such as `order-placed`")
    values: dict[ValueName, Words | Number] = Field(
        max_length=50, description="What the template needs; webhooks get it as it is"
    )
    destinations: list[Destination] = Field(min_length=1, max_length=10)

    def notification(self) -> Notification:
        """Return the notification that is meant."""
        targets = tuple(destination.target() for destination in self.destinations)
        return Notification(self.template, dict(self.values), targets)


class DestinationResult(Message):
    """How the delivery to one destination ended."""

    channel: ChannelName
    outcome: Outcome = Field(
        description="`refused` will never succeed; `failed` may, when it is sent again"
    )
    attempts: int = Field(description="How often it was tried during the request that settled it")
    reason: str | None = Field(description="Why it was not delivered")


class NotificationResult(Message):
    """How the deliveries ended, in the order of the destinations."""

    settled: bool = Field(description="False: send it again with the same key, later")
    results: list[DestinationResult]
