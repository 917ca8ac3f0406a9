"""How events of older versions become the newest one."""

from typing import Any

from eventflow_events.fields import Money
from eventflow_events.schemas import (
    OrderPlacedDataV2,
    OrderPlacedV1,
    OrderPlacedV2,
    UserRegisteredDataV2,
    UserRegisteredV1,
    UserRegisteredV2,
)
from eventflow_events.union import Event, LatestEvent


def latest(event: Event) -> LatestEvent:
    """Return `event` in the newest version of its type; the newest is returned as it is."""
    match event:
        case UserRegisteredV1():
            return _upgrade_user_registered(event)
        case OrderPlacedV1():
            return _upgrade_order_placed(event)
        case _:
            return event


def _upgrade_user_registered(event: UserRegisteredV1) -> UserRegisteredV2:
    # Before version 2 there was one plan.
    data = UserRegisteredDataV2(**dict(event.data), plan="free")
    return UserRegisteredV2(**_changed(event, version=2, data=data))


def _upgrade_order_placed(event: OrderPlacedV1) -> OrderPlacedV2:
    data = OrderPlacedDataV2(
        order_id=event.data.order_id,
        email=event.data.email,
        total=Money(minor_units=event.data.total_cents, currency="EUR"),
    )
    return OrderPlacedV2(**_changed(event, version=2, data=data))


def _changed(event: UserRegisteredV1 | OrderPlacedV1, **changes: object) -> dict[str, Any]:
    return {**dict(event), **changes}
