"""A command as a value: what to run, where, with what; nothing here runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """One program call.

    Attributes:
        argv: Program and arguments; never a shell string.
        cwd: Directory it runs in.
        env: The whole environment of the child, nothing is added.
        timeout: Seconds after which it is stopped, or None.
        stdin: Bytes for its standard input.
        user: User id to run as, in that user's group; None for the present one.
        dies_with_parent: The kernel kills it when the thread that started it ends (Linux).

    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    stdin: bytes | None = None
    user: int | None = None
    dies_with_parent: bool = False


@dataclass(frozen=True, slots=True)
class Completed:
    """What a finished command left: exit status (negative: signal number), streams, seconds."""

    command: Command
    status: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 become replacement characters."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last ten lines of standard error, or of standard output where that is empty."""
        stream = self.stderr or self.stdout
        return tuple(stream.decode("utf-8", "replace").strip().splitlines()[-10:])
