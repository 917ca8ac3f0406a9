"""What an audit came to: the last lines after the verdict of its run."""

from __future__ import annotations

from collections.abc import Iterator

from monoyard.observing import Audit
from monoyard.report.words import count

_NAMED = 8


def audit_lines(audit: Audit) -> Iterator[str]:
    """Yield how much was read outside of keys, and what nobody could see."""
    if audit.findings:
        names = audit.tasks_with_findings
        named = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        outside = "thing was" if audit.findings == 1 else "things were"
        yield (
            f"audit: {audit.findings} {outside} read outside of keys, by {len(names)} of "
            f"{count(audit.tasks, 'task')}: {named}"
        )
    else:
        said = count(audit.tasks, "task")
        yield f"audit: nothing was read outside of keys, by {said}, as far as Python can tell"
    if audit.unwatched:
        programs = ", ".join(
            f"{name} ({count(len(tasks), 'task')})" for name, tasks in audit.unwatched.items()
        )
        yield f"not watched: {programs}"
