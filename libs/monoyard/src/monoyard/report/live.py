"""The live display on a terminal: what runs, what is left, how long it will take.

The only module that imports rich, which costs 80 ms and is of no use where nobody watches.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from monoyard.report.words import announce, count
from monoyard.results import Outcome, duration
from monoyard.run import AttemptFailed, BatchStarted, Event, Preparing, Stopping, TaskEnded

_ROWS = 12


class LiveReport:
    """Shows a board that is redrawn eight times a second; failures scroll by above it.

    Args:
        estimates: Expected seconds of the tasks that will run.
        cpus: Processors that work on them.
    """

    def __init__(self, estimates: Mapping[str, float], cpus: int) -> None:
        self._left = dict(estimates)
        self._total = sum(estimates.values()) or 1.0
        self._cpus = cpus
        self._running: dict[int, tuple[tuple[str, ...], float]] = {}
        self._preparing = ""
        self._console = Console(stderr=True)
        self._live = Live(
            console=self._console, refresh_per_second=8, get_renderable=self._board, transient=True
        )
        self._live.start()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, BatchStarted):
            self._running[event.batch] = (event.tasks, time.monotonic())
        elif isinstance(event, TaskEnded):
            self._left.pop(event.result.task, None)
            self._take_off(event.result.task, event.batch)
            if event.result.outcome not in {Outcome.PASS, Outcome.SKIP}:
                self._console.print(Text("\n".join(announce(event.result)), style="bold red"))
        elif isinstance(event, AttemptFailed):
            self._take_off(event.result.task, event.batch)
            lines = [*announce(event.result), f"again, {count(event.left, 'attempt')} left"]
            self._console.print(Text("\n".join(lines), style="bold yellow"))
        elif isinstance(event, Preparing):
            self._preparing = event.words
        elif isinstance(event, Stopping):
            self._console.print(Text(f"stopping: {event.why}", style="yellow"))

    def _take_off(self, ended: str, batch: int) -> None:
        tasks, began = self._running.get(batch, ((), 0.0))
        rest = tuple(task for task in tasks if task != ended)
        if rest:
            self._running[batch] = (rest, began)
        else:
            self._running.pop(batch, None)

    def close(self) -> None:
        """Take the board away; the verdict follows."""
        self._live.stop()

    def _board(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for tasks, began in list(self._running.values())[:_ROWS]:
            name = tasks[0] if len(tasks) == 1 else f"{tasks[0]} and {len(tasks) - 1} more"
            table.add_row("running", name, duration(time.monotonic() - began))
        if self._preparing and not self._running:
            table.add_row("preparing", self._preparing, "")
        left = sum(self._left.values())
        bar = ProgressBar(total=self._total, completed=self._total - left, width=30)
        line = Table.grid(padding=(0, 2))
        line.add_row(
            bar, f"{count(len(self._left), 'task')} left", f"about {duration(left / self._cpus)}"
        )
        return Group(table, line)
