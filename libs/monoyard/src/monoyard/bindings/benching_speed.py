"""The measurements of one generated repository: ours and other tools, turn by turn."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.benching_rivals import (
    Rival,
    find_rivals,
    forget,
    has_passed,
    ours_passed,
    set_up,
)
from monoyard.errors import MonoyardError, ToolError
from monoyard.install import LocalInterpreters, Tools, Venvs, installer_environment
from monoyard.process import Command, capture, clean, for_git
from monoyard.recall import cache_directory
from monoyard.testing.generated import generate, leaf_module

_PACKAGES: Final = "doit\niniconfig\nmypy\npytest\nruff\n"
_PEAK: Final = (
    "import resource, subprocess, sys; "
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
_CHECKS: Final = ("--", "--suite", "lint", "--suite", "type", "--suite", "unit")


class SpeedBench:
    """Measures one number of packages.

    Args:
        directory: The repository that asks.
        place: An empty directory.
        count: Packages.
        runs: How often to time what is warm.
        cold: How often to time what is cold; with 0 ours once, and others run checks that do
            nothing.
    """

    def __init__(self, directory: Path, place: Path, count: int, runs: int, cold: int) -> None:
        self._place = place
        self._top, self._other = place / "repository", place / "rivals"
        self._count, self._runs, self._cold = count, runs, cold
        self._environment = {
            **installer_environment(),
            **clean(("PYTHONPATH",)),  # the engine itself may be found by it
            "MONOYARD_CACHE_DIR": str(place / "cache"),
            "TURBO_TELEMETRY_DISABLED": "1",
        }
        kept = Venvs(cache_directory(os.environ), directory, lambda _: None)
        self._lock = self._pins(str(Tools(kept, LocalInterpreters()).ensure("uv")))

    def measure(self) -> dict[str, Any]:
        """Return medians in seconds by name, the peak of memory, and what was not measured."""
        for top in (self._top, self._other):
            top.mkdir()
            generate(top, self._count, self._lock)
        self._commit(self._top)
        self._call((*self._nox("ci"), "--", "package_0000"))  # makes the venv
        (venv,) = (path for path in (self._place / "cache" / "venvs").iterdir() if path.is_dir())
        turbo, missing = self._turbo()
        rivals = find_rivals(turbo, str(venv / "bin" / "doit"))
        set_up(self._other, self._count, venv, is_idle=not self._cold)
        self._commit(self._other)
        figures = self._measure_cold(rivals)
        figures |= self._measure_warm([one for one in rivals if one.remembers])
        figures |= self._measure_affected()
        if turbo:
            empty = ("npm", "run", "empty")
            figures["npm run, of an empty script"] = self._medians({"": (empty, self._other)})[""]
        invoke = (sys.executable, "-m", "invoke", "plan")
        unit = 1 if sys.platform == "darwin" else 1024
        peak = int(self._call((sys.executable, "-c", _PEAK, *invoke))) * unit
        return {
            "runs": self._runs, "cold runs": self._cold, "seconds": figures,
            "memory to plan, MB": round(peak / 1e6),
            "not measured": missing,
        }  # fmt: skip

    def _measure_cold(self, rivals: tuple[Rival, ...]) -> dict[str, float]:
        found = defaultdict(list)
        for _ in range(self._cold or 1):
            for name in (".monoyard", "../cache/store"):
                shutil.rmtree(self._top / name, ignore_errors=True)
            found["cold, ours"].append(self._time((*self._nox("ci"), *_CHECKS), self._top))
            record = max((self._top / ".monoyard" / "runs").iterdir()) / "run.json"
            if not ours_passed(record, self._count):
                raise ToolError("the checks of ours did not all pass")
            for rival in rivals if self._cold else ():
                forget(self._other, rival)
                found[f"cold, {rival.name}"].append(self._time(rival.argv, self._other))
                if not has_passed(self._other, self._count):
                    raise ToolError(f"the checks of {rival.name} did not all pass")
        return {name: statistics.median(seconds) for name, seconds in found.items()}

    def _measure_warm(self, rivals: list[Rival]) -> dict[str, float]:
        ours = (*self._nox("ci"), *_CHECKS)
        calls = {
            "empty nox session": (self._nox("empty"), self._top),
            "git status": (("git", "status", "--porcelain"), self._top),
            "nothing changed, ours": (ours, self._top),
        }
        for rival in rivals:
            forget(self._other, rival)
            self._prime(rival)
            calls[f"nothing changed, {rival.name}"] = (rival.argv, self._other)
        self._call(ours)  # the last cold run may have been followed by an edit of nobody
        return self._medians(calls)

    def _prime(self, rival: Rival) -> None:
        """Let a tool run everything once; where checks do nothing, npm does not start them."""
        environment = self._environment
        if not self._cold:
            npm = self._place / "idle" / "npm"
            npm.parent.mkdir(exist_ok=True)
            npm.write_text("#!/bin/sh\n", encoding="utf-8")
            npm.chmod(0o755)
            environment = {**environment, "PATH": f"{npm.parent}:{environment['PATH']}"}
        self._run(Command(rival.argv, self._other, environment))

    def _measure_affected(self) -> dict[str, float]:
        leaf = self._top / leaf_module(self._count)
        invoke = (sys.executable, "-m", "invoke")
        calls = {
            "empty invoke task": ((*invoke, "empty"), self._top),
            "affected, one leaf edited": ((*invoke, "affected"), self._top),
        }

        def edit(turn: int) -> None:
            text = leaf.read_text("utf-8").partition("\n\n\nCONSTANT")[0].rstrip("\n")
            leaf.write_text(f"{text}\n\n\nCONSTANT_{turn} = {turn}\n", encoding="utf-8")

        found = self._medians(calls, edit)
        ours = (*self._nox("ci"), *_CHECKS)
        found |= self._medians({"one leaf edited, ours": (ours, self._top)}, edit)
        return found

    def _medians(
        self,
        calls: Mapping[str, tuple[tuple[str, ...], Path]],
        before: Callable[[int], None] | None = None,
    ) -> dict[str, float]:
        """Time calls turn by turn, so that what else the machine does meets all of them."""
        found = defaultdict(list)
        for turn in range(self._runs):
            if before is not None:
                before(turn)
            for name, (argv, top) in calls.items():
                found[name].append(self._time(argv, top))
        return {name: statistics.median(seconds) for name, seconds in found.items()}

    def _nox(self, session: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "nox", "-s", session)

    def _turbo(self) -> tuple[str, str]:
        """Return turbo's native program, or why there is none."""
        place = self._place / "turbo"
        place.mkdir()
        (place / "package.json").write_text("{}", encoding="utf-8")
        try:
            self._call(("npm", "install", "--no-audit", "--no-fund", "turbo"), place)
        except MonoyardError as error:
            return "", f"turbo: {error.message}"
        found = sorted(place.glob("node_modules/@turbo/*/bin/turbo"))
        return (str(found[0]), "") if found else ("", "turbo: npm has no program for this machine")

    def _pins(self, uv: str) -> str:
        source = self._place / "tools.in"
        source.write_text(_PACKAGES, encoding="utf-8")
        return self._call(
            (uv, "pip", "compile", "--quiet", "--generate-hashes", "--no-header",
             "--no-emit-index-url", "--python", sys.executable, str(source)),
            self._place,
        ).decode()  # fmt: skip

    def _commit(self, top: Path) -> None:
        identity = ("-c", "user.name=b", "-c", "user.email=b@example.org")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "all")):
            self._run(Command(("git", *identity, *words), top, for_git()))

    def _call(self, argv: tuple[str, ...], top: Path | None = None) -> bytes:
        return self._run(Command(argv, top or self._top, self._environment))[0]

    def _time(self, argv: tuple[str, ...], top: Path) -> float:
        return self._run(Command(argv, top, self._environment))[1]

    def _run(self, command: Command) -> tuple[bytes, float]:
        done = capture(command)
        if done.status != 0:
            raise ToolError(f"`{' '.join(command.argv[:6])}` failed", context=done.last_lines)
        return done.stdout, done.seconds
