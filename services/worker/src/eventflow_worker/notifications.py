"""Asks notifications to send a notice.

NoticeError
├── RefusedNoticeError    the same will never be sent
└── FailedNoticeError     it may be sent when it is asked for again
"""

from http import HTTPStatus
from typing import Protocol

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from eventflow_servicekit.correlation import CORRELATION_HEADER, current_correlation_id
from eventflow_worker.notices import Notice

_AT_FAULT = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
)


class NoticeError(Exception):
    """A notice was not sent; the text tells why."""


class RefusedNoticeError(NoticeError):
    """Notifications will never accept this notice."""


class FailedNoticeError(NoticeError):
    """The notice may be sent when it is asked for again, with the same key."""


class Notifications(Protocol):
    """Sends notices."""

    def send(self, key: str, notice: Notice) -> None:
        """Send `notice` once for each `key`; raise a NoticeError otherwise."""


class _Answer(BaseModel):
    """What the worker reads of an answer."""

    settled: bool


class HttpNotifications:
    """Notifications over HTTP, at `url`; `timeout` is in seconds, for each step of a request."""

    def __init__(self, url: str, token: SecretStr, *, timeout: float) -> None:
        self._token = token
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, key: str, notice: Notice) -> None:
        """Send `notice`; a repeated key sends only what has not arrived yet.

        Raises RefusedNoticeError or FailedNoticeError.
        """
        try:
            response = self._client.post(
                "/v1/notifications", headers=self._headers(key), json=vars(notice)
            )
        except httpx.TransportError as error:
            raise FailedNoticeError(f"no answer: {type(error).__name__}") from None
        if response.status_code in _AT_FAULT:
            raise RefusedNoticeError(f"notifications answered {response.status_code}")
        if not response.is_success or not _is_settled(response):
            raise FailedNoticeError(_reason(response))

    def _headers(self, key: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Idempotency-Key": key,
        }
        correlation_id = current_correlation_id()
        return headers if correlation_id is None else headers | {CORRELATION_HEADER: correlation_id}


def _is_settled(response: httpx.Response) -> bool:
    try:
        return _Answer.model_validate_json(response.content).settled
    except ValidationError:
        raise FailedNoticeError("notifications answered with something else") from None


def _reason(response: httpx.Response) -> str:
    if response.is_success:
        return "a destination was not reached"
    return f"notifications answered {response.status_code}"
