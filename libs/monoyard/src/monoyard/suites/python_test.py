"""`unit`, `integration` and `contract` of Python packages: one pytest a package, forked warm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals

from monoyard.plan import Task
from monoyard.results import Outcome, TaskResult
from monoyard.suites.execution import Finished, Interpretation, Needs, Step, Surroundings
from monoyard.suites.shared_process import divide, join_paths
from monoyard.suites.venvs import VenvSpec
from monoyard.tools import pytest

PLUGINS = Path(__file__).parent.parent / "testing" / "plugins"
_LOG_LIMIT = 60_000


@dataclass(frozen=True, slots=True)
class TestWork:
    """Run the tests of one suite of one package.

    Attributes:
        package: Its name.
        directory: Its directory, from the top.
        venv: Venv with pytest and everything third-party.
        packages: Packages laid over the venv: itself and all it needs.
        paths: Test files or directories, from the package's directory.
        ignore: Paths below them that belong to other suites.
        config: pytest's configuration file from the top, or empty.
        outermost: The highest directory, from the top, whose `conftest.py` counts.
        coverage: coverage's configuration file from the top; None measures nothing.
        sources: Directories to measure, from the package's directory.
        arguments: Further arguments.
        env: Declared environment variables.
        resources: Servers the tests need.
        tools: Tools of the engine that are put on PATH.
        migrate: Command that brings an empty database up to date.
        template: Name of the template database that follows from the migrations' content.
        base_files: Files of the base revision, from the top.
        distributions: What the package needs of a shared venv; only their pytest plugins are
            loaded, because only they are in its key. None loads whatever the venv has.
        own_plugins: pytest plugins of the workspace's packages that it needs.
        is_shared: Other packages that say so may run in the same process.
        is_dealt_out: The tests are dealt out to workers.
    """

    package: str
    directory: str
    venv: VenvSpec
    packages: tuple[str, ...]
    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    config: str = ""
    outermost: str = ""
    coverage: str | None = None
    sources: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    migrate: tuple[str, ...] = ()
    template: str = ""
    base_files: tuple[str, ...] = ()
    distributions: frozenset[str] | None = None
    own_plugins: tuple[str, ...] = ()
    is_shared: bool = False
    is_dealt_out: bool = False


class TestExecutor:
    """Forks one pytest for each task from an interpreter that has pytest loaded.

    Tasks that want to share a process get one for all of them; where that one does not come to a
    whole report, each runs again by itself.
    """

    __test__ = False

    def batch(self, task: Task) -> object:
        """Return the task's own id, or what those must have in common that share a process."""
        work = _work(task)
        if not work.is_shared:
            return ("test", task.id)
        return (
            "tests", task.suite, work.venv, work.config, work.arguments, work.env, work.resources,
            work.tools, work.migrate, work.template, work.base_files,
        )  # fmt: skip

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return the venv and the servers."""
        work = _work(tasks[0])
        return Needs(
            venvs=(work.venv,), tools=work.tools, resources=work.resources,
            base_files=work.base_files,
        )  # fmt: skip

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return one fork."""
        works = [_work(task) for task in tasks]
        workers = around.workers if works[0].is_dealt_out else tasks[0].cpus
        if len(works) == 1:
            return [test_step(works[0], around, (), workers)]
        limit = sum(task.timeout for task in tasks)
        return [replace(test_step(share(works), around, (), workers), stops_after=limit)]

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Read the JUnit report; what it cannot say (a crash, a timeout) is said in its place."""
        if len(tasks) > 1:
            places = {task.id: _work(task).directory for task in tasks}
            return divide(tasks, places, around.scratch / "junit.xml", finished[0])
        task, step = tasks[0], finished[0]
        report = around.scratch / "junit.xml"
        prefix = f"{_work(task).directory}/" if _work(task).directory else ""
        parsed = pytest.parse_junit(report.read_bytes(), prefix) if report.exists() else None
        files = {"junit": str(report)} if parsed else {}
        coverage = around.scratch / "coverage"
        if coverage.exists():
            files["coverage"] = str(coverage)
        counts, cases = parsed or (None, ())
        outcome, reason = _outcome(step, is_reported=parsed is not None)
        log = "" if outcome is Outcome.PASS else step.text[-_LOG_LIMIT:]
        result = TaskResult(
            task.id, outcome, reason, step.exit.seconds, findings=step.warnings, tests=counts,
            cases=cases, log=log, max_rss=step.exit.max_rss, files=files,
        )  # fmt: skip
        return Interpretation({task.id: result})


def share(works: Sequence[TestWork]) -> TestWork:
    """Return the work of one process for several packages, seen from the repository's root."""
    plugins = (plugin for work in works for plugin in work.own_plugins)
    distributions = [work.distributions for work in works if work.distributions is not None]
    return replace(
        works[0],
        directory="",
        outermost="",
        packages=tuple(dict.fromkeys(name for work in works for name in work.packages)),
        paths=tuple(path for work in works for path in join_paths(work.directory, work.paths)),
        ignore=tuple(path for work in works for path in join_paths(work.directory, work.ignore)),
        # Modules of equal names are told apart; one that cannot be imported is one failure.
        arguments=(
            *works[0].arguments,
            "--import-mode=importlib",
            "--continue-on-collection-errors",
        ),
        distributions=frozenset().union(*distributions) if distributions else None,
        own_plugins=tuple(dict.fromkeys(plugins)),
    )


