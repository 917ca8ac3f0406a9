"""When a signal may end a block of a long verb, and when it has to wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_ASKING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def terminable(*numbers: signal.Signals) -> Iterator[None]:
    """Have signals end a block as Ctrl-C does; only the main thread can.

    Args:
        numbers: Which, besides SIGTERM; one that is ignored (`nohup`) stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    heeded = [
        number for number in (signal.SIGTERM, *numbers)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]  # fmt: skip
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferring_interrupts() -> Iterator[None]:
    """Keep what asks for an end until the end of the block; only the main thread can.

    Raises:
        KeyboardInterrupt: It was asked for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _ASKING}
    for number, handler in before.items():
        if handler not in {signal.SIG_IGN, None}:
            signal.signal(number, lambda asked, _: came.append(asked))
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
