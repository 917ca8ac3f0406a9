"""The HTTP interface."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header

from eventflow_notifications.callers import SCOPE
from eventflow_notifications.idempotency import KeyReusedError
from eventflow_notifications.messages import (
    DestinationResult,
    NewNotification,
    NotificationResult,
)
from eventflow_notifications.notifier import Notifier
from eventflow_notifications.templates import MissingValueError, UnknownTemplateError
from eventflow_servicekit.bearer import TokenReader, caller_with
from eventflow_servicekit.problems import ProblemError, problem_responses

IdempotencyKey = Annotated[
    str,
    Header(
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Names this notification: the same again sends only what is not settled",
    ),
]


def notification_router(notifier: Notifier, tokens: TokenReader) -> APIRouter:
    """Return the route `POST /v1/notifications`."""
    router = APIRouter(prefix="/v1", tags=["notifications"])

    @router.post(
        "/notifications",
        operation_id="sendNotification",
        summary="Send a notification",
        description=(
            "Sends to all destinations and tells how each delivery ended. A delivery happens at "
            "least once: after a restart of this service a repeated key sends again, and the "
            "receiver can tell by the delivery's id."
        ),
        dependencies=[Depends(caller_with(tokens, SCOPE))],
        responses=problem_responses(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.CONFLICT,
            HTTPStatus.UNPROCESSABLE_ENTITY,
        ),
    )
    async def send_notification(
        body: NewNotification, idempotency_key: IdempotencyKey
    ) -> NotificationResult:
        try:
            results = await notifier.notify(idempotency_key, body.notification())
        except KeyReusedError:
            detail = "the idempotency key was used for another notification"
            raise ProblemError(HTTPStatus.CONFLICT, "idempotency-key-reused", detail) from None
        except (UnknownTemplateError, MissingValueError) as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise ProblemError(status, "template-not-filled", str(error)) from None
        return NotificationResult(
            settled=all(result.is_settled for result in results),
            results=[DestinationResult(**vars(result)) for result in results],
        )

    return router
