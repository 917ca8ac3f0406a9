"""`nox -s bench -- images`: what publishing costs where nothing changed."""

from __future__ import annotations

import json
import os
import socket
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.benching_builds import BuildBench
from monoyard.bindings.engine import Engine
from monoyard.cache import StoredFile, StoredResult
from monoyard.errors import ToolError, UsageError
from monoyard.images import ImageWork, engine_problem
from monoyard.install import Daemons, LocalInterpreters, Tools, Venvs, installer_environment
from monoyard.plan import PlannedTask
from monoyard.process import Command, capture, clean, for_git
from monoyard.recall import cache_directory
from monoyard.report.charts import bars
from monoyard.results import Outcome, TaskResult
from monoyard.supply import Registry
from monoyard.testing.generated import generate_services
from monoyard.testing.layouts import write_layout
from monoyard.tools import crane

_USAGE: Final = "nox -s bench -- images [--images=N] [--runs=N] [--json=FILE]"
_PLACE: Final = "docs/benchmarks/images.json"
_BUILT_AT: Final = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    count: int = 50
    runs: int = 5
    target: str = _PLACE


def bench_images(directory: Path, words: Sequence[str]) -> None:
    """Publish generated services to a registry on loopback, and measure publishing them again.

    The images themselves are a file each: what is measured is everything but their bytes.

    Args:
        directory: The repository that asks.
        words: `--images=N` (default 50), `--runs=N` for medians of so many (default 5), and
            `--json=FILE`, beside which a table and a plot are written.

    Raises:
        UsageError: A word is neither.
    """
    wanted = _read(words)
    with tempfile.TemporaryDirectory() as place:
        figures = _Bench(directory, Path(place), wanted).measure()
    problem = engine_problem(os.environ)
    builds = {}
    if not problem:
        with tempfile.TemporaryDirectory() as place:
            builds = BuildBench(directory, Path(place), wanted.runs).measure()
    target = directory / wanted.target
    target.parent.mkdir(parents=True, exist_ok=True)
    data = {
        "version": 1, "images": wanted.count, "runs": wanted.runs, "seconds": figures,
        "builds": builds, "not measured": problem,
    }  # fmt: skip
    target.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    lines = describe_figures(json.loads(target.read_text("utf-8")))
    target.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    title = f"Publishing {wanted.count} images of which none changed (seconds)"
    target.with_suffix(".svg").write_text(bars(title, figures), encoding="utf-8")
    print("\n".join(lines))


def describe_figures(data: Mapping[str, Any]) -> list[str]:
    """Return the figures of a JSON file as a table in Markdown, with the ratios."""
    seconds = data["seconds"]
    if not isinstance(seconds, dict):
        raise TypeError("no figures")
    floor = seconds["empty nox session"] + seconds["git status"]
    again = seconds["nothing changed"]
    one = seconds["nothing changed, one image"]
    ratio = again / (floor + seconds["one registry probe"])
    return [
        f"# Publishing {data['images']} images again",
        "",
        f"Medians of {data['runs']}, the first publication once; `nox -s bench -- images`.",
        "",
        "| what | seconds |",
        "| --- | ---: |",
        *(f"| {name} | {value:.2f} |" for name, value in seconds.items()),
        f"| nothing changed / one registry probe | {again / seconds['one registry probe']:.1f} |",
        f"| nothing changed / the same of one image | {again / one:.2f} |",
        f"| nothing changed / (empty nox session + git status + one probe) | {ratio:.2f} |",
        "",
        "![seconds](images.svg)",
        "",
        *_describe_builds(data),
    ]


def _describe_builds(data: Mapping[str, Any]) -> Iterator[str]:
    builds = data["builds"]
    yield "# Building one service"
    yield ""
    if not builds:
        yield f"Not measured: {data['not measured']}."
        return
    yield (
        "A Python service of this repository after one edited line: with all that the engine does "
        "(keys, wheels, a trial in the container engine), and a plain bake of the same files. "
        "Sizes are those of unpacked layers."
    )
    yield ""
    yield "| what | figure |"
    yield "| --- | ---: |"
    for name, value in builds.items():
        yield f"| {name} | {value:.1f} |"
    ratio = builds["one line, nox -s images"] / builds["one line, plain bake"]
    yield f"| nox -s images / plain bake | {ratio:.1f} |"
    own, one = builds["size, nox -s images (MiB)"], builds["size, one stage on debian (MiB)"]
    yield f"| size / one stage on debian | {own / one:.2f} |"


