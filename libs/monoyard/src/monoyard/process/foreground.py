"""One command with the terminal to itself, for `--pdb` and the like."""

from __future__ import annotations

import signal
import subprocess

from monoyard.errors import MachineError
from monoyard.process.command import Command


def run_in_foreground(command: Command) -> int:
    """Run a command on this process's own streams; return its exit status.

    SIGINT goes to the command (it is in the same process group); here it only ends the waiting
    once the command has ended, as a shell does.

    Raises:
        MachineError: The program does not exist.

    """
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            preexec_fn=_restore_interrupt,  # noqa: PLW1509  no thread is running on this path
        )
        return child.wait()
    except FileNotFoundError as error:
        raise MachineError(f"cannot run `{command.argv[0]}`", code="program-missing") from error
    finally:
        signal.signal(signal.SIGINT, previous)


def _restore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
