"""What a run is asked for, and which tasks are therefore no part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monoyard.changes import Base, Event
from monoyard.plan.causes import Cause
from monoyard.plan.task import Task


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person or an event asks for.

    Attributes:
        packages: Package names; empty means all.
        suites: Suite names; empty means all.
        exclude: Package names to leave out.
        since: Ref to count changes from; None lets the event or the branch decide.
        only_affected: Select only what a change can alter.
        force: Run although the result is known, and store it again.
        use_cache: Read and store results.
        whole: Select what no change affects as well, whatever says where changes are counted from.
    """

    packages: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    since: str | None = None
    only_affected: bool = False
    force: bool = False
    use_cache: bool = True
    whole: bool = False

    def narrows_by_change(self, event: Event) -> bool:
        """Whether what no change affects is left out."""
        is_asked = self.only_affected or self.since is not None or event.narrows
        return is_asked and not self.whole


def left_out_tasks(
    tasks: Iterable[Task],
    selection: Selection,
    causes: Mapping[str, tuple[Cause, ...]] | None,
    base: Base,
) -> dict[str, str]:
    """Return task id to the reason why it is no part of the run."""
    tasks = tuple(tasks)
    reasons: dict[str, str] = {}
    for task in tasks:
        if selection.packages and task.package not in selection.packages:
            reasons[task.id] = "the package was not named"
        elif task.package in selection.exclude:
            reasons[task.id] = "excluded on the command line"
        elif selection.suites and task.suite not in selection.suites:
            reasons[task.id] = "the suite was not named"
        elif causes is not None and not causes[task.id]:
            reasons[task.id] = f"no change since {base.how} affects it"
    by_id = {task.id: task for task in tasks}
    queue = [need for task in tasks if task.id not in reasons for need in task.needs]
    while queue:
        need = queue.pop()
        if reasons.pop(need, None) is not None:
            queue.extend(by_id[need].needs)
    return reasons
