"""Programs on a pseudo terminal, typed at and read from as a person does."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from types import TracebackType
from typing import Self

from ..checkouts import PATIENCE_SECONDS, Checkout  # noqa: TID252  a folder, not a package

CONTROL_C = "\x03"
_ROWS, _COLUMNS = 40, 160
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


class Terminal:
    """`python WORDS` in a repository, with a terminal of its own; a context, so that it ends.

    Args:
        checkout: The repository.
        words: Arguments of Python.
        variables: Further environment variables.
    """

    def __init__(self, checkout: Checkout, *words: str, **variables: str) -> None:
        self._screen, program_side = pty.openpty()
        size = struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0)
        fcntl.ioctl(program_side, termios.TIOCSWINSZ, size)
        self._child = subprocess.Popen(
            (sys.executable, *words),
            cwd=checkout.top,
            env={**checkout.environment, "TERM": "xterm", **variables},
            stdin=program_side, stdout=program_side, stderr=program_side,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  no thread runs beside a test
        )  # fmt: skip
        os.close(program_side)
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        os.close(self._screen)

    @property
    def text(self) -> str:
        """What was printed so far, without colours and movements of the cursor."""
        return _ESCAPE.sub("", self.raw).replace("\r", "")

    def type(self, keys: str) -> None:
        """Press keys; a line feed is the enter key."""
        os.write(self._screen, keys.encode())

    def wait_for(self, words: str) -> None:
        """Read until something stands on the terminal."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def end(self) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._read():
            assert time.monotonic() < deadline, self.text
        return self._child.wait(PATIENCE_SECONDS)

    def _read(self) -> bool:
        """Read what comes within a second; False at the end."""
        if not select.select([self._screen], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self._screen, 65_536)
        except OSError as failure:
            if failure.errno != errno.EIO:  # Linux: every program that had the terminal is gone
                raise
            data = b""
        self.raw += data.decode("utf-8", "replace")
        return bool(data)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
