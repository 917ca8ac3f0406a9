"""Where a page of a list ends and the next begins, as text that callers hand back."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class CursorError(ValueError):
    """The text is no cursor of this service."""


@dataclass(frozen=True)
class Cursor:
    """The last event of a page: the next page holds what was received before it."""

    received_at: datetime
    event_id: UUID

    def encode(self) -> str:
        """Return the cursor as text for a URL."""
        content = json.dumps([self.received_at.isoformat(), str(self.event_id)])
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """Return the cursor that `encode` made; raise CursorError for any other text."""
    try:
        padded = text + "=" * (-len(text) % 4)
        moment, event_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        received_at = datetime.fromisoformat(moment)
        if received_at.utcoffset() is None:
            raise CursorError("not a cursor of this list")
        return Cursor(received_at, UUID(event_id))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        raise CursorError("not a cursor of this list") from None
