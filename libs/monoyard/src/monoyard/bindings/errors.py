"""The one place that turns an error into words and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator

from monoyard.errors import MonoyardError

OUR_OWN_BUG = 70
_BROKEN_PIPE = 141
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def explain(error: BaseException) -> tuple[list[str], int]:
    """Return the lines that explain an error and the exit code of its band."""
    if isinstance(error, MonoyardError):
        return list(_known(error)), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted"], 130
    if isinstance(error, BrokenPipeError):
        return [], _BROKEN_PIPE
    if isinstance(error, OSError) and (error.filename or error.errno in _FULL):
        where = f"{error.filename}: " if error.filename else ""  # a write does not know the name
        return [f"error[machine]: {where}{error.strerror}"], 20
    lines = [f"error[internal]: {type(error).__name__}: {error}"]
    if os.environ.get("MONOYARD_TRACEBACK"):
        lines += "".join(traceback.format_exception(error)).rstrip().splitlines()
    lines.append("hint: this is a fault of monoyard itself; MONOYARD_TRACEBACK=1 shows where")
    return lines, OUR_OWN_BUG


def report(error: BaseException) -> int:
    """Print an error to standard error, after all that was answered before; return the code."""
    lines, code = explain(error)
    _finish_output()
    for line in lines:
        print(line, file=sys.stderr)
    return code


def _finish_output() -> None:
    """Write what is buffered; where nobody reads any more, drop it without a further word."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python itself flushes once more at its end, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _known(error: MonoyardError) -> Iterator[str]:
    yield f"error[{error.code}]: {error.message}"
    yield from (f"  {line}" for line in error.context)
    if error.hint:
        yield f"hint: {error.hint}"
