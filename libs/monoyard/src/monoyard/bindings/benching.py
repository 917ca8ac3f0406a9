"""`nox -s bench`: what a call costs, as ratios to what nox and git cost in the same run."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from monoyard.bindings.benching_images import bench_images
from monoyard.errors import ToolError, UsageError
from monoyard.install import (
    LocalInterpreters,
    Tools,
    Venvs,
    cache_directory,
    installer_environment,
)
from monoyard.process import Command, capture, clean, for_git
from monoyard.testing.generated import generate, leaf_module

_USAGE: Final = "nox -s bench -- [PACKAGES ... | images] [--runs=N] [--json=FILE]"


@dataclass(frozen=True, slots=True)
class _Wanted:
    counts: tuple[int, ...] = (50,)
    runs: int = 5
    target: str = ""


def bench(directory: Path, words: Sequence[str]) -> None:
    """Generate repositories, measure, print a table for each.

    Args:
        directory: The repository that asks.
        words: `images` and what `bench_images` takes, or numbers of packages (default 50),
            `--runs=N` for medians of so many (default 5), and `--json=FILE` for the figures.

    Raises:
        UsageError: A word is neither.
    """
    if words[:1] == ["images"]:
        bench_images(directory, words[1:])
        return
    wanted = _read(words)
    figures = {}
    for count in wanted.counts:
        with tempfile.TemporaryDirectory() as place:
            figures[count] = _Bench(directory, Path(place), count, wanted.runs).measure()
        _print(count, wanted.runs, figures[count])
    if wanted.target:
        Path(wanted.target).write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def _read(words: Sequence[str]) -> _Wanted:
    wanted, counts = _Wanted(), []
    for word in words:
        name, _, value = word.partition("=")
        if name == "--json" and value:
            wanted = replace(wanted, target=value)
        elif name == "--runs" and _is_positive(value):
            wanted = replace(wanted, runs=int(value))
        elif _is_positive(word):
            counts.append(int(word))
        else:
            raise UsageError(f"`bench` does not understand `{word}`", hint=_USAGE)
    return replace(wanted, counts=tuple(counts)) if counts else wanted


def _is_positive(word: str) -> bool:
    return word.isdecimal() and int(word) > 0


class _Bench:
    def __init__(self, directory: Path, place: Path, count: int, runs: int) -> None:
        self._top = place / "repository"
        self._top.mkdir()
        self._count = count
        self._runs = runs
        self._environment = {
            **installer_environment(),
            **clean(("PYTHONPATH",)),  # the engine itself may be found by it
            "MONOYARD_CACHE_DIR": str(place / "cache"),
        }
        self._lock = self._pins(directory)

    def _pins(self, directory: Path) -> str:
        kept = Venvs(cache_directory(os.environ), directory, lambda _: None)
        compile_program = Tools(kept, LocalInterpreters()).ensure("uv")
        source = self._top.parent / "tools.in"
        source.write_text("iniconfig\nmypy\npytest\nruff\n", encoding="utf-8")
        argv = (
            str(compile_program), "pip", "compile", "--quiet", "--generate-hashes", "--no-header",
            "--no-emit-index-url", "--python", sys.executable, str(source),
        )  # fmt: skip
        return self._run(argv, self._top.parent).decode()

    def measure(self) -> dict[str, float]:
        """Return medians in seconds by name of what was measured."""
        generate(self._top, self._count, self._lock)
        for argv in (
            ("git", "init", "-q", "-b", "main"),
            ("git", "add", "-A"),
            ("git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "all"),
        ):
            self._run(argv, self._top, for_git())
        nox = (sys.executable, "-m", "nox", "-s")
        checks = ("--", "--suite", "lint", "--suite", "type", "--suite", "unit")
        figures = {"set up": self._time((*nox, "ci", "--", "package_0000"), 1)}
        figures["cold"] = self._time((*nox, "ci", *checks, "--force"), 1)
        figures["empty nox session"] = self._time((*nox, "empty"))
        figures["git status"] = self._time(("git", "status", "--porcelain"))
        self._time((*nox, "ci", *checks), 1)
        figures["nothing changed"] = self._time((*nox, "ci", *checks))
        leaf = self._top / leaf_module(self._count)
        figures["one leaf edited"] = self._time(
            (*nox, "ci", *checks), before=lambda turn: _touch(leaf, turn)
        )
        invoke = (sys.executable, "-m", "invoke")
        figures["affected"] = self._time((*invoke, "affected"))
        figures["invoke alone"] = self._time((*invoke, "--list"))
        return figures

    def _time(
        self, argv: tuple[str, ...], runs: int = 0, before: Callable[[int], None] | None = None
    ) -> float:
        seconds = []
        for turn in range(runs or self._runs):
            if before is not None:
                before(turn)
            done = capture(Command(argv, self._top, self._environment))
            if done.status != 0:
                raise ToolError(f"`{' '.join(argv[2:6])}` failed", context=done.last_lines)
            seconds.append(done.seconds)
        return statistics.median(seconds)

    def _run(self, argv: tuple[str, ...], cwd: Path, env: dict[str, str] | None = None) -> bytes:
        done = capture(Command(argv, cwd, env or self._environment))
        if done.status != 0:
            raise ToolError(f"`{argv[0]} {argv[1]}` failed", context=done.last_lines)
        return done.stdout


def _touch(path: Path, turn: int) -> None:
    gap = "" if turn else "\n\n"
    path.write_text(f"{path.read_text('utf-8')}{gap}CONSTANT_{turn} = {turn}\n", encoding="utf-8")


def _print(count: int, runs: int, figures: dict[str, float]) -> None:
    floor = figures["empty nox session"] + figures["git status"]
    asked = figures["invoke alone"] + figures["git status"]
    print(f"{count} packages; medians of {runs}, cold once")
    for name, seconds in figures.items():
        print(f"  {name:20} {seconds:8.2f} s")
    nothing, affected = figures["nothing changed"] / floor, figures["affected"] / asked
    print(f"  nothing changed / (empty nox session + git status)  {nothing:.2f}")
    print(f"  affected / (invoke alone + git status)              {affected:.2f}")
