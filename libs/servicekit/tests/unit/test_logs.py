"""Logs: one JSON object per line, with the ids of the request."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from eventflow_servicekit.correlation import correlated
from eventflow_servicekit.logs import configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Yield the stream that the process logs to; put the root logger back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    captured = io.StringIO()
    configure_logging(service="example", release="r1", level="INFO", stream=captured)
    yield captured
    root.handlers[:] = handlers
    root.setLevel(level)


def test_line_is_one_json_object_with_extra_fields(stream: io.StringIO) -> None:
    """A record becomes one line with its message, constants and extra fields."""
    logging.getLogger("app").info("took %d\nevents", 3, extra={"batch": 7})
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    line = json.loads(lines[0])
    assert line["message"] == "took 3\nevents"
    assert (line["service"], line["release"], line["batch"]) == ("example", "r1", 7)


def test_ids_appear_only_inside_their_context(stream: io.StringIO) -> None:
    """Lines inside `correlated` carry the correlation id and later lines do not."""
    log = logging.getLogger("app")
    with correlated("order-17"):
        log.info("inside")
    log.info("outside")
    inside, outside = map(json.loads, stream.getvalue().splitlines())
    assert inside["correlation_id"] == "order-17"
    assert "correlation_id" not in outside


def test_exception_is_kept_with_type_and_stack(stream: io.StringIO) -> None:
    """An exception is logged as type, message and stack inside the same line."""
    try:
        int("no such thing")
    except ValueError:
        logging.getLogger("app").exception("failed")
    error = json.loads(stream.getvalue())["error"]
    assert error["type"] == "ValueError"
    assert "no such thing" in error["message"]
    assert "test_logs.py" in error["stack"]


def test_secret_in_extra_stays_redacted(stream: io.StringIO) -> None:
    """A SecretStr given as an extra field prints redacted."""
    logging.getLogger("app").info("connecting", extra={"password": SecretStr("hunter2")})
    assert "hunter2" not in stream.getvalue()
