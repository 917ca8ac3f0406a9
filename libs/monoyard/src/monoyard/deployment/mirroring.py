"""The ledger's mirror: what was done, kept beside the backups, where it outlives the cluster.

The store is reached by pods alone, so a Job puts the records there; it mounts them from the
cluster. Whatever becomes of it, a deployment goes on: it is told, and tried again with whatever is
written next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from monoyard.delivery import Ledger, Record
from monoyard.deployment.job_runs import Runs
from monoyard.deployment.mirror_jobs import Push
from monoyard.deployment.mirror_settings import MirrorSettings
from monoyard.errors import LeaseLostError, MonoyardError

_LAST_SECONDS: Final = 30.0
# An earlier runner may have ended before all of its own was mirrored.
_EARLIER: Final = 20

Put = Callable[[Collection[Record]], None]
Mirroring = Callable[[Put, Callable[[str], None]], AbstractContextManager[Callable[[Record], None]]]
"""Takes what puts records, and who is told; gives what is to be told of each record written."""


class Pending:
    """Records that are not mirrored yet; safe for threads.

    Args:
        put: Puts records.
        say: Is told what becomes of it, once for each change.
    """

    def __init__(self, put: Put, say: Callable[[str], None]) -> None:
        self._put = put
        self._say = say
        self._records: dict[int, Record] = {}
        self._lock = threading.Lock()
        self._problem = ""

    def add(self, record: Record) -> None:
        """Take note of a record as it was written last."""
        with self._lock:
            self._records[record.number] = record

    @property
    def count(self) -> int:
        """How many records are not mirrored as they were written last."""
        with self._lock:
            return len(self._records)

    def drop(self) -> None:
        """Leave what is not mirrored yet to others."""
        with self._lock:
            self._records.clear()

    def silence(self) -> None:
        """Say nothing from now on: whoever would hear it is gone."""
        self._say = lambda _: None

    def send(self) -> None:
        """Try once to put all of them; what is written meanwhile stays for the next time."""
        with self._lock:
            taken = dict(self._records)
        if not taken:
            return
        try:
            self._put(tuple(taken.values()))
        except MonoyardError as error:
            self._tell(f"{error.message}")
            return
        except Exception as error:  # noqa: BLE001  it must not harm what is mirrored
            self._tell(f"{type(error).__name__}: {error}")
            return
        if self._problem:
            self._problem = ""
            self._say("the ledger is mirrored again")
        with self._lock:
            self._records = {
                number: record
                for number, record in self._records.items()
                if record is not taken.get(number)
            }

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._say(f"the ledger is not mirrored: {problem}; tried again with the next step")


@contextmanager
def in_background(
    put: Put, say: Callable[[str], None], last_seconds: float = _LAST_SECONDS
) -> Iterator[Callable[[Record], None]]:
    """Mirror beside what goes on: one Job after the other, each with all that was written by then.

    Args:
        put: Puts records.
        say: Is told what becomes of it.
        last_seconds: How long the end waits for the last of them. The Job goes on without us.
    """
    pending = Pending(put, say)
    written, ended = threading.Event(), threading.Event()

    def work() -> None:
        while True:
            written.wait()
            written.clear()
            # Seen before it is sent: what is written until the end was noted by then.
            is_last = ended.is_set()
            pending.send()
            if is_last:
                return

    def note(record: Record) -> None:
        pending.add(record)
        written.set()

    worker = threading.Thread(target=work, name="mirror", daemon=True)
    worker.start()
    try:
        yield note
    except (KeyboardInterrupt, SystemExit):
        last_seconds = 0.0  # somebody wants to get away
        raise
    except LeaseLostError:
        last_seconds = 0.0
        pending.drop()  # whoever took over mirrors it, and this runner writes nothing any more
        raise
    finally:
        ended.set()
        written.set()
        worker.join(last_seconds)
        pending.silence()
        if pending.count:
            say("the ledger is not mirrored to its end: the next deployment sees to that")


@contextmanager
def mirrored(
    mirroring: Mirroring | None,
    settings: MirrorSettings | None,
    ledger: Ledger,
    runs: Runs,
    where: tuple[str, str],
) -> Iterator[Ledger]:
    """Give a ledger whose records are mirrored as they are written, and the newest of before.

    Args:
        mirroring: When that is done; None for never.
        settings: By what, and to where; None where nobody says.
        ledger: The ledger.
        runs: Under what Jobs run.
        where: Name of the environment, and what tells the Jobs of this runner from others.
    """
    if mirroring is None or settings is None:
        yield ledger
        return
    environment, run = where
    push = Push(environment, settings, runs, run)
    with mirroring(push, runs.tell) as note:
        for record in ledger.history()[:_EARLIER]:
            note(record)
        yield Ledger(runs.namespace, environment, runs.clock, note)
