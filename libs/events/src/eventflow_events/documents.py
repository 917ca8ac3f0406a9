"""Events as JSON-able documents, in and out."""

from typing import Any, cast

from pydantic import ValidationError

from eventflow_events.errors import InvalidEventError, UnknownEventError
from eventflow_events.union import EVENT_ADAPTER, Event, LatestEvent, event_name

_UNKNOWN_TAG = "union_tag_invalid"


def parse_event(document: object) -> Event:
    """Return the event that `document` (parsed JSON) holds, in the version it was written in.

    Raises UnknownEventError for a type or version that this release does not know and
    InvalidEventError for wrong content.
    """
    try:
        return cast("Event", EVENT_ADAPTER.validate_python(document))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        name = event_name(document)
        if any(fault["type"] == _UNKNOWN_TAG for fault in faults):
            raise UnknownEventError(name) from None
        # The first part of a location is the union's tag, which the name already says.
        words = tuple(f"{'.'.join(map(str, f['loc'][1:]))}: {f['msg']}" for f in faults)
        raise InvalidEventError(name, words) from None


def event_document(event: Event | LatestEvent) -> dict[str, Any]:
    """Return `event` as JSON-able values, without the fields that are absent."""
    document: dict[str, Any] = event.model_dump(mode="json", exclude_none=True)
    return document
