"""The part of `nox -s bench -- images` that builds: one edited line, and the size of an image."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import statistics
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.bindings.publishing import collect_layouts
from monoyard.errors import ToolError, UsageError
from monoyard.images import ImageWork, Layout, index_secrets
from monoyard.install import LocalInterpreters, Tools, Venvs, installer_environment
from monoyard.process import PROXIES, Command, Completed, capture, clean, for_git
from monoyard.recall import cache_directory
from monoyard.tools import buildx

_ROOT: Final = "monoyard-bench-root"
_TOOLS: Final = ("buildkitd", "buildx")
_PACKAGES: Final = "ca-certificates,python3,python3-venv"
_MEBIBYTE: Final = 1024**2
# As most teams write it: dependencies first, so that an edited line does not install them again.
_INSTALL: Final = (
    "--mount=type=secret,id=index,target=/uv.toml --mount=type=secret,id=certificates \\\n"
    "    SSL_CERT_FILE=/run/secrets/certificates uv --config-file /uv.toml pip install -q"
    " --python /opt/venv --no-deps"
)
# As most teams write it: dependencies first, so that an edited line does not install them again.
_PLAIN: Final = """\
FROM {root} AS build
COPY uv /usr/local/bin/uv
RUN python3 -m venv --without-pip /opt/venv
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache {install} -r requirements.txt
COPY packages packages
RUN --mount=type=cache,target=/root/.cache {install} --no-sources packages/*

FROM {root}
COPY --from=build /opt/venv /opt/venv
ENTRYPOINT ["/opt/venv/bin/python", "-m", "{module}"]
"""
# As one writes it first: one stage, with everything that was needed on the way.
_ONE_STAGE: Final = """\
FROM {root}
COPY uv /usr/local/bin/uv
COPY requirements.txt .
COPY packages packages
RUN python3 -m venv --without-pip /opt/venv
RUN {install} -r requirements.txt
RUN {install} --no-sources packages/*
ENTRYPOINT ["/opt/venv/bin/python", "-m", "{module}"]
"""


class BuildBench:
    """Builds one service of a copy of a repository, with and without the engine.

    Args:
        directory: The repository.
        place: An empty directory.
        runs: Medians are of so many.

    Raises:
        UsageError: The repository has no Python service with an image.
    """

    def __init__(self, directory: Path, place: Path, runs: int) -> None:
        self._place = place
        self._runs = runs
        self._top = place / "repository"
        self._run(("git", "clone", "-q", "--local", str(directory), str(self._top)), for_git())
        venvs = Venvs(cache_directory(os.environ), directory, lambda _: None)
        tools = Tools(venvs, LocalInterpreters())
        self._uv = tools.ensure("uv")
        self._buildx = tools.ensure("buildx")
        programs = {str(tools.ensure(name).parent) for name in _TOOLS}
        self._environment = {
            **installer_environment(),
            **clean(("PYTHONPATH", "DOCKER_*", *PROXIES)),
            "PATH": os.pathsep.join((*sorted(programs), os.environ["PATH"])),
            "MONOYARD_CACHE_DIR": str(place / "cache"),
        }
        self._work = self._service()
        self._edited = self._top / next(
            path
            for path in sorted(self._work.sources[self._work.package])
            if path.endswith("__init__.py")
        )

    def measure(self) -> dict[str, float]:
        """Return seconds and mebibytes by name of what was measured."""
        context = self._write_contexts()
        ours = self._ours()
        try:
            plain = self._plain(context)
            sizes = {
                "size, one stage on debian (MiB)": self._size("one-stage"),
                "size, two stages on debian (MiB)": self._size("plain"),
            }
        finally:
            self._forget()
        return {
            "one line, nox -s images": ours,
            "one line, plain bake": plain,
            "size, nox -s images (MiB)": self._own_size(),
            **sizes,
        }

    def _service(self) -> ImageWork:
        engine = Engine(self._top, lambda _: None, self._environment)
        plan = engine.plan(engine.selection(parse_arguments([])), has_engine=True)
        works = [item.task.work for item in plan.selected if isinstance(item.task.work, ImageWork)]
        python = sorted((work for work in works if work.sources), key=lambda work: work.package)
        if not python:
            raise UsageError("there is no Python service whose image could be built")
        return python[0]

    def _ours(self) -> float:
        nox = (sys.executable, "-m", "nox", "-s", "images", "--", self._work.package)
        self._run(nox)
        return self._time(nox)

    def _time(self, argv: tuple[str, ...], said: bytes = b"") -> float:
        """Return the median of runs that each follow an edit of one line."""
        seconds = []
        text = self._edited.read_text("utf-8")
        for _ in range(self._runs):
            self._edited.write_text(f"{text}\n# {uuid.uuid4()}\n", encoding="utf-8")
            self._copy_sources()
            seconds.append(self._run(argv, said=said).seconds)
        self._edited.write_text(text, encoding="utf-8")
        return statistics.median(seconds)

    def _write_contexts(self) -> Path:
        context = self._place / "context"
        context.mkdir()
        shutil.copy(self._uv, context / "uv")
        shutil.copy(self._top / self._work.requirements, context / "requirements.txt")
        module = self._work.entrypoint[-1]
        for name, text in (("plain", _PLAIN), ("one-stage", _ONE_STAGE)):
            said = text.format(root=_ROOT, module=module, install=_INSTALL)
            (context / f"{name}.Dockerfile").write_text(said, encoding="utf-8")
        self._copy_sources()
        return context

    def _copy_sources(self) -> None:
        packages = self._place / "context" / "packages"
        shutil.rmtree(packages, ignore_errors=True)
        for name, paths in self._work.sources.items():
            for path in paths:
                target = packages / name / Path(path).relative_to(self._work.directories[name])
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._top / path, target)

    def _plain(self, context: Path) -> float:
        """Time a bake as one calls it without the engine, on the container engine's builder."""
        root = self._place / "root.tar"
        self._run(
            ("mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root))
        )
        self._run(("docker", "import", str(root), _ROOT))
        secrets = [f"id={name},src={file}" for name, file in index_secrets(self._place).items()]
        targets = {
            name: {
                "context": str(context), "dockerfile": f"{name}.Dockerfile",
                "network": "host",
                "secret": secrets,
                "tags": [f"monoyard-bench-{name}"], "output": ["type=docker"],
            }
            for name in ("plain", "one-stage")
        }  # fmt: skip
        said = json.dumps({"target": targets}).encode()
        argv = (
            str(self._buildx), "bake", "--builder=default", "--progress=plain",
            "--allow=network.host", "--file=-",
        )  # fmt: skip
        self._run((*argv, "plain", "one-stage"), said=said)
        return self._time((*argv, "plain"), said)

    def _size(self, name: str) -> float:
        said = self._run(("docker", "image", "inspect", f"monoyard-bench-{name}")).stdout
        found: list[dict[str, Any]] = json.loads(said)
        return int(found[0]["Size"]) / _MEBIBYTE

    def _own_size(self) -> float:
        """Return the size of our own image as the engine counts those: its layers, unpacked."""
        engine = Engine(self._top, lambda _: None, self._environment)
        plan = engine.plan(engine.selection(parse_arguments([])), has_engine=True)
        place = self._place / "layouts"
        layout = collect_layouts(engine, plan, {self._work.package}, place)[self._work.package]
        return sum(map(_unpacked, _layers(layout))) / _MEBIBYTE

    def _forget(self) -> None:
        for name in ("monoyard-bench-plain", "monoyard-bench-one-stage", _ROOT):
            capture(
                Command(("docker", "image", "rm", "--force", name), self._place, self._environment)
            )

    def _run(
        self, argv: tuple[str, ...], environment: dict[str, str] | None = None, said: bytes = b""
    ) -> Completed:
        place = self._top if self._top.is_dir() else self._place
        own = {**(environment or self._environment), **buildx.ENVIRONMENT}
        done = capture(Command(argv, place, own, stdin=said))
        if done.status != 0:
            raise ToolError(f"`{' '.join(argv[:4])}` failed", context=done.last_lines)
        return done


def _layers(layout: Layout) -> Iterable[Path]:
    return (layout.blob(layer["digest"]) for layer in layout.manifest["layers"])


def _unpacked(layer: Path) -> int:
    """Return the bytes of a layer that may be compressed."""
    with layer.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return layer.stat().st_size
    with gzip.open(layer) as unpacked:
        return sum(len(block) for block in iter(lambda: unpacked.read(1 << 20), b""))
