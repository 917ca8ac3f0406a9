"""`nox -s bench`: what a call costs, as ratios to what nox and git cost in the same run."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from monoyard.errors import ToolError, UsageError
from monoyard.install import LocalInterpreters, Tools, Venvs, cache_directory
from monoyard.process import Command, capture, clean, for_git
from monoyard.testing.generated import generate, leaf_module

_RUNS = 5


def bench(directory: Path, words: Sequence[str]) -> None:
    """Generate a repository, measure, print a table; `--json=FILE` writes the figures.

    Args:
        directory: The repository whose lock gives the tools' versions.
        words: Number of packages (default 50), and options.

    Raises:
        UsageError: A word is no number.
    """
    numbers = [word for word in words if not word.startswith("--")]
    if any(not number.isdigit() or int(number) < 1 for number in numbers):
        raise UsageError("`bench` takes numbers of packages: nox -s bench -- 50 200")
    figures = {}
    for number in numbers or ["50"]:
        with tempfile.TemporaryDirectory() as place:
            figures[int(number)] = _Bench(directory, Path(place), int(number)).measure()
        _print(int(number), figures[int(number)])
    for word in words:
        if word.startswith("--json="):
            Path(word.removeprefix("--json=")).write_text(
                json.dumps(figures, indent=1) + "\n", "utf-8"
            )


class _Bench:
    def __init__(self, directory: Path, place: Path, count: int) -> None:
        self._top = place / "repository"
        self._top.mkdir()
        self._count = count
        self._environment = clean(("UV_*", "SSL_*"))
        self._environment["MONOYARD_CACHE_DIR"] = str(place / "cache")
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
        self, argv: tuple[str, ...], runs: int = _RUNS, before: Callable[[int], None] | None = None
    ) -> float:
        seconds = []
        for turn in range(runs):
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


def _print(count: int, figures: dict[str, float]) -> None:
    floor = figures["empty nox session"] + figures["git status"]
    asked = figures["invoke alone"] + figures["git status"]
    print(f"{count} packages; medians of {_RUNS}, cold once")
    for name, seconds in figures.items():
        print(f"  {name:20} {seconds:8.2f} s")
    nothing, affected = figures["nothing changed"] / floor, figures["affected"] / asked
    print(f"  nothing changed / (empty nox session + git status)  {nothing:.2f}")
    print(f"  affected / (invoke alone + git status)              {affected:.2f}")
