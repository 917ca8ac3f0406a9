"""Faults of the machine that tools tell as if they were the image's."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monoyard.errors import MachineError

_FULL: Final = "no space left on device"
_KEPT_LINES: Final = 5
# A layer that did not fit may have left so much.
_LITTLE: Final = 32 << 20


def refuse_full_disk(said: str, place: Path) -> None:
    """Make an error of what a tool said, if it was that a disk is full.

    Args:
        said: Its output.
        place: Directory that it wrote to.

    Raises:
        MachineError: It was.
    """
    lines = [line.strip() for line in said.splitlines() if _FULL in line.lower()]
    if lines:
        raise MachineError(
            f"the disk is full: nothing more fits into {place}",
            code="disk-full",
            context=tuple(dict.fromkeys(lines))[-_KEPT_LINES:],
            hint="free space there; what is in it is made again when it is needed",
        )


def refuse_crash_of_full_disk(said: Sequence[str], place: Path) -> None:
    """Make an error of the end of a program, if what it kept its state on has no room.

    It may not come to say so: where a file that is mapped into memory gets no block any more, the
    kernel ends the program (SIGBUS, mmap(2)).

    Args:
        said: Its last lines.
        place: Directory that it wrote to.

    Raises:
        MachineError: There is next to no room.
    """
    refuse_full_disk("\n".join(said), place)
    if shutil.disk_usage(place).free < _LITTLE:
        raise MachineError(
            f"the disk is full: nothing more fits into {place}",
            code="disk-full",
            context=tuple(said)[-_KEPT_LINES:],
            hint="free space there; what is in it is made again when it is needed",
        )


def explain_system_error(error: OSError, place: Path) -> MachineError:
    """Return what an error of the operating system means for somebody who makes images."""
    if error.errno == errno.ENOSPC:
        return MachineError(
            f"the disk is full: nothing more fits into {error.filename or place}",
            code="disk-full",
            hint=f"free space there; what is in {place} is made again when it is needed",
        )
    return MachineError(f"cannot make images: {error}")
