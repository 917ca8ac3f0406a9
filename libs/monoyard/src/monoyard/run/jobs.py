"""The child processes of a run: the steps of its batches, each under the warden of its venv."""

from __future__ import annotations

import secrets
import selectors
import sys
import tempfile
from pathlib import Path
from typing import Final

from monoyard.install import Venvs
from monoyard.process import Exit, Job, Supervisor, clean
from monoyard.run.batch import Batch
from monoyard.suites import Finished, Step, VenvSpec

_PRELOAD: Final = ("pytest", "coverage", "unittest.mock", "xml.etree.ElementTree")


class Jobs:
    """Starts child processes, and knows whose they are.

    Args:
        venvs: Where venvs are.
        selector: Is told to look at the wardens; what it says of one is the warden itself.
    """

    def __init__(self, venvs: Venvs, selector: selectors.BaseSelector) -> None:
        self._venvs = venvs
        self._selector = selector
        self._running: dict[int, tuple[Batch, Step, Supervisor]] = {}
        self._supervisors: dict[str, Supervisor] = {}
        self._count = 0

    @property
    def next_number(self) -> int:
        """Number of the process that is started next."""
        return self._count + 1

    def start(self, batch: Batch, step: Step) -> None:
        """Start the next step of a batch."""
        self._count += 1
        done = len(batch.finished)
        supervisor = self._supervisor(step.venv)
        self._running[self._count] = (batch, step, supervisor)
        # pytest keeps directories of its last three runs and removes older ones, which fails a run
        # while others do the same. Each process has a place of its own, which goes with it.
        # It is made by the one that removes it, so that none is left where this process is killed.
        temporary = Path(tempfile.gettempdir(), f"monoyard-{secrets.token_hex(4)}")
        supervisor.start(
            Job(
                self._count,
                step.cwd,
                {**step.env, "PYTEST_DEBUG_TEMPROOT": str(temporary)},
                remove=temporary,
                argv=step.argv,
                module=step.module,
                arguments=step.arguments,
                path=step.path,
                stdout=batch.scratch / f"{done}.out",
                stderr=batch.scratch / f"{done}.err",
                timeout=step.stops_after or batch.timeout,
            )
        )

    def start_server(self, job: Job) -> None:
        """Start what is of no batch; its number is `next_number`."""
        self._count += 1
        self._supervisor(None).start(job)

    def take(self, ended: Exit) -> Batch:
        """Add a step that ended to what its batch has finished; return the batch."""
        batch, step, _ = self._running.pop(ended.number)
        place = batch.scratch / str(len(batch.finished))
        said = (_read(place.with_suffix(".out")), _read(place.with_suffix(".err")))
        batch.finished.append(Finished(step, ended, *said))
        return batch

    def stop(self) -> None:
        """Have every step stop; its batch is marked as stopped."""
        for number, (batch, _, supervisor) in self._running.items():
            batch.is_stopped = True
            supervisor.stop(number)

    def close(self) -> None:
        """End the wardens, and whatever is left under them."""
        for supervisor in self._supervisors.values():
            supervisor.close()

    def _supervisor(self, venv: VenvSpec | None) -> Supervisor:
        """Return the warden of a venv with pytest loaded, or that of the engine's interpreter."""
        key = venv.key if venv else ""
        if key not in self._supervisors:
            python = self._venvs.path(venv) / "bin" / "python" if venv else Path(sys.executable)
            found = Supervisor(python, env=clean(), preload=_PRELOAD if venv else ())
            self._supervisors[key] = found
            self._selector.register(found.fileno(), selectors.EVENT_READ, found)
        return self._supervisors[key]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
