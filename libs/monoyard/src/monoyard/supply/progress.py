"""Says that something still goes on, so that nobody takes a slow registry for a stuck program."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

EVERY_SECONDS: Final = 10.0


@contextlib.contextmanager
def telling(
    announce: Callable[[str], None], what: str, every: float = EVERY_SECONDS
) -> Iterator[None]:
    """Announce again and again, for the time of the block, for how long it has been going on.

    Args:
        announce: Takes a line.
        what: What goes on, as in `pushing api`.
        every: Seconds between two lines; nothing is said of what is faster.
    """
    is_over = threading.Event()
    began = time.monotonic()

    def tell() -> None:
        while not is_over.wait(every):
            announce(f"still {what}, for {time.monotonic() - began:.0f} s now")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
