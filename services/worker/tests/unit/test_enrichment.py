"""What is added to an event."""

from datetime import UTC, datetime
from typing import Any

import pytest

from eventflow_events import InvalidEventError, Money, OrderPlacedV2, UnknownEventError
from eventflow_worker.enrichment import enrich, spoken
from eventflow_worker.outcomes import Count

ORDER: dict[str, Any] = {
    "type": "order.placed",
    "version": 1,
    "source": "shop",
    "occurred_at": "2026-03-01T14:59:59.999+01:00",
    "data": {"order_id": "o-1", "email": "ada@example.org", "total_cents": 1200},
}


def test_old_versions_become_the_newest() -> None:
    """Later steps see one version only."""
    event = enrich(ORDER).event
    assert isinstance(event, OrderPlacedV2)
    assert event.data.total == Money(minor_units=1200, currency="EUR")


def test_events_are_counted_in_the_hour_they_occurred_in() -> None:
    """The hour is the one in UTC, whatever offset the source wrote."""
    expected = Count("order.placed", datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert enrich(ORDER).count == expected


def test_documents_that_are_no_events_are_errors() -> None:
    """An unknown version and wrong content are told apart."""
    with pytest.raises(UnknownEventError):
        enrich({**ORDER, "version": 99})
    with pytest.raises(InvalidEventError):
        enrich({**ORDER, "data": {}})


@pytest.mark.parametrize(
    ("minor_units", "currency", "words"),
    [
        (1200, "EUR", "12.00 EUR"),
        (5, "USD", "0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (1200, "JPY", "1200 JPY"),
        (1200, "KWD", "1.200 KWD"),
        (10**12, "EUR", "10000000000.00 EUR"),
    ],
)
def test_amounts_are_written_with_their_currency_s_decimals(
    minor_units: int, currency: str, words: str
) -> None:
    """An amount reads as people of that currency write it, without rounding."""
    assert spoken(Money(minor_units=minor_units, currency=currency)) == words
