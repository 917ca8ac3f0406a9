"""Accepting events over HTTP: stored and queued together, once for each key."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from eventflow_api.application import create_api
from eventflow_api.settings import ApiSettings
from eventflow_servicekit.testing.issuer import Issuer

WRITE = "events:write"


def page_viewed(**changes: object) -> dict[str, Any]:
    """Return a good event with `changes`."""
    return {
        "type": "page.viewed",
        "version": 1,
        "source": "site",
        "occurred_at": "2026-03-01T12:00:00Z",
        "data": {"path": "/", "visitor_id": "v-1"},
        **changes,
    }


def headers(issuer: Issuer, key: str, subject: str = "user:1") -> dict[str, str]:
    """Return headers that allow writing, with an idempotency key."""
    return {**issuer.headers(WRITE, subject=subject), "Idempotency-Key": key}


def count(engine: Engine, table: str) -> int:
    """Return the number of rows of a table."""
    with engine.connect() as connection:
        number: int = connection.execute(text(f"SELECT count(*) FROM events.{table}")).scalar_one()
    return number


def test_event_is_stored_and_queued(client: TestClient, issuer: Issuer, engine: Engine) -> None:
    """An accepted event is a row of events, with its caller, and one of the queue, ready now."""
    sent = page_viewed(subject="visit:9", correlation_id="cart-4")
    answer = client.post("/v1/events", json=sent, headers=headers(issuer, "k1", "user:7"))
    assert answer.status_code == 201
    stored = answer.json()
    assert {key: stored[key] for key in sent} == sent
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT e.client_id, e.source, e.document, q.attempts, q.available_at <= now(),"
                " q.locked_until FROM events.events e JOIN events.queue q ON q.event_id = e.id"
                " WHERE e.id = :id"
            ),
            {"id": stored["id"]},
        ).one()
    assert tuple(row) == ("user:7", "site", sent, 0, True, None)


def test_same_key_and_content_gives_the_same_answer(
    client: TestClient, issuer: Issuer, engine: Engine
) -> None:
    """A repeated request changes nothing and gets the first answer, marked as a replay."""
    first = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    # The same moment, written in another way.
    again = page_viewed(occurred_at="2026-03-01T13:00:00.000+01:00")
    second = client.post("/v1/events", json=again, headers=headers(issuer, "k1"))
    assert (second.status_code, second.json()) == (201, first.json())
    assert first.headers.get("Idempotency-Replayed") is None
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (count(engine, "events"), count(engine, "queue")) == (1, 1)


def test_same_key_with_other_content_is_a_conflict(
    client: TestClient, issuer: Issuer, engine: Engine
) -> None:
    """A key that was used for something else is refused with 409, and nothing is stored."""
    client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    other = page_viewed(source="shop")
    answer = client.post("/v1/events", json=other, headers=headers(issuer, "k1"))
    assert (answer.status_code, answer.json()["type"]) == (409, "idempotency-key-reused")
    assert count(engine, "events") == 1


def test_keys_of_callers_are_their_own(client: TestClient, issuer: Issuer, engine: Engine) -> None:
    """Two callers may use one key, and neither sees the other's event."""
    first = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k", "user:1"))
    second = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k", "user:2"))
    assert first.json()["id"] != second.json()["id"]
    assert count(engine, "events") == 2
    for answer, subject in ((first, "user:1"), (second, "user:2")):
        again = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k", subject))
        assert again.json() == answer.json()


