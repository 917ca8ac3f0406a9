"""Events in and out of JSON: what is accepted, what is refused, and how it is told."""

import json
from typing import Any

import pytest

from eventflow_events import (
    InvalidEventError,
    OrderPlacedV2,
    PageViewedV1,
    UnknownEventError,
    event_document,
    event_name,
    latest,
    parse_event,
)


def page_viewed(**changes: object) -> dict[str, Any]:
    """Return a good document with `changes`."""
    return {
        "type": "page.viewed",
        "version": 1,
        "source": "site",
        "occurred_at": "2026-03-01T10:30:00+02:00",
        "data": {"path": "/pricing", "visitor_id": "v-1"},
        **changes,
    }


def test_time_is_kept_in_utc() -> None:
    """An offset is converted, so that equal moments are equal documents."""
    assert event_document(parse_event(page_viewed()))["occurred_at"] == "2026-03-01T08:30:00Z"


def test_document_survives_a_round_trip() -> None:
    """What an event writes, it reads back as an equal event, through JSON text."""
    event = parse_event(page_viewed(subject="visitor:9"))
    assert parse_event(json.loads(json.dumps(event_document(event)))) == event


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"type": "page.closed"}, "page.closed/1"),
        ({"version": 99}, "page.viewed/99"),
        ({"version": True}, "page.viewed/?"),
        ({"version": "1"}, "page.viewed/?"),
        ({"type": None}, "?/1"),
    ],
)
def test_unknown_type_or_version_is_told_apart(changes: dict[str, object], name: str) -> None:
    """A document that a newer producer may have written raises UnknownEventError with its name."""
    with pytest.raises(UnknownEventError) as caught:
        parse_event(page_viewed(**changes))
    assert caught.value.name == name


@pytest.mark.parametrize("document", [None, 7, [], "page.viewed", {}])
def test_what_is_no_event_is_unknown(document: object) -> None:
    """Anything but an object with type and version is refused, not crashed on."""
    with pytest.raises(UnknownEventError):
        parse_event(document)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"occurred_at": "2026-03-01T10:30:00"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"source": "two words"}, "source"),
        ({"data": {"path": "/\x00", "visitor_id": "v"}}, "data.path"),
        ({"data": {"path": "/"}}, "data.visitor_id"),
        ({"data": None}, "data"),
    ],
)
def test_wrong_content_names_the_field(changes: dict[str, object], field: str) -> None:
    """Content that could not be stored or understood is refused with the field's name."""
    with pytest.raises(InvalidEventError) as caught:
        parse_event(page_viewed(**changes))
    assert [fault.split(":")[0] for fault in caught.value.faults] == [field]


def test_values_are_not_repeated_in_errors() -> None:
    """An error about content never holds the content: it may be personal."""
    with pytest.raises(InvalidEventError) as caught:
        parse_event(page_viewed(source="ada@example.org likes this"))
    assert "ada@example.org" not in str(caught.value)


def test_newest_version_is_returned_as_it_is() -> None:
    """Upgrading the newest version gives the same object."""
    event = parse_event(page_viewed())
    assert isinstance(event, PageViewedV1)
    assert latest(event) is event


def test_upgrade_keeps_the_envelope() -> None:
    """Everything around the data survives an upgrade."""
    document = page_viewed(
        type="order.placed",
        subject="o-1",
        correlation_id="cart-4",
        data={"order_id": "o-1", "email": "ada@example.org", "total_cents": 5},
    )
    upgraded = latest(parse_event(document))
    assert isinstance(upgraded, OrderPlacedV2)
    assert (upgraded.subject, upgraded.correlation_id) == ("o-1", "cart-4")
    assert (upgraded.data.total.minor_units, upgraded.data.total.currency) == (5, "EUR")


def test_name_of_an_event_and_of_its_document_are_equal() -> None:
    """Both forms are called by the same name."""
    document = page_viewed()
    assert event_name(document) == event_name(parse_event(document)) == "page.viewed/1"
