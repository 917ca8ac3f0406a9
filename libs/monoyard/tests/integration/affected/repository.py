"""A real git repository with a chain of packages: `app` needs `core`, `core` needs `base`.

Whatever a test does to it and then asks who is affected, it is also asked whether a run from a warm
store says the same as a run without one.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
from pathlib import Path
from unittest import mock

from monoyard.bindings.affecting import plan_of_causes
from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.checkout import Checkout
from monoyard.bindings.checks import Checks
from monoyard.bindings.collecting import collect
from monoyard.bindings.engine import Engine
from monoyard.cache import StoredResult
from monoyard.errors import ChecksFailedError
from monoyard.plan import Cause, Plan, Selection, State, cause_data
from monoyard.recall import Look
from monoyard.results import Outcome, TaskResult
from monoyard.run import RunSummary

SUITES = ("lint", "type", "unit")
Verdicts = dict[str, tuple[str, str]]
_MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
dependencies = [{needs}]
"""
ROOT = """\
[tool.monoyard]
members = ["packages/*"]
lock = "requirements.txt"
[tool.monoyard.suites.integration]
command = ["python3", "-ISB", "{witness}"]

[tool.ruff]
line-length = 100

[tool.mypy]
strict = true
"""
WITNESS = Path(__file__).with_name("witness.py")
# The suite of the witness; the tests of this folder speak of the others.
WITNESSED = "integration"
ATTRS = """\
attrs==26.1.0 \\
    --hash=sha256:c647aa4a12dfbad9333ca4e71fe62ddc36f4e63b2d260a37a8b83d2f043ac309 \\
    --hash=sha256:d03ceb89cb322a8fd706d4fb91940737b6642aa36998fe130a9bc96c985eff32
"""
OTHER_ATTRS = """\
attrs==25.4.0 \\
    --hash=sha256:16d5969b87f0859ef33a48b35d55ac1be6e42ae49d5e853b597db70c35c57e11 \\
    --hash=sha256:adcf7e2a1fb3b36ac48d97835bb6d8ade15b8dcce26aba8bf1d14847b57a3373
"""
LOCK = f"""\
{ATTRS}\
    # via -r workspace.in
pluggy==1.7.0 \\
    --hash=sha256:7dd7b0d8832ba3cb632c306926ded123429211b83641b35dc5c41ad2d34f9bec \\
    --hash=sha256:d1eaa46ebb595891b860ab086b4d09c8588af65ebd4361b8e8f4bb8920b90ba8
    # via pytest
pytest==9.2.0 \\
    --hash=sha256:07acdcf88ec174f907dc01af70bf52d49b014bbab03faeeade31c96b18c2e588 \\
    --hash=sha256:97c4f3b1f3c7414aa36465e09b8220f1d03627993bd51b1282e193753c80557b
    # via -r workspace.in
"""


