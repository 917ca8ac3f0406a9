"""Cursors: round trip, and refusal of anything else."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from eventflow_api.cursors import Cursor, CursorError, decode_cursor

CURSOR = Cursor(
    datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    UUID("00000000-0000-4000-8000-000000000001"),
)


def encoded(content: object) -> str:
    """Return `content` as a cursor would be written."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_cursor_survives_a_round_trip_to_the_microsecond() -> None:
    """Decoding gives the very place that was encoded."""
    assert decode_cursor(CURSOR.encode()) == CURSOR


def test_cursor_needs_no_escaping_in_a_url() -> None:
    """The text holds only characters that a query takes as they are."""
    assert CURSOR.encode().replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "Mg",
        "é",
        encoded([]),
        encoded(["2026-03-01T12:00:00", str(CURSOR.event_id)]),
        encoded(["2026-03-01T12:00:00+00:00", "no uuid"]),
        encoded(["2026-03-01T12:00:00+00:00", 7]),
        encoded([7, str(CURSOR.event_id)]),
        encoded({"a": 1, "b": 2}),
        CURSOR.encode()[:-6],
        CURSOR.encode() + "AAAA",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    """Anything that `encode` did not make is a CursorError."""
    with pytest.raises(CursorError):
        decode_cursor(text)