def test_equal_requests_at_the_same_time_store_one_event(
    client: TestClient, issuer: Issuer, engine: Engine
) -> None:
    """Eight equal requests that start together get one answer and leave one event."""
    answers: list[Any] = []
    start = threading.Barrier(8)

    def send() -> None:
        start.wait()
        answers.append(client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1")))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert (count(engine, "events"), count(engine, "queue")) == (1, 1)


def test_batch_is_stored_in_its_order(client: TestClient, issuer: Issuer, engine: Engine) -> None:
    """The events of a batch come back, and are listed, in the order in which they were sent."""
    events = [page_viewed(source=f"s{number}") for number in range(20)]
    answer = client.post(
        "/v1/events/batches", json={"events": events}, headers=headers(issuer, "k1")
    )
    assert answer.status_code == 201
    assert [item["source"] for item in answer.json()["items"]] == [e["source"] for e in events]
    listed = client.get("/v1/events", headers=issuer.headers("events:read")).json()["items"]
    assert [item["source"] for item in listed[::-1]] == [event["source"] for event in events]
    assert count(engine, "queue") == 20


def test_batch_with_one_bad_event_stores_none(
    client: TestClient, issuer: Issuer, engine: Engine
) -> None:
    """One wrong event refuses the batch, names its place, and leaves the key unused."""
    bad = {"events": [page_viewed(), page_viewed(data={"path": "/"})]}
    answer = client.post("/v1/events/batches", json=bad, headers=headers(issuer, "k1"))
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["body.events.1.data.visitor_id"]
    assert count(engine, "events") == 0
    good = {"events": [page_viewed()]}
    again = client.post("/v1/events/batches", json=good, headers=headers(issuer, "k1"))
    assert again.status_code == 201


def test_batch_and_single_event_share_the_keys(client: TestClient, issuer: Issuer) -> None:
    """A key used for one event is not free for a batch with another."""
    client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    batch = {"events": [page_viewed(source="other")]}
    answer = client.post("/v1/events/batches", json=batch, headers=headers(issuer, "k1"))
    assert answer.status_code == 409


@pytest.mark.parametrize("number", [0, 501])
def test_batch_of_wrong_size_is_refused(client: TestClient, issuer: Issuer, number: int) -> None:
    """An empty batch and one of more than 500 events are refused."""
    batch = {"events": [page_viewed()] * number}
    answer = client.post("/v1/events/batches", json=batch, headers=headers(issuer, "k1"))
    assert answer.status_code == 422


@pytest.mark.parametrize("key", [None, "", "two words", "x" * 129])
def test_key_is_needed_and_checked(client: TestClient, issuer: Issuer, key: str | None) -> None:
    """A request without a usable idempotency key is refused."""
    given = {} if key is None else {"Idempotency-Key": key}
    sent = {**issuer.headers(WRITE), **given}
    answer = client.post("/v1/events", json=page_viewed(), headers=sent)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


def test_failure_while_queueing_stores_nothing(
    client: TestClient, issuer: Issuer, engine: Engine
) -> None:
    """When the queue cannot be written neither event nor key is, so that a retry is possible."""
    with engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE events.queue ADD CONSTRAINT closed CHECK (attempts > 0)")
        )
    try:
        answer = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE events.queue DROP CONSTRAINT closed"))
    assert answer.status_code == 500
    assert count(engine, "events") == count(engine, "idempotency_keys") == 0
    again = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    assert again.status_code == 201


@pytest.mark.usefixtures("client")
def test_locked_table_is_told_as_temporary(
    settings: ApiSettings, issuer: Issuer, engine: Engine
) -> None:
    """While a lock blocks the table for longer than allowed, callers are told to try again."""
    hasty = settings.model_copy(update={"database_lock_timeout_milliseconds": 100})
    with TestClient(create_api(hasty)) as client, engine.begin() as connection:
        connection.execute(text("LOCK TABLE events.queue IN ACCESS EXCLUSIVE MODE"))
        answer = client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    assert (answer.status_code, answer.json()["type"]) == (503, "database-unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_accepted_events_are_counted_once(client: TestClient, issuer: Issuer) -> None:
    """The metric counts events by type, and replays not at all."""
    for _ in range(2):
        client.post("/v1/events", json=page_viewed(), headers=headers(issuer, "k1"))
    assert 'events_accepted_total{type="page.viewed"} 1.0' in client.get("/metrics").text
