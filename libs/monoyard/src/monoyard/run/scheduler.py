"""The scheduler: one loop over child processes, within one budget of processors and memory."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from monoyard.errors import InterruptedRunError, MonoyardError
from monoyard.install import OutputLocks
from monoyard.plan import Task
from monoyard.process import Exit, kill_running
from monoyard.results import Outcome, TaskResult
from monoyard.run.agenda import Agenda
from monoyard.run.attempts import Attempts
from monoyard.run.batch import Batch, Batches
from monoyard.run.budget import Budget
from monoyard.run.events import (
    AttemptFailed,
    BatchEnded,
    BatchStarted,
    Prepared,
    Stopping,
    Subscriber,
    TaskEnded,
)
from monoyard.run.interrupts import Interrupts
from monoyard.run.jobs import Jobs
from monoyard.run.machinery import BatchSurroundings, Machinery
from monoyard.run.options import Options
from monoyard.run.processors import WITHIN_A_TASK, Processors
from monoyard.run.servers import Postgres, ServerStart
from monoyard.suites import EXECUTORS, Executor

_PAUSE = 0.5
# Neither a server nor another run tells when it is ready or done.
_ASKING_PAUSE = 0.02
_PREPARATIONS = 2


class Scheduler:
    """Executes tasks.

    Args:
        machinery: Venvs, tools, environments.
        budget: What may be used at once.
        options: What happens after a failure.
        publish: Called with every event, in the main thread.
        postgres: The database server, started when a task needs it.
        scratch: Directory for logs and reports of this run.
        executors: Kind of work to what executes it.
    """

    def __init__(
        self,
        machinery: Machinery,
        budget: Budget,
        options: Options,
        publish: Subscriber,
        postgres: Postgres,
        scratch: Path,
        executors: Mapping[type, Executor] = EXECUTORS,
    ) -> None:
        self._executors = executors
        self._machinery = machinery
        self._budget = budget
        self._options = options
        self._publish = publish
        shared = None if WITHIN_A_TASK in machinery.environment else machinery.kept / "processors"
        self._processors = Processors(shared, budget.cpus)
        self._outputs = OutputLocks(machinery.state)
        self._awaits_others = False
        self._server = ServerStart(postgres, scratch / "postgres.log")
        self._scratch = scratch
        self._began = time.monotonic()
        self._results: dict[str, TaskResult] = {}
        self._attempts = Attempts(options.retries)
        self._prepared: SimpleQueue[tuple[Future[None], Batch]] = SimpleQueue()
        self._halt = ""
        self._stops_sent = 0

    def run(
        self,
        tasks: Iterable[Task],
        estimates: Mapping[str, float],
        settled: Mapping[str, TaskResult],
    ) -> dict[str, TaskResult]:
        """Execute tasks; return the result of each.

        Args:
            tasks: What to run.
            estimates: Task id to expected seconds.
            settled: Results that are there already. A need that is neither here nor among the
                tasks is no part of the run, and nobody waits for it.

        Raises:
            InterruptedRunError: SIGINT or SIGTERM came; results so far were published.
        """
        self._tasks = {task.id: task for task in tasks}
        self._settled = settled
        self._estimates = estimates
        self._factory = Batches(self._scratch, estimates, self._executors, self._budget)
        self._agenda = Agenda(self._tasks, estimates, self._budget)
        self._interrupts = Interrupts()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._interrupts.fileno(), selectors.EVENT_READ)
        self._jobs = Jobs(self._machinery.venvs, self._selector)
        self._pool = ThreadPoolExecutor(_PREPARATIONS)
        with self._interrupts.listening():
            try:
                self._take_in(self._factory.group(self._tasks.values()))
                self._advance()
                while self._agenda:
                    self._wait()
                    self._advance()
            finally:
                self._close()
        if self._interrupts.count:
            raise InterruptedRunError("the run was interrupted")
        return self._results

    def _take_in(self, batches: Iterable[Batch]) -> None:
        for batch in self._agenda.add(batches):
            self._prepare_or_hold(batch)

    def _prepare_or_hold(self, batch: Batch) -> None:
        """Let a batch be prepared, unless a task that it needs failed or has still to end."""
        if reason := self._halt or self._failed_need(batch):
            self._leave_out(batch, reason)
            return
        awaited = (
            need for need in batch.waits_for
            if need in self._tasks and need not in self._results
        )  # fmt: skip
        if (need := next(awaited, None)) is not None:
            self._agenda.hold(batch, need)
            return
        batch.state = "preparing"
        future = self._pool.submit(self._prepare, batch)
        future.add_done_callback(partial(self._hand_back, batch))

    def _hand_back(self, batch: Batch, future: Future[None]) -> None:
        """Called in a thread when a batch is prepared."""
        self._prepared.put((future, batch))
        self._interrupts.wake()

    def _advance(self) -> None:
        self._react_to_signals()
        self._awaits_others = False
        self._agenda.start(self._try_to_start)
        if self._halt:
            for batch in self._agenda.not_begun():
                if batch.state != "done":  # leaving one out leaves out what waits for it
                    self._leave_out(batch, self._halt)

    def _try_to_start(self, batch: Batch) -> bool:
        """Start a batch, or end it where it cannot be; False where a server is awaited."""
        if self._halt:
            return False
        if batch.needs.resources and self._server.problem:
            self._fail(batch, self._server.problem)
            return True
        if not self._servers_ready(batch):
            return False
        if not self._processors.take(batch.number, batch.cpus):
            self._awaits_others = True
            return False
        if not self._outputs.take(task.package for task in batch.tasks if task.outputs):
            self._processors.give_back(batch.number)
            self._awaits_others = True
            return False
        self._start_batch(batch)
        return True

    def _done(self, batch: Batch) -> None:
        if batch.state == "running":
            self._publish(BatchEnded(batch.number, self._now()))
        self._agenda.done(batch)
        self._processors.give_back(batch.number)

    def _leave_out(self, batch: Batch, reason: str) -> None:
        self._done(batch)
        for task in batch.tasks:
            self._end(TaskResult(task.id, Outcome.NOT_RUN, reason), batch)

    def _failed_need(self, batch: Batch) -> str:
        if self._options.keep_going:
            return ""
        for need in sorted(batch.waits_for):
            result = self._results.get(need) or self._settled.get(need)
            if result is not None and result.outcome is not Outcome.PASS:
                return f"needs {need}, which did not pass"
        return ""

    def _prepare(self, batch: Batch) -> None:
        """Run in a thread: fetch and make what the batch needs."""
        began = self._now()
        try:
            batch.scratch.mkdir(parents=True, exist_ok=True)
            self._machinery.prepare(batch.needs, batch.scratch)
            if batch.needs.resources:
                self._server.prepare()
        finally:
            batch.prepared = (began, self._now())

    def _is_prepared(self, future: Future[None], batch: Batch) -> None:
        error = future.exception()
        self._publish(Prepared(batch.ids, *batch.prepared))
        if self._halt:
            self._leave_out(batch, self._halt)
        elif error is not None:
            self._fail(batch, *_words(error))
            if not isinstance(error, MonoyardError):
                raise error
        else:
            self._agenda.make_ready(batch)

    def _servers_ready(self, batch: Batch) -> bool:
        if not batch.needs.resources:
            return True
        if (job := self._server.start(self._jobs.next_number)) is not None:
            self._jobs.start_server(job)
        if (variables := self._server.variables()) is not None:
            self._machinery.servers["postgres"] = variables
        return variables is not None

    def _start_batch(self, batch: Batch) -> None:
        free = self._budget.cpus if len(self._agenda) == 1 else max(1, self._budget.cpus // 2)
        batch.around = BatchSurroundings(self._machinery, batch.scratch, batch.workers or free)
        self._agenda.run(batch)
        self._publish(BatchStarted(batch.ids, batch.number, self._now()))
        try:
            batch.steps = batch.executor.steps(batch.tasks, batch.around)
        except MonoyardError as error:
            self._fail(batch, error.message)
            return
        self._next_step(batch)

    def _next_step(self, batch: Batch) -> None:
        done = len(batch.finished)
        failed = (
            done and batch.finished[-1].exit.has_failed and batch.steps[done - 1].is_last_on_failure
        )
        if done == len(batch.steps) or failed or batch.is_stopped:
            self._interpret(batch)
            return
        self._jobs.start(batch, batch.steps[done])

    def _wait(self) -> None:
        is_asking = self._server.is_awaited or self._awaits_others
        pause = _ASKING_PAUSE if is_asking else _PAUSE
        for ready, _ in self._selector.select(pause):
            if ready.data is None:
                self._interrupts.clear()
            else:
                for ended in ready.data.exits():
                    self._ended(ended)
        while not self._prepared.empty():
            self._is_prepared(*self._prepared.get())

    def _ended(self, ended: Exit) -> None:
        if ended.number == self._server.number:
            self._server.ended()
            return
        self._next_step(self._jobs.take(ended))

    def _interpret(self, batch: Batch) -> None:
        if batch.around is None:
            raise AssertionError("a batch is interpreted after it was started")
        batch.around.end()
        if batch.is_stopped and not (batch.finished and batch.finished[-1].exit.timed_out):
            self._leave_out(batch, self._halt)
            return
        if not batch.finished:
            self._fail(batch, "there was nothing to run")
            return
        meaning = batch.executor.interpret(batch.tasks, batch.around, batch.finished)
        self._done(batch)
        results = tuple(meaning.results.values())
        failed = [] if self._halt else list(filter(self._attempts.allow_another, results))
        for result in results:
            if result in failed:
                left = self._attempts.note(result)
                self._publish(AttemptFailed(result, batch.number, self._now(), left))
            else:
                self._end(result, batch)
        alone = [(self._tasks[result.task],) for result in failed]
        self._take_in(self._factory.make(tasks) for tasks in (*meaning.again, *alone))

    def _fail(self, batch: Batch, reason: str, log: str = "") -> None:
        self._done(batch)
        for task in batch.tasks:
            self._end(TaskResult(task.id, Outcome.ERROR, reason, log=log), batch)

    def _end(self, result: TaskResult, batch: Batch) -> None:
        result = self._attempts.with_earlier(result)
        self._results[result.task] = result
        estimate = self._estimates.get(result.task, self._tasks[result.task].estimate)
        self._publish(TaskEnded(result, batch.number, self._now(), estimate))
        if self._tasks[result.task].outputs:  # whoever listened has seen what it left
            self._outputs.give_back(self._tasks[result.task].package)
        if (
            self._options.fail_fast
            and not self._halt
            and result.outcome in {Outcome.FAIL, Outcome.ERROR}
        ):
            self._stop("stopped after the first failure (--fail-fast)")
        for waiting in self._agenda.held_by(result.task):
            self._prepare_or_hold(waiting)

    def _react_to_signals(self) -> None:
        if self._interrupts.count and not self._halt:
            self._stop("the run was interrupted")
        while self._stops_sent < self._interrupts.count:
            self._stops_sent += 1
            if self._stops_sent > 1:
                self._jobs.stop()

    def _stop(self, why: str) -> None:
        self._halt = why
        self._machinery.is_stopped = True
        self._publish(Stopping(why))
        kill_running()
        self._jobs.stop()

    def _close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._jobs.close()
        self._selector.close()
        self._server.remove()
        self._processors.close()
        self._outputs.close()
        self._machinery.claims.release()

    def _now(self) -> float:
        return time.monotonic() - self._began


def _words(error: BaseException | None) -> tuple[str, str]:
    """Return why tasks cannot run in one line, and all that was said about it."""
    if not isinstance(error, MonoyardError):
        return f"{type(error).__name__}: {error}", ""
    telling = [line for line in error.context if "error" in line.lower()] or error.context[-1:]
    context = f": {telling[0].strip()}" if telling else ""
    hint = f" ({error.hint})" if error.hint else ""
    return f"{error.message}{context}{hint}", "\n".join(error.context)
