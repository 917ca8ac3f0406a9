"""Executes image tasks: one process for all of a run, whose answer is attributed to each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from monoyard.images.builder import CREDENTIALS
from monoyard.images.layer_cache import LayerCache
from monoyard.images.layouts import Layout
from monoyard.images.order import Made, Order, read_made
from monoyard.images.work import ImageWork
from monoyard.plan import Task
from monoyard.process import PROXIES
from monoyard.results import Outcome, TaskResult
from monoyard.suites import BULK, Finished, Interpretation, Needs, Step, Surroundings

_VARIABLES: Final = (
    "DOCKER_*", "UV_*", *PROXIES, "NETRC",
)  # fmt: skip
_ENGINE: Final = Path(__file__).parents[2]
_LOG_LIMIT: Final = 60_000


class ImageExecutor:
    """Makes all images of a run together, so that what they share is made once.

    Args:
        cache: Where layers of other builders are, if anywhere.
        published: Key of a base to an image of a registry, by digest, that is trusted.

    Attributes:
        notes: What a person should know of the builds so far.
    """

    def __init__(
        self, cache: LayerCache | None = None, published: Mapping[str, str] | None = None
    ) -> None:
        self.notes: list[str] = []
        self._cache = cache
        self._published = published or {}

    def batch(self, task: Task) -> object:
        """Return one value for all images that are built by one interpreter's backends."""
        return ("images", _work(task).venv)

    def needs(self, tasks: Sequence[Task]) -> Needs:
        """Return the venv of the build backends and the builder's programs."""
        venv = _work(tasks[0]).venv
        return Needs(venvs=(venv,) if venv else (), tools=("uv", "buildx", "buildkitd"))

    def steps(self, tasks: Sequence[Task], around: Surroundings) -> list[Step]:
        """Return the building process."""
        work = _work(tasks[0])
        python = around.venv(work.venv) / "bin" / "python" if work.venv else Path(sys.executable)
        place = around.scratch / BULK
        place.mkdir()
        order = Order(
            top=str(around.top),
            scratch=str(place),
            kept=str(around.kept / "images"),
            uv=str(around.tool("uv")),
            buildx=str(around.tool("buildx")),
            buildkitd=str(around.tool("buildkitd")),
            python=str(python),
            is_isolated=work.venv is None,
            log=str(around.scratch / "bake.log"),
            cache=self._cache,
            published=self._published,
            state=str(around.state),
            pages={
                task.package: around.outputs(need)
                for task in tasks
                if _work(task).bundle
                for need in task.needs
            },
            images=tuple(replace(_work(task), venv=None) for task in tasks),
        )
        path = around.scratch / "order.json"
        order.write(path)
        argv = (sys.executable, "-m", "monoyard.images.building", str(path))
        # Wherever this process found the engine, the next one finds it too.
        variables = (*_VARIABLES, *CREDENTIALS) if self._cache else _VARIABLES
        environment = around.environment(variables) | {"PYTHONPATH": str(_ENGINE)}
        return [Step(around.top, environment, argv=argv)]

    def interpret(
        self, tasks: Sequence[Task], around: Surroundings, finished: Sequence[Finished]
    ) -> Interpretation:
        """Pass what was built and tried; its layout is kept with the result."""
        place = around.scratch / BULK
        made, notes = read_made(place / "made.json")
        self.notes += notes
        step = finished[-1]
        seconds = step.exit.seconds / len(tasks)
        results = {}
        for task in tasks:
            item = made.get(task.package, _lost(step))
            results[task.id] = _result(task, item, place / "layouts" / task.package, seconds)
        return Interpretation(results)


def _result(task: Task, made: Made, layout: Path, seconds: float) -> TaskResult:
    if made.problem:
        outcome = Outcome.ERROR if made.is_error else Outcome.FAIL
        return TaskResult(task.id, outcome, made.problem, seconds, log=made.log[-_LOG_LIMIT:])
    files = {f"oci/{name}": str(path) for name, path in Layout(layout).files().items()}
    said = f"{made.digest} ({made.size / 1_000_000:.0f} MB)"
    return TaskResult(task.id, Outcome.PASS, seconds=seconds, log=said, files=files)


def _lost(step: Finished) -> Made:
    if step.exit.timed_out:
        problem = f"stopped after {step.exit.seconds:.0f} s (timeout)"
    elif step.exit.lost:
        problem = "its process was killed from outside"
    else:
        problem = f"the building process ended with status {step.exit.status}"
    return Made(problem=problem, log=step.text, is_error=True)


def _work(task: Task) -> ImageWork:
    if not isinstance(task.work, ImageWork):
        raise TypeError(f"{task.id} is no image")
    return task.work
