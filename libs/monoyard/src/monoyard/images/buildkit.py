"""A BuildKit for one run: started from its pin, with a state that runs use one after another."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from monoyard.errors import MachineError
from monoyard.install import exclusive
from monoyard.process import Command, clean, start

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 2.0
_PAUSE: Final = 0.05
_KEPT_LINES: Final = 20
# Steps of the last builds stay, the oldest go first.
_CONFIGURATION: Final = """\
[worker.oci]
gc = true
maxUsedSpace = "10GB"
"""


@contextlib.contextmanager
def buildkit(program: Path, state: Path) -> Iterator[str]:
    """Run BuildKit while the block runs; another run that wants the same state waits.

    Yields:
        Its address.

    Raises:
        MachineError: It does not start.
    """
    with (
        exclusive(state / "lock"),
        tempfile.TemporaryDirectory(prefix="monoyard-", ignore_cleanup_errors=True) as directory,
    ):
        place = Path(directory)
        address = place / "buildkit.sock"
        (place / "buildkitd.toml").write_text(_CONFIGURATION, encoding="utf-8")
        argv = (
            str(program), "--config", str(place / "buildkitd.toml"), "--root", str(state / "root"),
            "--addr", f"unix://{address}",
        )  # fmt: skip
        child = start(Command(argv, place, clean((), os.environ), dies_with_parent=True))
        said: list[str] = []
        readers = [
            threading.Thread(target=_keep_last, args=(stream, said), daemon=True)
            for stream in (child.stdout, child.stderr)
        ]
        for reader in readers:
            reader.start()
        try:
            _await(address, lambda: child.poll() is not None, said)
            yield f"unix://{address}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while child.poll() is None and time.monotonic() < deadline:
                time.sleep(_PAUSE)
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _await(address: Path, has_ended: Callable[[], bool], said: list[str]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if has_ended():
            break
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address))
            return
        time.sleep(_PAUSE)
    raise MachineError("BuildKit did not start", context=tuple(said[-_KEPT_LINES:]))


def _keep_last(stream: IO[bytes] | None, said: list[str]) -> None:
    for line in stream or ():
        said.append(line.decode("utf-8", "replace").rstrip())
        del said[:-_KEPT_LINES]
