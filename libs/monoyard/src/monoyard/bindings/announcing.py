"""What goes on meanwhile, told on standard error."""

from __future__ import annotations

import sys


def announce(words: str) -> None:
    """Say what is being done, in a line of its own, whichever thread says it."""
    sys.stderr.write(f"{words} ...\n")  # one write: `print` would make two, and others come between
    sys.stderr.flush()
