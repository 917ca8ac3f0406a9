"""Who carries a deployment out from this door, and what a person sees of it meanwhile."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from monoyard.bindings.answering import answer
from monoyard.bindings.delivering import Place
from monoyard.bindings.interrupting import terminable
from monoyard.delivery import Record
from monoyard.delivery.runner import Told
from monoyard.deployment import Crew, Mirroring
from monoyard.errors import ClusterError, InterruptedRunError, MonoyardError
from monoyard.report.deliveries import record_data, record_line

_VERSION: Final = 1
_FACTS: Final = ("revision", "message", "aborted")


def crew_of(place: Place, mirroring: Mirroring | None = None) -> Crew:
    """Return who carries something out: this process, by its own name.

    Args:
        place: The environment.
        mirroring: When its ledger is mirrored; None for never.
    """
    by = f"{_user()}@{socket.gethostname()}"
    holder = f"{by}:{os.getpid()}-{secrets.token_hex(4)}"
    settings = place.settings
    return Crew(
        by, holder, place.clock, settings.timeouts, settings.max_pause, _tell, _say, mirroring
    )


@contextmanager
def recorded(place: Place, target: str | None) -> Iterator[None]:
    """Print how what is done in a block ended, however it did.

    Args:
        place: The environment.
        target: Where JSON goes, as `answer` takes it.

    Raises:
        InterruptedRunError: SIGINT or SIGTERM came: what stands, and how to go on.
    """
    before = {
        (record.number, len(record.entries))
        for record in place.ledger.history()
        if record.outcome != "open"
    }
    try:
        with terminable():
            yield
    except KeyboardInterrupt:
        raise _interrupted(place, before) from None
    except MonoyardError:
        _answer(place, before, target)
        raise
    _answer(place, before, target)


def _answer(place: Place, before: Collection[tuple[int, int]], target: str | None) -> None:
    try:
        record = _latest(place, before)
    except ClusterError:
        return  # whatever ended the block is told, and says the same
    if record is not None:
        data = {"version": _VERSION, "environment": place.name, "deployment": record_data(record)}
        answer([record_line(record)], data, target)


def _latest(place: Place, before: Collection[tuple[int, int]]) -> Record | None:
    """Return the newest record, if it is not as it was."""
    newest = next(iter(place.ledger.history()), None)
    is_new = newest is not None and (newest.number, len(newest.entries)) not in before
    return newest if is_new else None


def _interrupted(place: Place, before: Collection[tuple[int, int]]) -> InterruptedRunError:
    """Say what stands: the cluster goes on without us."""
    try:
        record = _latest(place, before)
    except ClusterError as error:
        return InterruptedRunError("interrupted", context=(error.message,))
    if record is None:
        return InterruptedRunError("interrupted before anything was changed")
    last = record.entries[-1] if record.entries else None
    where = f"{last.step} ({last.state})" if last else "its beginning"
    return InterruptedRunError(
        f"interrupted: deployment {record.number} stands at {where}",
        context=("rollouts that were begun go on by themselves, up to their last step",),
        hint=f"`invoke deploy --env {place.name} --resume` goes on with it",
    )


def _tell(told: Told) -> None:
    facts = [f"{name} {told.facts[name]}" for name in _FACTS if told.facts.get(name)]
    _say(" ".join([told.step, told.state, *facts]))


def _say(words: str) -> None:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    print(f"{now} {words}", file=sys.stderr, flush=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return str(os.getuid())
