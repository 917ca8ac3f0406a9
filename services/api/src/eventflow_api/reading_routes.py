"""The routes that read events back."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from eventflow_api.cursors import Cursor, CursorError, decode_cursor
from eventflow_api.messages import EventPage, StoredEvent
from eventflow_api.reading import EventArchive, EventFilter
from eventflow_events.fields import Identifier, Moment
from eventflow_servicekit.bearer import TokenReader, caller_with
from eventflow_servicekit.problems import ProblemError, problem_responses

LARGEST_PAGE = 200
_USUAL_PAGE = 50
_PROBLEMS = problem_responses(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def wanted_events(
    type: Annotated[  # noqa: A002 - the name of the parameter in the URL
        Identifier | None, Query(description="Only events of this type")
    ] = None,
    source: Annotated[Identifier | None, Query(description="Only events of this source")] = None,
    subject: Annotated[Identifier | None, Query(description="Only events of this subject")] = None,
    received_from: Annotated[
        Moment | None, Query(description="Only events received then or later")
    ] = None,
    received_before: Annotated[
        Moment | None, Query(description="Only events received earlier")
    ] = None,
) -> EventFilter:
    """Return the filter that the URL asks for."""
    return EventFilter(type, source, subject, received_from, received_before)


def place(
    cursor: Annotated[
        str | None, Query(max_length=200, description="The `next_cursor` of the page before")
    ] = None,
) -> Cursor | None:
    """Return where the wanted page begins; None is at the newest event."""
    if cursor is None:
        return None
    try:
        return decode_cursor(cursor)
    except CursorError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-cursor", str(error)) from None


def reading_router(archive: EventArchive, tokens: TokenReader) -> APIRouter:
    """Return the routes that read events; they need the scope `events:read`."""
    router = APIRouter(
        prefix="/v1/events",
        tags=["events"],
        dependencies=[Depends(caller_with(tokens, "events:read"))],
        responses=_PROBLEMS,
    )

    @router.get("", operation_id="listEvents", summary="List events")
    def list_events(
        wanted: Annotated[EventFilter, Depends(wanted_events)],
        cursor: Annotated[Cursor | None, Depends(place)],
        limit: Annotated[
            int, Query(ge=1, le=LARGEST_PAGE, description="The most events to return")
        ] = _USUAL_PAGE,
    ) -> EventPage:
        """Return events, newest first."""
        return archive.page(wanted, cursor, limit)

    @router.get(
        "/{event_id}",
        operation_id="readEvent",
        summary="Read an event",
        responses=problem_responses(HTTPStatus.NOT_FOUND),
    )
    def read_event(
        event_id: Annotated[UUID, Path(description="The `id` it was stored with")],
    ) -> StoredEvent:
        """Return one event."""
        found = archive.find(event_id)
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-event", "there is no such event")
        return found

    return router