def _read(words: Sequence[str]) -> _Wanted:
    wanted = _Wanted()
    for word in words:
        name, _, value = word.partition("=")
        if name == "--json" and value:
            wanted = replace(wanted, target=value)
        elif name == "--runs" and value.isdecimal() and int(value):
            wanted = replace(wanted, runs=int(value))
        elif name == "--images" and value.isdecimal() and int(value):
            wanted = replace(wanted, count=int(value))
        else:
            raise UsageError(f"`bench -- images` does not understand `{word}`", hint=_USAGE)
    return wanted


class _Bench:
    def __init__(self, directory: Path, place: Path, wanted: _Wanted) -> None:
        self._place = place
        self._top = place / "repository"
        self._top.mkdir()
        self._wanted = wanted
        venvs = Venvs(cache_directory(os.environ), directory, lambda _: None)
        tools = Tools(venvs, LocalInterpreters())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        self._daemons = Daemons(tools, place, port)
        self._address = f"127.0.0.1:{port}"
        self._registry = Registry(tools.ensure("crane"), self._address)
        programs = {str(tools.ensure(name).parent) for name in ("cosign", "crane", "syft")}
        self._environment = {
            **installer_environment(),
            **clean(("PYTHONPATH",)),  # the engine itself may be found by it
            "PATH": os.pathsep.join((*sorted(programs), os.environ["PATH"])),
            "MONOYARD_CACHE_DIR": str(place / "cache"),
            "MONOYARD_REGISTRY": self._address,
            "DOCKER_HOST": "unix:///nowhere/docker.sock",
        }

    def measure(self) -> dict[str, float]:
        """Return medians in seconds by name of what was measured."""
        generate_services(self._top, self._wanted.count)
        for argv in (
            ("git", "init", "-q", "-b", "main"),
            ("git", "add", "-A"),
            ("git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "all"),
        ):
            self._time(argv, 1, for_git())
        self._keep_images()
        self._daemons.start("registry")
        try:
            return self._measure()
        finally:
            self._daemons.stop("registry")

    def _measure(self) -> dict[str, float]:
        nox = (sys.executable, "-m", "nox", "-s")
        figures = {"first publication": self._time((*nox, "publish"), 1)}
        self._time((*nox, "publish"), 1)
        figures["nothing changed"] = self._time((*nox, "publish"))
        figures["nothing changed, one image"] = self._time((*nox, "publish", "--", "service_0000"))
        tag = self._registry.tags("service_0000")[0]
        reference = f"{self._address}/service_0000:{tag}"
        figures["one registry probe"] = self._time(crane.digest(self._registry.program, reference))
        figures["empty nox session"] = self._time((*nox, "empty"))
        figures["git status"] = self._time(("git", "status", "--porcelain"))
        return figures

    def _keep_images(self) -> None:
        """Put an image for each service into the store, as builds do."""
        engine = Engine(self._top, lambda _: None, self._environment)
        plan = engine.plan(engine.selection(parse_arguments([])), has_engine=True)
        for planned in plan.selected:
            if isinstance(planned.task.work, ImageWork):
                engine.store.put(*self._image(planned))
        engine.store.close()

    def _image(self, planned: PlannedTask) -> tuple[StoredResult, dict[str, Path]]:
        if planned.manifest is None:
            raise ToolError(f"{planned.task.id} has no key")
        files = {"etc/os-release": "ID=debian\nVERSION_ID=12\n", "name": planned.task.package}
        layout = write_layout(self._place / "layouts" / planned.task.package, files)
        paths = [path for path in layout.path.rglob("*") if path.is_file()]
        kept = [StoredFile.of_file(f"oci/{path.relative_to(layout.path)}", path) for path in paths]
        said = TaskResult(planned.task.id, Outcome.PASS).to_data()
        result = StoredResult(
            planned.manifest.key, planned.task.id, said, (), tuple(kept), 1.0, _BUILT_AT
        )
        return result, {file.digest: path for file, path in zip(kept, paths, strict=True)}

    def _time(
        self, argv: tuple[str, ...], runs: int = 0, environment: dict[str, str] | None = None
    ) -> float:
        seconds = []
        for _ in range(runs or self._wanted.runs):
            done = capture(Command(argv, self._top, environment or self._environment))
            if done.status != 0:
                raise ToolError(f"`{' '.join(argv[:5])}` failed", context=done.last_lines)
            seconds.append(done.seconds)
        return statistics.median(seconds)
