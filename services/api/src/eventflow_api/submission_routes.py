"""The routes that accept events."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Response
from prometheus_client import CollectorRegistry, Counter

from eventflow_api.acceptance import Acceptance, EventIntake, KeyReusedError
from eventflow_api.messages import EventBatch, StoredBatch, StoredEvent
from eventflow_events import Event
from eventflow_servicekit.bearer import Caller, TokenReader, caller_with
from eventflow_servicekit.problems import ProblemError, problem_responses

_REPLAYED = "Idempotency-Replayed"
_PROBLEMS = problem_responses(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_CREATED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.CREATED.value: {
        "description": "Stored and queued, now or by an earlier, equal request",
        "headers": {
            _REPLAYED: {
                "description": "`true` when an earlier request with this key stored the events",
                "schema": {"type": "string", "const": "true"},
            }
        },
    }
}

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="Chosen by the caller; the same key with the same content is stored once",
    ),
]


class Submissions:
    """Accepts what callers send, and counts it in `registry`."""

    def __init__(self, intake: EventIntake, registry: CollectorRegistry) -> None:
        self._intake = intake
        self._accepted = Counter(
            "events_accepted", "Events stored and queued", ("type",), registry=registry
        )

    def accept(
        self, caller: Caller, key: str, events: list[Event], response: Response
    ) -> Acceptance:
        """Store `events` or find what the key has stored; mark a replay in `response`."""
        try:
            acceptance = self._intake.accept(caller.subject, key, events)
        except KeyReusedError:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "idempotency-key-reused",
                "the idempotency key was used for other content",
            ) from None
        if acceptance.is_replayed:
            response.headers[_REPLAYED] = "true"
            return acceptance
        for event in acceptance.events:
            self._accepted.labels(event.type).inc()
        return acceptance


def submission_router(
    intake: EventIntake, tokens: TokenReader, registry: CollectorRegistry
) -> APIRouter:
    """Return the routes that accept events; they need the scope `events:write`."""
    router = APIRouter(
        prefix="/v1/events",
        tags=["events"],
        responses={**_PROBLEMS, **_CREATED},
    )
    submissions = Submissions(intake, registry)
    writer = caller_with(tokens, "events:write")

    @router.post(
        "",
        operation_id="createEvent",
        summary="Send an event",
        status_code=HTTPStatus.CREATED,
    )
    def create_event(
        event: Annotated[Event, Body()],
        key: IdempotencyKey,
        caller: Annotated[Caller, Depends(writer)],
        response: Response,
    ) -> StoredEvent:
        """Store one event and queue it to be processed."""
        return submissions.accept(caller, key, [event], response).events[0]

    @router.post(
        "/batches",
        operation_id="createEvents",
        summary="Send several events",
        status_code=HTTPStatus.CREATED,
    )
    def create_events(
        batch: EventBatch,
        key: IdempotencyKey,
        caller: Annotated[Caller, Depends(writer)],
        response: Response,
    ) -> StoredBatch:
        """Store several events and queue them to be processed, all or none."""
        accepted = submissions.accept(caller, key, batch.events, response)
        return StoredBatch(items=list(accepted.events))

    return router
