"""Finds Python interpreters: the one that runs the engine, and others on PATH."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from functools import cache
from pathlib import Path

from monoyard.errors import MonoyardError
from monoyard.process import Command, capture, clean
from monoyard.suites import Interpreter, allows

_PROBE = (
    "import platform, sys, sysconfig; b = getattr(sys, '_base_executable', '') or sys.executable; "
    "print(b); print(platform.python_version()); "
    "print(sys.implementation.name); print(sysconfig.get_platform())"
)
_MINORS = tuple(f"3.{minor}" for minor in range(20, 8, -1))


class LocalInterpreters:
    """The interpreters of this machine; looked for when first asked."""

    @cache  # noqa: B019  one instance a process
    def default(self) -> Interpreter:
        """Return the interpreter under the venv that runs the engine."""
        base = Path(getattr(sys, "_base_executable", "") or sys.executable)
        version = platform.python_version()
        name = sys.implementation.name
        return Interpreter(base, version, f"{name}-{version}-{sysconfig.get_platform()}")

    @cache  # noqa: B019
    def find(self, minor: str) -> Interpreter | None:
        """Return an interpreter of that version: the default one, or one on PATH that answers."""
        if self.default().minor == minor:
            return self.default()
        for directory in os.environ.get("PATH", "").split(os.pathsep):
            candidate = Path(directory) / f"python{minor}"
            if directory and os.access(candidate, os.X_OK):
                found = _probe(candidate)
                if found is not None and found.minor == minor:
                    return found
        return None

    @cache  # noqa: B019
    def newest_allowed(self, specifier: str) -> Interpreter | None:
        """Return the default interpreter where it is allowed, else the newest one that is."""
        if not specifier or allows(specifier, self.default().version):
            return self.default()
        for minor in _MINORS:
            if allows(specifier, f"{minor}.99") or allows(specifier, f"{minor}.0"):
                found = self.find(minor)
                if found is not None and allows(specifier, found.version):
                    return found
        return None


def _probe(program: Path) -> Interpreter | None:
    """Ask a program what it is; a shim that leads nowhere is none."""
    try:
        answer = capture(
            Command((str(program), "-I", "-c", _PROBE), Path("/"), clean(), timeout=20)
        )
    except MonoyardError:
        return None
    lines = answer.text.splitlines()
    if answer.status != 0 or len(lines) != len(_PROBE.split("print(")) - 1:
        return None
    base, version, name, where = lines
    return Interpreter(Path(base), version, f"{name}-{version}-{where}")
