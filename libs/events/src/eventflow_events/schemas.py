"""The events themselves. A published version never changes: a new need is a new version.

A class `OrderPlacedV2` is version 2 of type `order.placed`. How an older version becomes the
current one is written in `upgrades`.
"""

from typing import Literal

from pydantic import Field

from eventflow_events.envelope import Envelope
from eventflow_events.fields import Content, EmailAddress, Identifier, Money, Text


class UserRegisteredDataV1(Content):
    """A person has an account."""

    user_id: Identifier
    email: EmailAddress


class UserRegisteredV1(Envelope):
    """A person registered."""

    type: Literal["user.registered"]
    version: Literal[1]
    data: UserRegisteredDataV1


class UserRegisteredDataV2(Content):
    """A person has an account on a plan."""

    user_id: Identifier
    email: EmailAddress
    plan: Literal["free", "team", "business"]


class UserRegisteredV2(Envelope):
    """A person registered for a plan."""

    type: Literal["user.registered"]
    version: Literal[2]
    data: UserRegisteredDataV2


class OrderPlacedDataV1(Content):
    """An order, its total always in euro."""

    order_id: Identifier
    email: EmailAddress
    total_cents: int = Field(ge=0, le=10**12, description="Euro cents")


class OrderPlacedV1(Envelope):
    """A customer placed an order."""

    type: Literal["order.placed"]
    version: Literal[1]
    data: OrderPlacedDataV1


class OrderPlacedDataV2(Content):
    """An order in any currency."""

    order_id: Identifier
    email: EmailAddress
    total: Money


class OrderPlacedV2(Envelope):
    """A customer placed an order."""

    type: Literal["order.placed"]
    version: Literal[2]
    data: OrderPlacedDataV2


class PaymentFailedDataV1(Content):
    """A payment that did not go through."""

    order_id: Identifier
    email: EmailAddress
    amount: Money
    reason: Text


class PaymentFailedV1(Envelope):
    """A payment for an order failed."""

    type: Literal["payment.failed"]
    version: Literal[1]
    data: PaymentFailedDataV1


class PageViewedDataV1(Content):
    """A look at a page."""

    path: Text
    visitor_id: Identifier
    referrer: Text | None = None


class PageViewedV1(Envelope):
    """A visitor looked at a page."""

    type: Literal["page.viewed"]
    version: Literal[1]
    data: PageViewedDataV1
