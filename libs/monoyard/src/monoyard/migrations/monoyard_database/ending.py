"""How the programs that use a store end: every failure is one line and an exit status."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from .backup import DumpError
from .lines import Lines, one_line
from .restore import RestoreError
from .statuses import FAILED, NOTHING
from .store import StoreError


def ended(lines: Lines, do: Callable[[], int]) -> int:
    """Do something; return its exit status, or that of its failure, which is told."""
    try:
        return do()
    except (StoreError, RestoreError) as error:
        status, message = error.status, str(error)
    except psycopg.OperationalError as error:
        status, message = NOTHING, one_line(error)
    except (DumpError, OSError, psycopg.Error) as error:
        status, message = FAILED, one_line(error)
    lines.write("failed", status=status, message=message)
    return status
