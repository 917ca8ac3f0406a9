"""Commands of tables: what their words become."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from monoyard.suites.commands import CommandWork, command_steps
from monoyard.suites.venvs import VenvSpec


class Here:
    """Surroundings of a run in which everything has a place."""

    top = Path("/top")
    scratch = Path("/scratch")
    state = Path("/state")
    kept = Path("/kept")
    workers = 1
    overlays: Mapping[str, tuple[str, ...]] = {}

    def own_directory(self, name: str) -> Path:
        """Return a directory."""
        return self.state / name

    def copies(self, cache: Path) -> Mapping[str, str]:
        """Return that every file is what it seems."""
        del cache
        return {}

    def venv(self, spec: VenvSpec) -> Path:
        """Return where a venv would be."""
        return Path("/venv") / str(spec)

    def modules(self, spec: VenvSpec) -> Mapping[str, tuple[str, ...]]:
        """Return that nothing is installed."""
        del spec
        return {}

    def pytest_plugins(self, spec: VenvSpec) -> Mapping[str, tuple[str, ...]]:
        """Return that nothing is installed."""
        del spec
        return {}

    def tool(self, name: str) -> Path:
        """Return where a tool would be."""
        return Path("/tools") / name

    def outputs(self, task: str) -> dict[str, str]:
        """Return what a task left: nothing."""
        del task
        return {}

    def resource(self, name: str) -> Mapping[str, str]:
        """Return that no server runs."""
        del name
        return {}

    def environment(self, declared: Iterable[str]) -> dict[str, str]:
        """Return an environment with nothing in it."""
        del declared
        return {}


def test_a_command_calls_the_engine_that_runs_it() -> None:
    """A check of the engine's own needs no venv with the engine in it, nor a name on PATH."""
    command = ("{engine}", "-m", "monoyard", "check-deploy", "--helm={tool:helm}")
    work = CommandWork("workspace", "", (command,))

    (step,) = command_steps(work, Here())

    assert step.argv == (sys.executable, "-m", "monoyard", "check-deploy", "--helm=/tools/helm")
