"""Programs that go on after the one that started them: a container engine, a registry."""

from __future__ import annotations

import subprocess
from pathlib import Path

from monoyard.errors import MachineError
from monoyard.process.command import Command

# A forgotten child would be warned of; these are meant to live on.
_left_running: list[subprocess.Popen[bytes]] = []


def start_detached(command: Command, log: Path) -> int:
    """Start a program in a session of its own and leave it running.

    Args:
        command: What to start; it reads nothing.
        log: File that what it says is appended to.

    Returns:
        Its process id.

    Raises:
        MachineError: The program does not exist or cannot be executed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as stream:
            child = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
    except OSError as error:
        raise MachineError(
            f"cannot run `{command.argv[0]}`: {error.strerror}", code="program-missing"
        ) from error
    _left_running.append(child)
    return child.pid
