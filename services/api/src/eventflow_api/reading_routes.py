"""The routes that read events back."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ConfigDict, Field

from eventflow_api.cursors import Cursor, CursorError, decode_cursor
from eventflow_api.messages import EventPage, Message, StoredEvent
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


class ListQuery(Message):
    """What a list is asked for. Unknown names are refused: a misspelt filter would match all."""

    model_config = ConfigDict(extra="forbid")

    type: Identifier | None = Field(default=None, description="Only events of this type")
    source: Identifier | None = Field(default=None, description="Only events of this source")
    subject: Identifier | None = Field(default=None, description="Only events of this subject")
    received_from: Moment | None = Field(
        default=None, description="Only events received then or later"
    )
    received_before: Moment | None = Field(default=None, description="Only events received earlier")
    cursor: str | None = Field(
        default=None, max_length=200, description="The `next_cursor` of the page before"
    )
    limit: int = Field(
        default=_USUAL_PAGE, ge=1, le=LARGEST_PAGE, description="The most events to return"
    )

    def filter(self) -> EventFilter:
        """Return what the events of the list have in common."""
        return EventFilter(
            self.type, self.source, self.subject, self.received_from, self.received_before
        )

    def place(self) -> Cursor | None:
        """Return where the page begins, None at the newest event; raise ProblemError."""
        if self.cursor is None:
            return None
        try:
            return decode_cursor(self.cursor)
        except CursorError as error:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-cursor", str(error)
            ) from None


def reading_router(archive: EventArchive, tokens: TokenReader) -> APIRouter:
    """Return the routes that read events; they need the scope `events:read`."""
    router = APIRouter(
        prefix="/v1/events",
        tags=["events"],
        dependencies=[Depends(caller_with(tokens, "events:read"))],
        responses=_PROBLEMS,
    )

    @router.get("", operation_id="listEvents", summary="List events")
    def list_events(query: Annotated[ListQuery, Query()]) -> EventPage:
        """Return events, newest first."""
        return archive.page(query.filter(), query.place(), query.limit)

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
