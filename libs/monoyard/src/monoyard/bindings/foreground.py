"""One suite of tests with the terminal to itself: `nox -s unit -- api -- -k name --pdb`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from monoyard.bindings.engine import Engine
from monoyard.errors import ChecksFailedError, UsageError
from monoyard.plan import Task
from monoyard.process import Command, Supervisor, clean, run_in_foreground
from monoyard.recall import Records
from monoyard.run import BatchSurroundings, Machinery, Postgres
from monoyard.suites import Needs, TestExecutor, TestWork, test_step


def run_tests_here(
    tasks: Sequence[Task], machinery: Machinery, engine: Engine, words: Sequence[str]
) -> None:
    """Run tasks of tests one after the other on this terminal.

    Args:
        tasks: What was selected.
        machinery: Venvs, tools, environments.
        engine: The repository.
        words: Further arguments for pytest.

    Raises:
        UsageError: Something else than tests was selected.
        ChecksFailedError: pytest ended with another status than 0.
    """
    others = [task.id for task in tasks if not isinstance(task.work, TestWork)]
    if others or not tasks:
        raise UsageError(
            "words for the tool go to pytest suites only"
            + (f", not to {others[0]}" if others else ": nothing was selected"),
            hint="name a suite of tests and its packages: nox -s unit -- api -- -k name",
        )
    records = Records(engine.state / "runs")  # holds the directory until this returns
    scratch = records.begin(records.new_id(time.time()))
    supervisor = None
    failed = []
    try:
        if any(isinstance(task.work, TestWork) and task.work.resources for task in tasks):
            supervisor = _start_postgres(machinery, engine, scratch)
        for number, task in enumerate(tasks, 1):
            if _run(task, machinery, scratch / f"{number:04d}", words) != 0:
                failed.append(task.id)
    finally:
        if supervisor is not None:
            supervisor.close()
    if failed:
        raise ChecksFailedError(f"{', '.join(failed)} did not pass")


def _run(task: Task, machinery: Machinery, scratch: Path, words: Sequence[str]) -> int:
    if not isinstance(task.work, TestWork):
        raise UsageError(f"{task.id} has no tests")
    needs: Needs = TestExecutor().needs([task])
    scratch.mkdir(parents=True)
    machinery.prepare(needs, scratch)
    # A terminal is one process's: a debugger cannot stop in a worker. `-n 4` asks for workers.
    workers = 1 if task.workers else task.cpus
    step = test_step(task.work, BatchSurroundings(machinery, scratch, 1), words, workers)
    python = machinery.venvs.path(task.work.venv) / "bin" / "python"
    environment = {**step.env, "TERM": machinery.environment.get("TERM", "dumb")}
    argv = (str(python), "-P", "-m", step.module, *step.arguments)
    return run_in_foreground(Command(argv, step.cwd, environment))


def _start_postgres(machinery: Machinery, engine: Engine, scratch: Path) -> Supervisor:
    postgres = Postgres(
        engine.tools, engine.environment, engine.workspace.settings.postgres_version
    )
    postgres.prepare()
    supervisor = Supervisor(Path(sys.executable), env=clean())
    job = postgres.job(1, scratch / "postgres.log")
    if job is not None:
        supervisor.start(job)
        while not postgres.is_ready():
            time.sleep(0.02)  # the server says so only in its pid file
    machinery.servers["postgres"] = postgres.variables()
    return supervisor