def test_step(work: TestWork, around: Surroundings, extra: Sequence[str], workers: int) -> Step:
    """Return the pytest process of a package.

    Args:
        work: What to run.
        around: Where things are.
        extra: Arguments of the command line; with some, they replace the paths of the suite.
        workers: Processors that the tests are dealt out to, or that `-n auto` of pytest-xdist
            stands for.
    """
    overlays = [path for name in work.packages for path in around.overlays[name]]
    path = tuple(dict.fromkeys(overlays))
    environment = around.environment(work.env)
    venv = around.venv(work.venv)
    environment["PYTHONPATH"] = ":".join((*path, str(PLUGINS)))
    places = dict.fromkeys(str(around.tool(name).parent) for name in work.tools)
    environment["PATH"] = ":".join((str(venv / "bin"), *places, environment.get("PATH", "")))
    environment["VIRTUAL_ENV"] = str(venv)
    environment["PYTEST_XDIST_AUTO_NUM_WORKERS"] = str(workers)
    environment["COVERAGE_FILE"] = str(around.scratch / "coverage")
    environment["MONOYARD_BASE_DIR"] = str(around.scratch / "base")
    for name in work.resources:
        environment.update(around.resource(name))
    if work.migrate:
        environment["MONOYARD_POSTGRES_MIGRATE"] = json.dumps(list(work.migrate))
        environment["MONOYARD_POSTGRES_TEMPLATE"] = work.template
    plugins = ("monoyard_postgres",) if "postgres" in work.resources else ()
    if work.distributions is not None:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        registered = around.pytest_plugins(work.venv).items()
        named = [names for name, names in registered if name in work.distributions]
        plugins = (*(name for names in named for name in names), *work.own_plugins, *plugins)
    measured: tuple[str, ...] = ()
    if work.coverage is not None:
        config = str(around.top / work.coverage) if work.coverage else None
        # Absolute, because programs that tests start elsewhere are measured by the same settings.
        sources = [str(around.top / work.directory / source) for source in work.sources]
        measured = pytest.coverage_arguments(sources=sources, config=config)
    dealt_out = pytest.distribution_arguments(workers) if work.is_dealt_out else ()
    is_named = _names_tests(extra, around.top / work.directory)
    arguments = pytest.arguments(
        rootdir=str(around.top / work.directory),
        config=str(around.top / work.config) if work.config else None,
        outermost=str(around.top / work.outermost),
        junit=str(around.scratch / "junit.xml"),
        paths=() if is_named else work.paths,
        plugins=plugins,
        ignore=() if is_named else work.ignore,
        extra=(*measured, *dealt_out, *work.arguments, *extra),
    )
    return Step(
        around.top / work.directory,
        environment,
        module="pytest",
        arguments=arguments,
        path=(*path, str(PLUGINS)),
        venv=work.venv,
    )


def _names_tests(extra: Sequence[str], directory: Path) -> bool:
    """Say whether words for pytest name files or directories, which then replace the suite's."""
    return any(
        argument.partition("::")[0].endswith(".py")
        or ("/" in argument and (directory / argument).is_dir())  # `-k tests` is no directory
        for argument in extra
    )


def _outcome(step: Finished, *, is_reported: bool) -> tuple[Outcome, str]:
    status = step.exit.status
    if step.exit.timed_out:
        where = _running_tests(step)
        return Outcome.FAIL, f"stopped after {step.exit.seconds:.0f} s (timeout){where}"
    if step.exit.lost:
        return Outcome.ERROR, "its process was killed from outside, perhaps for lack of memory"
    if step.exit.stopped:
        return Outcome.NOT_RUN, "stopped with the run"
    if status < 0:
        return Outcome.ERROR, f"crashed with {_signal_name(-status)}{_running_tests(step)}"
    if status == pytest.NOTHING_COLLECTED:
        return Outcome.SKIP, "no tests were collected"
    if status in {0, 1} and is_reported:
        return (Outcome.PASS if status == 0 else Outcome.FAIL), ""
    if status == pytest.INTERRUPTED and is_reported:
        return Outcome.FAIL, "errors at collection"
    where = _running_tests(step)
    return Outcome.ERROR, f"pytest ended with status {status} and no whole report{where}"


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def _running_tests(step: Finished) -> str:
    names = pytest.running_tests(step.text)
    return f", in {' and '.join(names)}" if names else ""


def _work(task: Task) -> TestWork:
    if not isinstance(task.work, TestWork):
        raise TypeError(f"{task.id} is no task of tests")
    return task.work
