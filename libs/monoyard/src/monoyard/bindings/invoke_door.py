"""What every task of the invoke door shares: errors in words, packages after `--`, JSON."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

from invoke.context import Context
from invoke.exceptions import Exit

JSON: Final = "print JSON; `--json=FILE` writes it"
ENVIRONMENT: Final = "the environment"


def guarded(body: Callable[..., None]) -> Callable[..., None]:
    """Turn an error into words and an exit code; invoke ends the process with it."""

    @functools.wraps(body)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            body(*arguments, **options)
            sys.stdout.flush()  # here, a reader that went away is still an error of ours to tell
        except Exit:
            raise
        except KeyboardInterrupt:
            raise Exit("interrupted", code=130) from None
        except Exception as error:  # noqa: BLE001  the error printer of this door
            from monoyard.bindings.errors import report

            raise Exit(code=report(error)) from None

    return run


def words_of(context: Context) -> list[str]:
    """Return what stands after `--`."""
    import shlex

    return shlex.split(context.remainder)


def target_of(value: str | bool | None) -> str | None:
    """Return None without `--json`, an empty string for standard output, else the file."""
    if value is None or value is False:
        return None
    return "" if value is True else str(value)
