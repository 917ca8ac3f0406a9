"""One JSON object per log line, on standard error, with the ids of the request that caused it."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from eventflow_servicekit.correlation import current_correlation_id, current_request_id

# What logging (and uvicorn, for terminals) puts on a record; the rest came in through `extra=`.
_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON.

    Keys: `time` (ISO 8601, UTC), `level`, `logger`, `message`, `service`, `release`; `request_id`
    and `correlation_id` inside a request; `error` with type, message and stack for exceptions; and
    the fields given as `extra`.
    """

    def __init__(self, *, service: str, release: str) -> None:
        super().__init__()
        self._constant = {"service": service, "release": release}

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON without a newline at the end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._constant,
        }
        ids = {"request_id": current_request_id(), "correlation_id": current_correlation_id()}
        line.update({name: value for name, value in ids.items() if value is not None})
        line.update({k: v for k, v in vars(record).items() if k not in _OWN_ATTRIBUTES})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = {
                "type": record.exc_info[0].__qualname__,
                "message": str(record.exc_info[1]),
                "stack": self.formatException(record.exc_info),
            }
        return json.dumps(line, default=str, ensure_ascii=False)


def configure_logging(
    *, service: str, release: str, level: str = "INFO", stream: TextIO | None = None
) -> None:
    """Send every logger of the process to `stream` (standard error) as JSON, replacing handlers.

    `level` is the name of a logging level; `service` and `release` appear on each line.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonFormatter(service=service, release=release))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
