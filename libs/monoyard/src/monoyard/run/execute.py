"""Executes a plan: replays what is known, runs the rest, keeps what passed, writes the record."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monoyard.cache import Store, StoredFile
from monoyard.errors import InterruptedRunError, MonoyardError
from monoyard.plan import Plan, PlannedTask, State
from monoyard.recall import Records
from monoyard.results import Outcome, Phases, TaskResult
from monoyard.run.budget import Budget
from monoyard.run.events import AttemptFailed, BatchStarted, Event, Subscriber, TaskEnded
from monoyard.run.flaky import find_flaky
from monoyard.run.keeping import Keeper
from monoyard.run.machinery import Machinery
from monoyard.run.options import Options
from monoyard.run.outputs import clear_outputs, read_outputs
from monoyard.run.scheduler import Scheduler
from monoyard.run.servers import Postgres
from monoyard.run.summary import RunSummary
from monoyard.run.timeline import Recorder
from monoyard.suites import BULK, EXECUTORS, Executor


@dataclass(frozen=True)
class RunRequest:
    """What a run needs besides the plan.

    Attributes:
        plan: The plan.
        store: Where results are read from and kept.
        keeper: Keeps results; None with `--no-cache`.
        machinery: Venvs, tools, environments.
        budget: Processors and memory.
        options: What happens after a failure.
        postgres: The database server.
        records: Where the run works and leaves its record.
        subscribers: Reports.
        reasons: Task id to why it has to run.
        executors: Kind of work to what executes it.
        remarks: What executors add while they work, for a person to know.
        phases: The steps of the engine so far; those of the run are added.
    """

    plan: Plan
    store: Store
    keeper: Keeper | None
    machinery: Machinery
    budget: Budget
    options: Options
    postgres: Postgres
    records: Records
    subscribers: Sequence[Subscriber]
    reasons: Mapping[str, tuple[str, ...]]
    executors: Mapping[type, Executor] = field(default_factory=lambda: EXECUTORS)
    remarks: Sequence[str] = ()
    phases: Phases = field(default_factory=Phases)


def execute(request: RunRequest, run_id: str) -> RunSummary:
    """Execute a plan to its end, or to an interrupt; the record is written either way.

    Raises:
        MachineError: The supervising process was killed; what had passed before is kept.
    """
    began = time.monotonic()
    directory = request.records.begin(run_id)
    recorder = Recorder(began)
    subscribers: tuple[Subscriber, ...] = (recorder, *request.subscribers)
    results = _settled(request)
    by_id = {planned.task.id: planned for planned in request.plan.tasks}
    left = request.machinery.outputs
    for planned in request.plan.in_state(State.HIT):
        left[planned.task.id] = _digests(planned.stored.outputs if planned.stored else ())

    def publish(event: Event) -> None:
        if isinstance(event, BatchStarted):
            for task in event.tasks:
                clear_outputs(request.plan.workspace, by_id[task].task)
        elif isinstance(event, TaskEnded):
            results[event.result.task] = event.result
            planned = by_id[event.result.task]
            outputs: tuple[StoredFile, ...] = ()
            if planned.task.outputs and event.result.outcome is Outcome.PASS:
                outputs = read_outputs(request.plan.workspace, planned.task)
                left[planned.task.id] = _digests(outputs)
            _keep(request.keeper, planned, event.result, outputs)
        elif isinstance(event, AttemptFailed):
            _keep(request.keeper, by_id[event.result.task], event.result, ())
        for subscriber in subscribers:
            subscriber(event)

    for result in results.values():
        for subscriber in request.subscribers:
            subscriber(TaskEnded(result, 0, 0.0))
    stopped: MonoyardError | None = None
    todo = request.plan.in_state(State.RUN)
    if todo:
        recorder.origin = time.monotonic()
        scheduler = Scheduler(
            request.machinery, request.budget, request.options, publish, request.postgres,
            directory, request.executors,
        )  # fmt: skip
        estimates = {planned.task.id: planned.estimate for planned in todo}
        try:
            with request.phases.during("run tasks"):
                scheduler.run([planned.task for planned in todo], estimates, dict(results))
        except MonoyardError as error:
            stopped = error
    with request.phases.during("keep results"):
        if request.keeper is not None:
            request.keeper.flush()
            if todo:
                request.store.evict()
    for bulk in directory.glob(f"*/{BULK}"):
        shutil.rmtree(bulk, ignore_errors=True)
    notes = (
        *request.plan.notes,
        *request.store.notes,
        *(request.keeper.notes if request.keeper else ()),
        *dict.fromkeys(request.remarks),
    )
    ordered = {
        planned.task.id: results[planned.task.id]
        for planned in request.plan.selected
        if planned.task.id in results
    }
    summary = RunSummary(
        run_id, request.plan, ordered, time.monotonic() - began, stopped is not None,
        request.reasons, notes, find_flaky(request.plan, ordered, request.store),
        recorder.timeline(),
    )  # fmt: skip
    with request.phases.during("write the record"):
        _write_record(summary, directory)
        request.records.prune()
    if stopped is not None and not isinstance(stopped, InterruptedRunError):
        raise stopped
    return summary


def _digests(outputs: tuple[StoredFile, ...]) -> dict[str, str]:
    return {file.path: file.digest for file in outputs}


def _settled(request: RunRequest) -> dict[str, TaskResult]:
    """Return the results that need no process: hits and skips."""
    results = {}
    for planned in request.plan.selected:
        task = planned.task.id
        if planned.state is State.SKIP:
            results[task] = TaskResult(task, Outcome.SKIP, planned.reason)
        elif planned.state is State.HIT and planned.stored is not None:
            results[task] = TaskResult.from_data(planned.stored.payload).replayed()
    return results


def _keep(
    keeper: Keeper | None,
    planned: PlannedTask,
    result: TaskResult,
    outputs: tuple[StoredFile, ...],
) -> None:
    """Have a result remembered, and stored where it may be replayed as a pass."""
    if keeper is None:
        return
    if result.is_flaky:  # its failure would be hidden by every replay (docs/adr/0026)
        planned = replace(planned, task=replace(planned.task, is_cacheable=False))
    keeper.add(planned, result, outputs)


def record_data(summary: RunSummary) -> dict[str, Any]:
    """Return a run's record as JSON-able data."""
    return {**summary.to_data(), "timeline": summary.timeline.to_data()}


def _write_record(summary: RunSummary, directory: Path) -> None:
    text = json.dumps(record_data(summary), separators=(",", ":"))
    Records.write(directory, text.encode())
