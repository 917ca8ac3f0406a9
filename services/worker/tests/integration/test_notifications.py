"""Calls to notifications: what both the real client and the scripted one promise, and HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import pytest
from pydantic import SecretStr

from eventflow_servicekit.correlation import correlated
from eventflow_worker.notices import Notice
from eventflow_worker.notifications import (
    FailedNoticeError,
    HttpNotifications,
    Notifications,
    RefusedNoticeError,
)
from eventflow_worker.testing.notifications_server import SETTLED, Answer, NotificationsServer
from eventflow_worker.testing.scripted_notifications import ScriptedNotifications, Sent

TOKEN = SecretStr("a token of some length")
NOTICE = Notice("user-registered", {"plan": "team"}, ({"channel": "email", "address": "a@b.org"},))

End = Literal["sent", "refused", "failed"]
FAULTS: dict[End, Exception] = {"refused": RefusedNoticeError(), "failed": FailedNoticeError()}
ANSWERS: dict[End, Answer] = {"sent": SETTLED, "refused": (422, {}), "failed": (503, {})}


@dataclass
class Scene:
    """Notifications that end as told, and what they accepted."""

    notifications: Notifications
    accepted: Callable[[], list[Sent]]


def scripted(ends: list[End], _stack: ExitStack) -> Scene:
    """Use the fake."""
    fake = ScriptedNotifications([FAULTS[end] for end in ends if end in FAULTS])
    return Scene(fake, lambda: fake.sent)


def http(ends: list[End], stack: ExitStack) -> Scene:
    """Use the client on a real server."""
    server = stack.enter_context(NotificationsServer([ANSWERS[end] for end in ends]))

    def accepted() -> list[Sent]:
        return [
            Sent(call.key, call.body["template"], call.headers.get("x-correlation-id"))
            for call, end in zip(server.received, ends, strict=True)
            if end == "sent"
        ]

    return Scene(client(server, stack), accepted)


def client(server: NotificationsServer, stack: ExitStack) -> HttpNotifications:
    """Return a client of `server` that is closed with `stack`."""
    made = HttpNotifications(server.url, TOKEN, timeout=60)
    stack.callback(made.close)
    return made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Yield what stops servers and clients at the end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=[scripted, http], ids=lambda maker: maker.__name__)
def scene_of(request: pytest.FixtureRequest, stack: ExitStack) -> Callable[[list[End]], Scene]:
    """Return what makes a scene."""
    return lambda ends: request.param(ends, stack)


def test_a_notice_is_sent_with_its_key_and_correlation_id(
    scene_of: Callable[[list[End]], Scene],
) -> None:
    """What is accepted has arrived once, under the ids of the work that caused it."""
    scene = scene_of(["sent"])
    with correlated("c-1"):
        scene.notifications.send("k-1", NOTICE)
    assert scene.accepted() == [Sent("k-1", "user-registered", "c-1")]


def test_a_refusal_is_told_as_one(scene_of: Callable[[list[End]], Scene]) -> None:
    """What will never be accepted raises RefusedNoticeError, and nothing has arrived."""
    scene = scene_of(["refused"])
    with pytest.raises(RefusedNoticeError):
        scene.notifications.send("k-1", NOTICE)
    assert scene.accepted() == []


def test_a_failure_can_be_followed_by_success(scene_of: Callable[[list[End]], Scene]) -> None:
    """What may pass raises FailedNoticeError, and the next try is a new one."""
    scene = scene_of(["failed", "sent"])
    with pytest.raises(FailedNoticeError):
        scene.notifications.send("k-1", NOTICE)
    scene.notifications.send("k-1", NOTICE)
    assert scene.accepted() == [Sent("k-1", "user-registered", None)]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_faults_of_the_request_are_refusals(status: int, stack: ExitStack) -> None:
    """The same request would be refused again."""
    server = stack.enter_context(NotificationsServer([(status, {})]))
    with pytest.raises(RefusedNoticeError, match=str(status)):
        client(server, stack).send("k-1", NOTICE)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 502, 503])
def test_other_answers_may_change(status: int, stack: ExitStack) -> None:
    """A wrong token or address in the settings loses no letter: it is tried again."""
    server = stack.enter_context(NotificationsServer([(status, {})]))
    with pytest.raises(FailedNoticeError, match=str(status)):
        client(server, stack).send("k-1", NOTICE)


@pytest.mark.parametrize("answer", [None, (200, []), (200, {}), (200, {"settled": False})])
def test_only_a_settled_notice_is_sent(answer: Answer | None, stack: ExitStack) -> None:
    """Without a clear yes the notice has not been sent."""
    server = stack.enter_context(NotificationsServer([answer]))
    with pytest.raises(FailedNoticeError):
        client(server, stack).send("k-1", NOTICE)


def test_nobody_listening_is_a_failure(stack: ExitStack) -> None:
    """A service that is away may come back."""
    with NotificationsServer() as server:
        calls = client(server, stack)
    with pytest.raises(FailedNoticeError, match="no answer"):
        calls.send("k-1", NOTICE)


def test_the_token_is_shown_and_never_written_out(stack: ExitStack) -> None:
    """The token travels in its header only."""
    server = stack.enter_context(NotificationsServer([(401, {})]))
    calls = client(server, stack)
    with pytest.raises(FailedNoticeError) as caught:
        calls.send("k-1", NOTICE)
    (received,) = server.received
    assert received.headers["authorization"] == f"Bearer {TOKEN.get_secret_value()}"
    assert TOKEN.get_secret_value() not in str(caught.value) + repr(caught.value)
