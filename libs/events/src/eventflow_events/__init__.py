"""The event envelope and the typed, versioned events that EventFlow's services share.

Producers build the classes; consumers call `parse_event`, then `latest`, and see one version only.
"""

from eventflow_events.documents import event_document, parse_event
from eventflow_events.envelope import Envelope
from eventflow_events.errors import EventError, InvalidEventError, UnknownEventError
from eventflow_events.fields import Money
from eventflow_events.schemas import (
    OrderPlacedDataV1,
    OrderPlacedDataV2,
    OrderPlacedV1,
    OrderPlacedV2,
    PageViewedDataV1,
    PageViewedV1,
    PaymentFailedDataV1,
    PaymentFailedV1,
    UserRegisteredDataV1,
    UserRegisteredDataV2,
    UserRegisteredV1,
    UserRegisteredV2,
)
from eventflow_events.union import Event, LatestEvent, event_name
from eventflow_events.upgrades import latest

__all__ = [
    "Envelope",
    "Event",
    "EventError",
    "InvalidEventError",
    "LatestEvent",
    "Money",
    "OrderPlacedDataV1",
    "OrderPlacedDataV2",
    "OrderPlacedV1",
    "OrderPlacedV2",
    "PageViewedDataV1",
    "PageViewedV1",
    "PaymentFailedDataV1",
    "PaymentFailedV1",
    "UnknownEventError",
    "UserRegisteredDataV1",
    "UserRegisteredDataV2",
    "UserRegisteredV1",
    "UserRegisteredV2",
    "event_document",
    "event_name",
    "latest",
    "parse_event",
]
