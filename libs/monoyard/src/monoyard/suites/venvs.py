"""Interpreters and venvs as values; `install` makes them real."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter on this machine.

    Attributes:
        path: Its program, outside any venv.
        version: Full version, such as `3.11.7`.
        identity: Implementation, version and platform in one word; part of every key that uses it.
    """

    path: Path
    version: str
    identity: str

    @property
    def minor(self) -> str:
        """Version without the patch level, such as `3.11`."""
        return ".".join(self.version.split(".")[:2])


class Interpreters(Protocol):
    """Finds interpreters on this machine."""

    def default(self) -> Interpreter:
        """Return the interpreter that runs the engine."""

    def find(self, minor: str) -> Interpreter | None:
        """Return an interpreter of a version such as `3.12`, or None."""

    def newest_allowed(self, specifier: str) -> Interpreter | None:
        """Return the newest interpreter that a `requires-python` allows, or None."""


@dataclass(frozen=True, slots=True)
class VenvSpec:
    """A venv by content: third-party distributions only, shared by all checkouts.

    Attributes:
        interpreter: Its interpreter.
        lock_path: Lock file from the top; empty where there is none.
        lock_digest: Digest of that file.
        requirements: Requirements to resolve, where there is no lock.
    """

    interpreter: Interpreter
    lock_path: str = ""
    lock_digest: str = ""
    requirements: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name of the venv's directory: equal content, equal name."""
        python = [self.interpreter.identity, str(self.interpreter.path)]
        content = [*python, self.lock_digest, self.requirements]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