class Repository:
    """A work tree in a temporary directory, and what the engine says of it.

    Attributes:
        first_commit: The commit that the store was warmed with.
        first: What the witness said there.
        converts_bytes: Bytes on disk differ from those of an unchanged commit.
        suites: What a run runs.
    """

    def __init__(self, top: Path, environment: dict[str, str]) -> None:
        self.top = top
        self.environment = environment
        self.first_commit = ""
        self.first: Verdicts = {}
        self.converts_bytes = False
        self.suites: tuple[str, ...] = (WITNESSED,)

    def git(self, *arguments: str) -> str:
        """Run git; return what it prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.top, env=self.environment, capture_output=True, check=True
        )
        return done.stdout.decode("utf-8", "replace")

    def write(self, path: str, text: str) -> None:
        """Write a file, its directories included."""
        target = self.top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a part of a file, which has to be there."""
        text = (self.top / path).read_text("utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    def configure(self, table: str) -> None:
        """Add tables to the root's `pyproject.toml`."""
        self.edit("pyproject.toml", "[tool.ruff]\n", f"{table}\n[tool.ruff]\n")

    def settle(self) -> None:
        """Commit everything and call it the base."""
        self.commit()
        self.git("branch", "-f", "main")

    def package(self, name: str, *needs: str, imports: str = "") -> None:
        """Write a package with a module, a test and a README."""
        wanted = ", ".join(f'"{need}"' for need in needs)
        self.write(f"packages/{name}/pyproject.toml", _MANIFEST.format(name=name, needs=wanted))
        self.write(f"packages/{name}/README.md", f"{name}\n")
        self.write(f"packages/{name}/src/{name}/__init__.py", "")
        self.write(f"packages/{name}/src/{name}/module.py", f"{imports}VALUE = 1\n")
        self.write(f"packages/{name}/tests/unit/test_it.py", f"import {name}\n")

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-qm", "change")

    def affected(self, since: str | None = None, **more: str) -> dict[str, set[str]]:
        """Return affected task ids with the types of their causes.

        Runs from the warm store and without one are held against each other on the way, and the
        witness of a task that reads something else than it did at the base against the causes.
        """
        plan, found = self._planned(since, more)
        fresh = self._checked_verdicts(more)
        if plan.base.commit == self.first_commit and not self.converts_bytes:
            seen = {task for task, verdict in fresh.items() if verdict != self.first.get(task)}
            assert seen <= found.keys()
        return {task: causes for task, causes in found.items() if not _is_witness(task)}

    def _checked_verdicts(self, more: dict[str, str]) -> Verdicts:
        """Return what the witness says now; where a run replays it, a run without store agrees."""
        results = self.run(**more).results
        said = {task: (item.outcome.value, item.log) for task, item in results.items()}
        replayed = {task: said[task] for task, item in results.items() if item.is_cached}
        if replayed:
            packages = [task.partition(":")[0] for task in replayed]
            assert self.verdicts("--no-cache", *packages, **more) == replayed
        return said

    def planned(self) -> dict[str, set[str]]:
        """Return affected task ids with the types of their causes, where nothing can run."""
        _, found = self._planned(None, {})
        return {task: causes for task, causes in found.items() if not _is_witness(task)}

    def _planned(self, since: str | None, more: dict[str, str]) -> tuple[Plan, dict[str, set[str]]]:
        engine = Engine(self.top, lambda _: None, {**self.environment, **more})
        plan = engine.plan(Selection(since=since, use_cache=False))
        found = {planned.task.id: planned.causes for planned in plan.affected}
        assert self.causes(since, **more) == found
        return plan, {
            name: {cause_data(cause)["type"] for cause in causes} for name, causes in found.items()
        }

    def remember(self, since: str | None = None) -> None:
        """Have it remembered what tasks read: the index is older than the tick of git's clock."""
        began = int(time.time())
        while int(time.time()) == began:
            time.sleep(0.01)
        assert self.causes(since) == self.causes(since)

    def causes(self, since: str | None = None, **more: str) -> dict[str, tuple[Cause, ...]]:
        """Return what `invoke affected` goes by, which remembers what tasks read."""
        environment = {**self.environment, **more}
        look = Look.begin(self.top, environment)
        try:
            checkout = Checkout(self.top, lambda _: None, environment, look)
            plan = plan_of_causes(checkout, Selection(since=since, use_cache=False))
        finally:
            look.close()
        checkout.store.close()
        return {planned.task.id: planned.causes for planned in plan.affected}

    def rerun(self, *words: str, **more: str) -> set[str]:
        """Return the tasks that run again from the warm store; those of the witness do run."""
        environment = {**self.environment, **more}
        engine = Engine(self.top, lambda _: None, environment)
        plan = engine.plan(engine.selection(parse_arguments(words)))
        expected = {planned.task.id for planned in plan.in_state(State.RUN)}
        results = self.run(*words, **more).results.values()
        ran = {result.task for result in results if not result.is_cached}
        assert ran == {task for task in expected if _is_witness(task)}
        return expected

    def learn(self, **more: str) -> Verdicts:
        """Make the store know a pass of every task as things are; return what the witness said.

        The witness runs. For suites whose tools are not installed here, a pass is written under the
        key that the plan has for it.
        """
        verdicts = self.verdicts(**more)
        engine = Engine(self.top, lambda _: None, {**self.environment, **more})
        for planned in engine.plan(Selection()).in_state(State.RUN):
            assert planned.manifest is not None
            assert not _is_witness(planned.task.id)
            passed = TaskResult(planned.task.id, Outcome.PASS).to_data()
            result = StoredResult(
                planned.manifest.key, planned.task.id, passed, (), (), 1.0, time.time(), "test"
            )
            engine.store.put(result, {})
        engine.store.close()
        return verdicts

    def verdicts(self, *words: str, **more: str) -> Verdicts:
        """Run the witness in every package; return task to outcome and what it printed."""
        results = self.run(*words, **more).results
        return {task: (item.outcome.value, item.log) for task, item in results.items()}

    def run(self, *words: str, **more: str) -> RunSummary:
        """Run the witness in every package, or other suites, as the nox door does."""
        ended: list[RunSummary] = []

        def closing(summary: RunSummary) -> str:
            ended.append(summary)
            return ""

        with (
            mock.patch.dict(os.environ, {**self.environment, **more}, clear=True),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.suppress(ChecksFailedError),
        ):
            Checks(self.top).run(parse_arguments(words), self.suites, closing=closing)
        collect()
        (summary,) = ended
        return summary

    def everything(self, *causes: str) -> dict[str, set[str]]:
        """Return every task of every package with the same causes."""
        names = sorted(path.name for path in (self.top / "packages").iterdir())
        return tasks(*names, causes=causes)


def everything_of(*packages: str) -> set[str]:
    """Return the ids of all tasks of packages, those of the witness included."""
    return set(tasks(*packages, suites=(*SUITES, WITNESSED)))


def readers_of_sources(*packages: str) -> set[str]:
    """Return the ids of the tasks that read the sources of what these packages need."""
    return set(tasks(*packages, suites=("type", "unit", WITNESSED)))


def _is_witness(task: str) -> bool:
    return task.endswith(f":{WITNESSED}")


def tasks(
    *packages: str, suites: tuple[str, ...] = SUITES, causes: tuple[str, ...] = ("ChangedFile",)
) -> dict[str, set[str]]:
    """Return task ids of packages with the same cause types."""
    return {f"{package}:{suite}": set(causes) for package in packages for suite in suites}


def dependents(*packages: str) -> dict[str, set[str]]:
    """Return the tasks that read the sources of what these packages need."""
    return tasks(*packages, suites=("type", "unit"), causes=("DependsOn",))
