"""The set of all events, told apart by type and version."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from eventflow_events.schemas import (
    OrderPlacedV1,
    OrderPlacedV2,
    PageViewedV1,
    PaymentFailedV1,
    UserRegisteredV1,
    UserRegisteredV2,
)


def event_name(document: object) -> str:
    """Return `type/version` of an event or of a document that may be one, such as `page.viewed/1`.

    A part that is missing or of a wrong type is written as `?`.
    """
    if isinstance(document, Mapping):
        kind, version = document.get("type"), document.get("version")
    else:
        kind, version = getattr(document, "type", None), getattr(document, "version", None)
    shown_kind = kind if isinstance(kind, str) else "?"
    # A bool is an int to Python, and true is not a version.
    is_version = isinstance(version, int) and not isinstance(version, bool)
    return f"{shown_kind}/{version if is_version else '?'}"


Event = Annotated[
    Annotated[UserRegisteredV1, Tag("user.registered/1")]
    | Annotated[UserRegisteredV2, Tag("user.registered/2")]
    | Annotated[OrderPlacedV1, Tag("order.placed/1")]
    | Annotated[OrderPlacedV2, Tag("order.placed/2")]
    | Annotated[PaymentFailedV1, Tag("payment.failed/1")]
    | Annotated[PageViewedV1, Tag("page.viewed/1")],
    Discriminator(event_name),
]
"""Any event of any version."""

LatestEvent = UserRegisteredV2 | OrderPlacedV2 | PaymentFailedV1 | PageViewedV1
"""Any event in its newest version: what a consumer works with."""

EVENT_ADAPTER: TypeAdapter[Any] = TypeAdapter(Event)
"""Validates documents as Event and writes their JSON Schema."""
