"""What a program tells: a JSON line for each event."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO


class Lines:
    """Writes JSON lines to what was standard output; whatever else prints goes to standard error.

    An `env.py` and the revisions may print, and one line of theirs would break a reader.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        self._stream: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def write(self, event: str, **fields: Any) -> None:
        """Write one event at once, so that it is seen although the process dies."""
        self._stream.write(json.dumps({"event": event, **fields}, default=str) + "\n")
        self._stream.flush()


def one_line(error: BaseException) -> str:
    """Return what went wrong in one line, with its kind."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}"[:500].rstrip(": ")
