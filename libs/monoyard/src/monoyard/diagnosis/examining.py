"""Does all checks at once, each for so long and no longer; what one of them does harms no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from monoyard.diagnosis.finding import Finding
from monoyard.errors import MonoyardError

_AT_ONCE: Final = 8
_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One question.

    Attributes:
        name: Its name.
        field: What it is about: a key of `FIELDS`.
        ask: Returns what there is to say.
    """

    name: str
    field: str
    ask: Callable[[], Iterable[Finding]]


def examine(checks: Sequence[Check], seconds: float = _SECONDS) -> tuple[tuple[str, Finding], ...]:
    """Return what all checks find, each with its field, in the order of the checks.

    A check that fails by itself finds out nothing, which is told. One that takes too long is left
    alone: its thread ends with the process.

    Args:
        checks: The questions.
        seconds: How long each may take from when it begins, and how long it may wait for that.
    """
    turns = threading.Semaphore(_AT_ONCE)
    runs = [_Run(check, turns) for check in checks]
    for run in runs:
        threading.Thread(target=run.do, name=f"check {run.check.name}", daemon=True).start()
    return tuple((run.check.field, item) for run in runs for item in run.result(seconds))


class _Run:
    """One check under way."""

    def __init__(self, check: Check, turns: threading.Semaphore) -> None:
        self.check = check
        self._turns = turns
        self._begun, self._done = threading.Event(), threading.Event()
        self._found: tuple[Finding, ...] = ()

    def do(self) -> None:
        """Ask."""
        with self._turns:
            self._begun.set()
            try:
                self._found = tuple(self.check.ask())
            except MonoyardError as error:
                said = (
                    error.message if not error.context else f"{error.message}: {error.context[0]}"
                )
                self._found = (self._unknown(said, error.hint or ""),)
            except Exception as error:  # noqa: BLE001  a fault of ours hides no other finding
                said = f"the check failed by itself: {type(error).__name__}: {error}"
                self._found = (self._unknown(said, "this is a fault of monoyard"),)
            finally:
                self._done.set()

    def result(self, seconds: float) -> tuple[Finding, ...]:
        """Return what was found, in so many seconds at most from when it began."""
        if self._begun.wait(seconds) and self._done.wait(seconds):
            return self._found
        return (self._unknown(f"it did not end within {seconds:g} s", ""),)

    def _unknown(self, said: str, hint: str) -> Finding:
        return Finding(self.check.name, "unknown", said, hint)
