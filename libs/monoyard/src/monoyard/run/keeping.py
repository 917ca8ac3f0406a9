"""Stores results of tasks that passed, but only where their inputs stood still meanwhile.

A file that is edited while a task runs makes its result one of neither state. So before anything is
stored the tree is looked at again, and a task whose key would be another now, or whose inputs were
written since the run began, is not kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from monoyard import __version__
from monoyard.cache import Item, Source, Store, StoredFile, StoredResult
from monoyard.cache import Outcome as StoredOutcome
from monoyard.errors import MonoyardError
from monoyard.plan import Manifest, Plan, PlannedTask
from monoyard.results import Outcome, TaskResult
from monoyard.run.outputs import read_outputs
from monoyard.run.steadiness import Steadiness

_INTERVAL_SECONDS = 5.0
# Reading the tree again costs its share of a large repository's run; this bounds the share.
_SHARE_OF_TIME = 0.02

_Pending = tuple[PlannedTask, TaskResult, tuple[StoredFile, ...]]


class Keeper:
    """Keeps results for one run.

    Args:
        store: Where they go.
        plan: What is run.
        look_again: Returns the manifests that tasks of the plan, by id, have as things are now.
        workspace_id: Names the workspace in the store.
        run_id: Names the run in the store.
        began: Unix nanoseconds before the plan's tree was read.
        clock: Unix seconds; may be set back meanwhile.
        steady: Seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        store: Store,
        plan: Plan,
        look_again: Callable[[frozenset[str]], Mapping[str, Manifest]],
        workspace_id: str,
        run_id: str,
        began: int,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._plan = plan
        self._workspace = plan.workspace
        self._began = began
        self._look_again = look_again
        self._workspace_id = workspace_id
        self._run_id = run_id
        self._clock = clock
        self._steady = steady
        self._ahead = clock() - steady()
        self._pending: list[_Pending] = []
        self._outcomes: list[StoredOutcome] = []
        self._durations: dict[str, float] = {}
        self._next_flush = clock() + _INTERVAL_SECONDS
        self.notes: list[str] = []

    def add(
        self, planned: PlannedTask, result: TaskResult, outputs: tuple[StoredFile, ...] = ()
    ) -> None:
        """Take a result with what the task left; it is stored with the next flush if it passed."""
        manifest = planned.manifest
        if manifest is None or result.outcome not in {Outcome.PASS, Outcome.FAIL, Outcome.ERROR}:
            return
        passed = result.outcome is Outcome.PASS
        self._outcomes.append(
            StoredOutcome(manifest.key, result.task, passed, self._run_id, self._clock())
        )
        self._durations[result.task] = result.seconds
        if passed and planned.task.is_cacheable:
            self._pending.append((planned, result, outputs))
            if self._clock() > self._next_flush:
                self.flush()

    def flush(self) -> None:
        """Store what is pending and still true."""
        began = self._clock()
        self._store_pending()
        took = self._clock() - began
        self._next_flush = began + max(_INTERVAL_SECONDS, took / _SHARE_OF_TIME)

    def _store_pending(self) -> None:
        if self._outcomes:
            self._store.history.record_outcomes(self._outcomes)
            self._store.history.record_durations(self._workspace_id, self._durations)
            self._outcomes, self._durations = [], {}
        pending, self._pending = self._pending, []
        if not pending:
            return
        kept: list[_Pending] = []
        moved = self._moved([planned for planned, _, _ in pending])
        for planned, result, outputs in pending:
            if what := moved[planned.task.id]:
                self.notes.append(
                    f"{result.task}: {what} changed while it ran, so its result was not kept"
                )
            elif outputs and read_outputs(self._workspace, planned.task) != outputs:
                self.notes.append(
                    f"{result.task}: its outputs changed after it ran, so its result was not kept"
                )
            else:
                kept.append((planned, result, outputs))
        stored = [self._item(*item) for item in kept]
        self._store.put_many(stored)
        successes = {item.task: item.key for item, _ in stored}
        self._store.history.record_successes(self._workspace_id, successes)

    def _moved(self, pending: Iterable[PlannedTask]) -> dict[str, str]:
        """Return what changed of the inputs of each task, by id; empty where nothing did."""
        tasks = {planned.task.id: planned for planned in pending}
        try:
            now = self._look_again(frozenset(tasks))
        except MonoyardError as error:
            return dict.fromkeys(tasks, f"the workspace ({error.message})")
        inputs = Steadiness(self._plan, self._began - self._set_back())
        return {name: inputs.changed(planned, now.get(name)) for name, planned in tasks.items()}

    def _set_back(self) -> int:
        """Return by how many nanoseconds the clock was set back: what is written now is as early.

        Where it was set back and forth again nobody can know.
        """
        return max(0, round((self._ahead - (self._clock() - self._steady())) * 1e9))

    def _item(
        self, planned: PlannedTask, result: TaskResult, outputs: tuple[StoredFile, ...]
    ) -> Item:
        if planned.manifest is None:
            raise ValueError(f"{result.task} has no key")
        directory = self._workspace.top / self._workspace.packages[planned.task.package].directory
        sources: dict[str, Source] = {file.digest: directory / file.path for file in outputs}
        artifacts = []
        for name, place in sorted(result.files.items()):
            file = StoredFile.of_file(name, Path(place))
            sources[file.digest] = Path(place)
            artifacts.append(file)
        payload = result.to_data()
        payload["files"] = {}
        stored = StoredResult(
            planned.manifest.key, result.task, payload, outputs, tuple(artifacts), result.seconds,
            self._clock(), __version__,
        )  # fmt: skip
        return stored, sources
