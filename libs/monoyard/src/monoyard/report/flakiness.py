"""Flaky tasks in print."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from monoyard.report.words import count

_SHOWN: Final = 20


def flaky_lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each flaky task with its tests and its history, an outcome of a run a line.

    Args:
        found: What `invoke flaky --json` lists.
    """
    tasks = 0
    for item in found:
        tasks += 1
        total = item["passed"] + item["failed"]
        yield f"{item['task']}  failed {item['failed']} of {total}  key {item['key'][:12]}"
        yield from (f"  {name}" for name in item["tests"])
        for ended in item["history"][-_SHOWN:]:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ended["at"]))
            yield f"  {at}  {'passed' if ended['passed'] else 'failed'}  {ended['run']}"
    yield f"{count(tasks, 'task')} passed and failed under one key"
