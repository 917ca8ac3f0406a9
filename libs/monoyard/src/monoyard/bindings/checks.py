"""The verbs of the nox door: run checks, hand one to the terminal, mend."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from monoyard.bindings.announcing import announce
from monoyard.bindings.arguments import HELP, Arguments
from monoyard.bindings.engine import Engine
from monoyard.bindings.memorable import remember
from monoyard.bindings.reporting import report_run
from monoyard.bindings.sharding import shard_of
from monoyard.config import IMAGE_SUITE
from monoyard.errors import ChecksFailedError, InterruptedRunError, MachineError
from monoyard.images import ImageExecutor, ImageWork, required
from monoyard.install import is_ci
from monoyard.plan import Plan, State, Task, explain
from monoyard.recall import Look, Records
from monoyard.report.coverage import coverage_lines, measure_coverage
from monoyard.report.plain import PlainReport
from monoyard.results import Verdict
from monoyard.run import (
    Keeper,
    Machinery,
    Options,
    Postgres,
    Preparing,
    RunRequest,
    RunSummary,
    Subscriber,
    execute,
    lay_over,
    machine_budget,
    put_back_outputs,
    python_files,
)
from monoyard.suites import EXECUTORS

if TYPE_CHECKING:
    from monoyard.observing import Audit


class Checks:
    """Runs checks for a person or CI and prints the verdict.

    Args:
        directory: A directory of the repository.
        look: What git was asked of it already.

    Attributes:
        bases: Key of a base image to one of a registry, by digest, that is trusted.
    """

    def __init__(self, directory: Path, look: Look | None = None) -> None:
        self.bases: Mapping[str, str] = {}
        self._subscribers: list[Subscriber] = []
        self._look = look
        self.engine = Engine(directory, self._announce, look=look)

    @cached_property
    def records(self) -> Records:
        """The directories of runs; those that are begun here are held as long as this lives."""
        return Records(self.engine.state / "runs")

    def run(
        self,
        arguments: Arguments,
        suites: Iterable[str] = (),
        keep: Callable[[Task], bool] = lambda _: True,
        closing: Callable[[RunSummary], str] | None = None,
        words: Sequence[str] | None = None,
    ) -> RunSummary | None:
        """Plan, run, report.

        Args:
            arguments: What was typed.
            suites: Suites of the session; none means all.
            keep: Says of a task whether it is wanted at all.
            closing: Makes a line that is printed after everything else.
            words: What the run is remembered by; None where it is not.

        Returns:
            The summary; None after `--help`.

        Raises:
            ChecksFailedError: Something selected did not pass.
            InterruptedRunError: SIGINT or SIGTERM ended the run.
        """
        if arguments.wants_help:
            print(HELP, end="")
            return None
        plan = shard_of(self.plan(arguments, suites).restricted(keep), arguments)
        if arguments.tool is not None:
            self._hand_over(plan, arguments)
            return None
        summary = self.carry_out(plan, arguments, closing)
        if self._look is not None and words is not None:
            remember(self.engine, self._look, words, arguments, summary)
        return summary

    def plan(self, arguments: Arguments, suites: Iterable[str] = ()) -> Plan:
        """Plan what was typed.

        Args:
            arguments: What was typed.
            suites: Suites of the session; none means all.
        """
        return self.engine.plan(self.engine.selection(arguments, suites))

    def carry_out(
        self,
        plan: Plan,
        arguments: Arguments,
        closing: Callable[[RunSummary], str] | None = None,
    ) -> RunSummary:
        """Run a plan, and report.

        Args:
            plan: The plan.
            arguments: What was typed.
            closing: Makes a line that is printed after everything else.

        Raises:
            ChecksFailedError: Something selected did not pass.
            InterruptedRunError: SIGINT or SIGTERM ended the run.
        """
        engine = self.engine
        audit = None
        if arguments.audit is not None:
            from monoyard.observing import Audit

            plan = plan.restricted(
                lambda task: task.suite != IMAGE_SUITE, "an audit watches no builder"
            )
            audit = Audit(plan)
        summary = self.execute(plan, arguments, audit)
        short = self._measure(summary, arguments)
        directory = engine.state / "runs" / summary.run_id
        report_run(summary, directory, arguments, engine.environment, engine.phases)
        if audit is not None:
            from monoyard.report.audits import audit_lines

            for line in audit_lines(audit):
                print(line, file=sys.stderr if arguments.json == "" else sys.stdout)
        if closing is not None:
            print(closing(summary))
        if summary.interrupted:
            raise InterruptedRunError("the run was interrupted; its partial record was written")
        if summary.verdict is not Verdict.PASS:
            raise ChecksFailedError(f"the verdict is {summary.verdict.value}")
        if audit is not None and audit.findings and arguments.audit == "fail":
            raise ChecksFailedError("keys do not cover all that was read")
        if short:
            raise ChecksFailedError(f"coverage of {', '.join(short)} is too low")
        return summary

    def execute(self, plan: Plan, arguments: Arguments, audit: Audit | None = None) -> RunSummary:
        """Run a plan to its end, or to an interrupt; nothing is reported but what goes on.

        Args:
            plan: The plan.
            arguments: What was typed.
            audit: Records what the tasks read.
        """
        engine = self.engine
        settings = plan.workspace.settings
        budget = machine_budget(settings.cpus, settings.memory)
        _refuse_skips(plan, engine.environment)
        with engine.phases.during("put back outputs"):
            plan = put_back_outputs(plan, engine.store)
        run_id = self.records.new_id(time.time())
        with engine.phases.during("explain misses"):
            reasons = self._reasons(plan)
        keeper = None
        if arguments.use_cache and audit is None:  # docs/adr/0029 says why
            keeper = Keeper(
                engine.store, plan, partial(engine.look_again, plan), engine.workspace_id, run_id,
                engine.began
            )  # fmt: skip
        display = self._display(plan, budget.cpus)
        self._subscribers.append(display)
        images = ImageExecutor(engine.layer_cache, self.bases)
        request = RunRequest(
            plan, engine.store, keeper, self.machinery(plan, arguments), budget,
            Options(arguments.fail_fast, arguments.keep_going, arguments.retries),
            Postgres(engine.tools, engine.environment, settings.postgres_version),
            self.records, self._subscribers, reasons,
            audit.executors(EXECUTORS) if audit else {**EXECUTORS, ImageWork: images},
            images.notes, engine.phases,
        )  # fmt: skip
        try:
            return execute(request, run_id)
        finally:
            display.close()
            self._subscribers.remove(display)

    def _measure(self, summary: RunSummary, arguments: Arguments) -> list[str]:
        """Report coverage where it is asked for; return the packages that fall short."""
        wanted = arguments.coverage or is_ci(self.engine.environment)
        if not wanted or summary.interrupted:
            return []
        directory = self.engine.state / "runs" / summary.run_id
        python = partial(self.engine.tools.ensure, "coverage")
        with self.engine.phases.during("combine coverage"):
            found = measure_coverage(summary, self.engine.store, python, directory)
        for line in coverage_lines(found):
            print(line, file=sys.stderr if arguments.json == "" else sys.stdout)
        return [item.package for item in found if item.is_short]

    def machinery(self, plan: Plan, arguments: Arguments) -> Machinery:
        """Return what the selected tasks run with; workspace packages are laid over the venvs."""
        engine = self.engine
        running = {planned.task.package for planned in plan.selected if not planned.stored}
        graph = plan.workspace.graph
        needed = running.union(*(graph.closure[name] for name in running)) if running else set()
        python = [name for name in sorted(needed) if plan.workspace.packages[name].kind == "python"]
        return Machinery(
            engine.repository.top,
            engine.state,
            engine.venvs,
            engine.tools,
            engine.kept,
            lay_over(plan.workspace, python, engine.state),
            plan.base_tree,
            engine.environment,
            arguments.env_mode,
            python_files=partial(python_files, plan),
            is_cold=arguments.audit is not None,
        )

    def _display(self, plan: Plan, cpus: int) -> PlainReport:
        todo = {planned.task.id: planned.estimate for planned in plan.in_state(State.RUN)}
        if todo and sys.stderr.isatty() and not is_ci(self.engine.environment):
            # Imported here because rich costs 80 ms, which a run from cache must not pay.
            from monoyard.report.live import LiveReport

            return LiveReport(todo, cpus)  # type: ignore[return-value]
        return PlainReport()

    def _reasons(self, plan: Plan) -> dict[str, tuple[str, ...]]:
        engine = self.engine
        said = explain(plan.in_state(State.RUN), engine.store, engine.workspace_id)
        return {name: item.lines or (item.problem,) for name, item in said.items()}

    def _announce(self, words: str) -> None:
        for subscriber in self._subscribers:
            subscriber(Preparing(words))
        if not self._subscribers:
            announce(words)

    def _hand_over(self, plan: Plan, arguments: Arguments) -> None:
        """Run the selected tasks of tests one by one on this terminal, uncached."""
        from monoyard.bindings.foreground import run_tests_here

        chosen = [planned.task for planned in plan.selected if not planned.task.skip]
        run_tests_here(chosen, self.machinery(plan, arguments), self.engine, arguments.tool or ())


def _refuse_skips(plan: Plan, environment: Mapping[str, str]) -> None:
    """Make an error of what may not be skipped.

    That is a missing interpreter in CI, and an image where `MONOYARD_REQUIRE` names `images`.

    Raises:
        MachineError: Something cannot be run here.
    """
    skipped = [planned.task for planned in plan.in_state(State.SKIP)]
    images = [task for task in skipped if task.suite == IMAGE_SUITE]
    others = [task for task in skipped if task.suite != IMAGE_SUITE]
    if others and is_ci(environment):
        raise MachineError(
            f"CI cannot run {', '.join(task.id for task in others)}: {others[0].skip}",
            code="skip-in-ci",
            hint="install what is missing; at the desk this is a skip",
        )
    if images and "images" in required(environment):
        raise MachineError(
            f"cannot make {', '.join(task.id for task in images)}: {images[0].skip}",
            code="images-required",
            hint="MONOYARD_REQUIRE names images; without it they are skipped",
        )
