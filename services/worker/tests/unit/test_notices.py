"""Who is told what."""

from typing import Any

import pytest

from eventflow_events import LatestEvent, latest, parse_event
from eventflow_worker.notices import Notice, NoticeRules

MONEY = {"minor_units": 1200, "currency": "EUR"}
ADA = {"channel": "email", "address": "ada@example.org"}


def event(kind: str, version: int, **data: Any) -> LatestEvent:
    """Return an event with this data."""
    return latest(
        parse_event(
            {
                "type": kind,
                "version": version,
                "source": "shop",
                "occurred_at": "2026-03-01T12:00:00Z",
                "data": data,
            }
        )
    )


PAYMENT = event(
    "payment.failed",
    1,
    order_id="o-1",
    email="ada@example.org",
    amount=MONEY,
    reason="card expired",
)


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (
            event("order.placed", 2, order_id="o-1", email="ada@example.org", total=MONEY),
            Notice("order-placed", {"order_id": "o-1", "total": "12.00 EUR"}, (ADA,)),
        ),
        (
            event("user.registered", 2, user_id="u-1", email="ada@example.org", plan="team"),
            Notice("user-registered", {"plan": "team"}, (ADA,)),
        ),
        (
            PAYMENT,
            Notice(
                "payment-failed",
                {"order_id": "o-1", "amount": "12.00 EUR", "reason": "card expired"},
                (ADA,),
            ),
        ),
        (event("page.viewed", 1, path="/", visitor_id="v-1"), None),
    ],
    ids=["order", "user", "payment", "page"],
)
def test_people_are_told_what_concerns_them(happened: LatestEvent, told: Notice | None) -> None:
    """Each type of event has its notice, or none."""
    assert NoticeRules().notice(happened) == told


def test_failed_payments_are_told_to_a_webhook_too() -> None:
    """With a URL in the settings the people behind it hear of failed payments."""
    notice = NoticeRules(payments_webhook="https://example.org/hook").notice(PAYMENT)
    assert notice is not None
    assert notice.destinations == (ADA, {"channel": "webhook", "url": "https://example.org/hook"})
