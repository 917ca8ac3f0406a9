"""Plain lines for each thing that happens: for pipes, logs and CI."""

from __future__ import annotations

import sys
from typing import TextIO

from monoyard.report.words import announce, count
from monoyard.run import AttemptFailed, BatchStarted, Event, Preparing, Stopping, TaskEnded


class PlainReport:
    """Prints to standard error; what needed no process is left to the verdict."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, TaskEnded):
            if event.batch:
                for line in announce(event.result):
                    self._say(line)
        elif isinstance(event, AttemptFailed):
            for line in announce(event.result):
                self._say(line)
            self._say(f"AGAIN {event.result.task}, {count(event.left, 'attempt')} left")
        elif isinstance(event, Preparing):
            self._say(f"{event.words} ...")
        elif isinstance(event, Stopping):
            self._say(f"stopping: {event.why}")
        elif isinstance(event, BatchStarted) and len(event.tasks) == 1:
            self._say(f"RUN   {event.tasks[0]}")

    def close(self) -> None:
        """Nothing is left on the screen."""

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)
