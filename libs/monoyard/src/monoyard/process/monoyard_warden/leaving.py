"""The end of a task that is a Python module: what `python -m` does, without taking it all apart.

An interpreter frees every module and object before it exits. In a fork that means touching, and so
copying, all the memory it shares with the warden: 40 ms a task, for nothing that anyone can see.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import runpy
import sys
import threading
import traceback

# As it was before a task could put something else in its place.
_exit = os._exit


def run_to_the_end(module: str) -> None:
    """Run a module as `python -m` would and exit with its status.

    Threads are waited for, what was registered with `atexit` is called, both streams are written
    out; finalizers of what is still alive are not run. An interrupt is left to the interpreter.
    """
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        raise
    except SystemExit as leaving:
        status = _status(leaving.code)
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  as the interpreter does
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    _exit(status)


def _status(code: object) -> int:
    """Return the exit status that the argument of `sys.exit` stands for."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1
