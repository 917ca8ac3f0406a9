"""What becomes of a taken event."""

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from eventflow_worker.backoff import Backoff
from eventflow_worker.notices import NoticeRules
from eventflow_worker.notifications import FailedNoticeError, RefusedNoticeError
from eventflow_worker.outcomes import Count, Dead, Done, Effects, Later, Outcome, TakenEvent
from eventflow_worker.processing import Processor
from eventflow_worker.testing.scripted_notifications import ScriptedNotifications, Sent

EVENT_ID = UUID(int=1)
HOUR = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "type": "order.placed",
    "version": 1,
    "source": "shop",
    "occurred_at": "2026-03-01T12:34:56Z",
    "correlation_id": "c-1",
    "data": {"order_id": "o-1", "email": "ada@example.org", "total_cents": 1200},
}
PAGE: dict[str, Any] = ORDER | {
    "type": "page.viewed",
    "data": {"path": "/", "visitor_id": "v-1"},
}
COUNTED = Effects(Count("order.placed", HOUR))


def failing() -> ScriptedNotifications:
    """Return notifications that fail twice."""
    return ScriptedNotifications([FailedNoticeError("no answer"), FailedNoticeError("no answer")])


def process(
    document: dict[str, Any],
    *,
    attempts: int = 1,
    notifications: ScriptedNotifications | None = None,
) -> Outcome:
    """Process one event; three attempts are allowed, waits begin with 2 seconds."""
    processor = Processor(
        rules=NoticeRules(),
        notifications=notifications or ScriptedNotifications(),
        backoff=Backoff(first=2, longest=60, fraction=lambda: 1.0),
        max_attempts=3,
    )
    return processor.process(TakenEvent(EVENT_ID, attempts, document))


def test_an_event_that_concerns_nobody_is_counted() -> None:
    """A page view is done without telling anyone."""
    notifications = ScriptedNotifications()
    assert process(PAGE, notifications=notifications) == Done(
        EVENT_ID, Effects(Count("page.viewed", HOUR))
    )
    assert notifications.sent == []


def test_an_order_is_counted_and_told() -> None:
    """The customer is told under a key made from the event, with the event's correlation id."""
    notifications = ScriptedNotifications()
    done = Done(EVENT_ID, Effects(COUNTED.count, "order-placed"))
    assert process(ORDER, notifications=notifications) == done
    assert notifications.sent == [Sent(f"{EVENT_ID}.order-placed", "order-placed", "c-1")]


@pytest.mark.parametrize("given", [None, "a:b", "x" * 65])
def test_an_event_without_a_usable_correlation_id_gets_its_own_id(given: str | None) -> None:
    """Logs and headers carry only ids that are safe in them."""
    notifications = ScriptedNotifications()
    process(ORDER | {"correlation_id": given}, notifications=notifications)
    assert [sent.correlation_id for sent in notifications.sent] == [EVENT_ID.hex]


def test_a_notice_that_fails_is_tried_later() -> None:
    """The event is counted now, and waits longer after each attempt."""
    notifications = failing()
    first = process(ORDER, notifications=notifications)
    second = process(ORDER, attempts=2, notifications=notifications)
    assert first == Later(EVENT_ID, COUNTED, 2, "no answer")
    assert second == Later(EVENT_ID, COUNTED, 4, "no answer")


def test_the_last_attempt_ends_in_the_dead_letters() -> None:
    """An event is not tried for ever."""
    notifications = failing()
    assert process(ORDER, attempts=3, notifications=notifications) == Dead(
        EVENT_ID, COUNTED, 3, "no answer"
    )


def test_a_notice_that_is_refused_is_given_up_at_once() -> None:
    """What will never be accepted is for a person to look at; the event is counted."""
    notifications = ScriptedNotifications([RefusedNoticeError("answered 422")])
    assert process(ORDER, notifications=notifications) == Dead(EVENT_ID, COUNTED, 1, "answered 422")


def test_wrong_content_is_given_up_at_once_and_not_repeated_in_the_error() -> None:
    """A document that can never be read goes to the dead letters, without its values."""
    outcome = process(ORDER | {"data": {"email": "secret"}})
    assert isinstance(outcome, Dead)
    assert outcome.effects == Effects()
    assert "order.placed/1" in outcome.error
    assert "secret" not in outcome.error


def test_an_unknown_version_waits_for_the_next_release() -> None:
    """A newer producer may have written it, so it is kept and tried again."""
    outcome = process(ORDER | {"version": 99})
    assert outcome == Later(EVENT_ID, Effects(), 2, "unknown event order.placed/99")


def test_an_event_that_never_comes_to_an_end_is_given_up() -> None:
    """When every attempt was cut short, nothing of the event is run any more."""
    notifications = ScriptedNotifications()
    outcome = process(ORDER, attempts=4, notifications=notifications)
    assert outcome == Dead(EVENT_ID, Effects(), 3, "never came to an end")
    assert notifications.sent == []


def test_a_defect_concerns_its_event_only(caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody announced is logged with its stack, and the event is tried later."""
    with caplog.at_level(logging.ERROR):
        outcome = process(ORDER, notifications=ScriptedNotifications([ZeroDivisionError()]))
    assert outcome == Later(EVENT_ID, Effects(), 2, "defect: ZeroDivisionError")
    assert [record.message for record in caplog.records if record.exc_info] == [
        "event met a defect"
    ]
