"""Ends a session of `nox -j` with the nox that started it."""

from __future__ import annotations

import os
import select
import signal
import threading
from typing import Final

_STANDARD_OUTPUT: Final = 1
_STREAMS: Final = (1, 2)
_INTERVAL_MILLISECONDS: Final = 500


def stop_without_parent() -> None:
    """Send SIGTERM to this process when the one that started it, and reads its output, has ended.

    `nox -j` runs each session in a nox of its own, in a session of the system of its own. SIGTERM
    ends the nox that a person or CI started without a word to those, as SIGKILL does. Nobody reads
    any more what they print; the record is written all the same.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    # A parent may have ended before its number was asked for; then its end of the pipe is closed.
    closing = select.poll()
    closing.register(_STANDARD_OUTPUT, 0)
    while os.getppid() == parent and not closing.poll(_INTERVAL_MILLISECONDS):
        pass
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in _STREAMS:
        os.dup2(nowhere, stream)
    os.kill(os.getpid(), signal.SIGTERM)
