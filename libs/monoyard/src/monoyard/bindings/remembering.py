"""Runs in which nothing has changed: told again from memory, see docs/adr/0028.

Nothing of the rooms that plan is imported here: that alone costs more than all that is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monoyard.cache import Store
from monoyard.recall import STATE_DIRECTORY, Look, Memory, Records, RememberedRun
from monoyard.results import duration

NO_TIME: Final = b'time="0.000"'
"""What stands first in a remembered JUnit file for the duration of the run."""


def tell_again(look: Look, words: Sequence[str]) -> bool:
    """Tell and record a run as it was, where all that it hangs on is still the same.

    Args:
        look: The checkout.
        words: The session's suites and what was typed.

    Returns:
        False where the run has to be planned.
    """
    began = time.monotonic()
    if not look.static:
        return False
    state = Path(look.place[0], STATE_DIRECTORY)
    run = Memory(state).recall(look.static, words)
    if run is None or look.present_state() != run.state or not _is_stored(run):
        return False
    records = Records(state / "runs")
    run_id = records.new_id(time.time())
    directory = records.begin(run_id)
    seconds = time.monotonic() - began
    head = {**run.head, "run": run_id, "seconds": round(seconds, 3)}
    start = json.dumps(head, separators=(",", ":")).encode()[:-1]
    records.write(directory, start + b"," + run.record)
    took = f'time="{seconds:.3f}"'.encode()
    (directory / "junit.xml").write_bytes(run.junit.replace(NO_TIME, took, 1))
    records.prune()
    print("\n".join((*run.lines, run.last_line + duration(seconds))))
    return True


def _is_stored(run: RememberedRun) -> bool:
    store = Store.open(Path(run.store), limit_bytes=0, read_only=True)
    try:
        return store.has_all(run.keys)
    finally:
        store.close()
