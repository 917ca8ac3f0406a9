"""What a run does when something fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes on when something fails.

    Attributes:
        fail_fast: Stop at the first task that does not pass.
        keep_going: Run tasks although those they need failed.
        retries: How often a task that did not pass runs once more.
    """

    fail_fast: bool = False
    keep_going: bool = False
    retries: int = 0
