"""Reading events over HTTP: filters, pages, and who may."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from eventflow_servicekit.testing.issuer import Issuer

Stored = list[dict[str, Any]]


@pytest.fixture
def stored(client: TestClient, issuer: Issuer) -> Stored:
    """Store seven events of two types and two sources; return them, the oldest first."""
    events = []
    for number in range(7):
        page = {"path": f"/{number}", "visitor_id": "v"}
        paid = {
            "order_id": f"o-{number}",
            "email": "ada@example.org",
            "amount": {"minor_units": number, "currency": "EUR"},
            "reason": "card expired",
        }
        is_page = number % 2 == 0
        events.append(
            {
                "type": "page.viewed" if is_page else "payment.failed",
                "version": 1,
                "source": "site" if number < 5 else "shop",
                "subject": f"s-{number}",
                "occurred_at": "2026-03-01T12:00:00Z",
                "data": page if is_page else paid,
            }
        )
    headers = {**issuer.headers("events:write"), "Idempotency-Key": "all"}
    answer = client.post("/v1/events/batches", json={"events": events}, headers=headers)
    items: Stored = answer.json()["items"]
    return items


def listed(client: TestClient, issuer: Issuer, **query: str | int) -> tuple[Stored, str | None]:
    """Return one page of the list and the cursor of the next."""
    answer = client.get("/v1/events", params=query, headers=issuer.headers("events:read"))
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return page["items"], page["next_cursor"]


def test_list_is_newest_first_and_complete(
    client: TestClient, issuer: Issuer, stored: Stored
) -> None:
    """Without filters all events come back as they were answered when stored."""
    items, cursor = listed(client, issuer)
    assert items == stored[::-1]
    assert cursor is None


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_pages_hold_every_event_once(
    client: TestClient, issuer: Issuer, stored: Stored, limit: int
) -> None:
    """Following the cursors gives every event once, in order, in pages of the asked size."""
    seen: Stored = []
    query: dict[str, str | int] = {"limit": limit}
    for _ in stored:
        items, cursor = listed(client, issuer, **query)
        assert 0 < len(items) <= limit
        seen += items
        if cursor is None:
            break
        query["cursor"] = cursor
    assert cursor is None
    assert seen == stored[::-1]


def test_events_that_arrive_meanwhile_do_not_shift_pages(
    client: TestClient, issuer: Issuer, stored: Stored
) -> None:
    """A page asked for after new events arrived begins where the one before ended."""
    _, cursor = listed(client, issuer, limit=3)
    assert cursor is not None
    headers = {**issuer.headers("events:write"), "Idempotency-Key": "late"}
    late = {key: stored[0][key] for key in ("type", "version", "source", "occurred_at", "data")}
    assert client.post("/v1/events", json=late, headers=headers).status_code == 201
    items, _ = listed(client, issuer, limit=3, cursor=cursor)
    assert items == stored[::-1][3:6]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "page.viewed"}, [6, 4, 2, 0]),
        ({"source": "shop"}, [6, 5]),
        ({"type": "payment.failed", "source": "site"}, [3, 1]),
        ({"subject": "s-4"}, [4]),
        ({"type": "no.such"}, []),
    ],
)
def test_filters_narrow_the_list(
    client: TestClient,
    issuer: Issuer,
    stored: Stored,
    query: dict[str, str],
    expected: list[int],
) -> None:
    """A filter gives exactly the events that match, and filters add up."""
    items, _ = listed(client, issuer, **query)
    assert items == [stored[position] for position in expected]


def test_time_filters_hold_the_start_and_not_the_end(
    client: TestClient, issuer: Issuer, stored: Stored
) -> None:
    """`received_from` includes its moment and `received_before` does not."""
    start, end = stored[2]["received_at"], stored[4]["received_at"]
    items, _ = listed(client, issuer, received_from=start, received_before=end)
    assert items == [stored[3], stored[2]]


def test_filter_and_cursor_work_together(
    client: TestClient, issuer: Issuer, stored: Stored
) -> None:
    """The pages of a filtered list hold only what matches."""
    first, cursor = listed(client, issuer, type="page.viewed", limit=3)
    assert cursor is not None
    second, end = listed(client, issuer, type="page.viewed", limit=3, cursor=cursor)
    assert first + second == [stored[6], stored[4], stored[2], stored[0]]
    assert end is None


def test_one_event_is_read_by_its_id(client: TestClient, issuer: Issuer, stored: Stored) -> None:
    """An event is found by its id, and an unknown id is 404."""
    headers = issuer.headers("events:read")
    assert client.get(f"/v1/events/{stored[3]['id']}", headers=headers).json() == stored[3]
    unknown = "00000000-0000-4000-8000-000000000000"
    answer = client.get(f"/v1/events/{unknown}", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (404, "unknown-event")


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"limit": 0},
        {"limit": 201},
        {"typ": "page.viewed"},
        {"type": "nul\x00"},
        {"received_from": "yesterday"},
        {"received_from": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_unusable_query_is_refused(
    client: TestClient, issuer: Issuer, query: dict[str, str | int]
) -> None:
    """A query that cannot be answered is a fault of the request."""
    answer = client.get("/v1/events", params=query, headers=issuer.headers("events:read"))
    assert answer.status_code == 422


def test_reading_and_writing_need_their_own_scopes(client: TestClient, issuer: Issuer) -> None:
    """A token to read does not write, a token to write does not read, and none does nothing."""
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in ("/v1/events", f"/v1/events/{unknown}"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=issuer.headers("events:write")).status_code == 403
    for path in ("/v1/events", "/v1/events/batches"):
        assert client.post(path, json={}).status_code == 401
        answer = client.post(path, json={}, headers=issuer.headers("events:read"))
        assert answer.status_code == 403
