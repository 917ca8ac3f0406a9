"""Writes down what a Python process reads inside a repository.

This runs in the processes of the program that is tested, so it must change nothing there:

- it imports nothing that Python has not loaded before it, but `__future__`;
- it holds no file open: each line is appended by an open, a write and a close of its own, so what a
  process read is known although it was killed, and a program that closes every descriptor, forks or
  counts what is open meets nothing of ours;
- no exception of its own leaves it, and none of a signal handler that happens to run meanwhile is
  swallowed;
- a path or variable that was told is told once.

What Python tells of itself are audit events (PEP 578). They know no `stat`, and no environment: the
functions are wrapped, and `os.environ` gets a subclass of its own class. Code that is not Python,
and what Python reads of the environment in C, is out of reach.

`MONOYARD_OBSERVED` names a directory with the file `settings`, made of parts that end with a NUL:
`T` and the repository's root, `O` and a directory that does not count, `M` and a path of which each
reader counts, `E` and a variable with its value (`NAME=VALUE`, or `NAME` where it is unset). Each
process appends to a file of its own there. A line is `KIND TEXT NUL READER NUL LINEFEED`, without
spaces; the reader is `FILE:LINE` of the innermost frame of the repository's own code, or empty.

Kinds: `r` opened for reading, `w` written or made, `l` listed, `s` asked for, `e` variable read,
`p` program started, `u` Python started in an environment without the recorder, `i` this process.
"""

from __future__ import annotations

import os

from .recording import VARIABLE, Recorder
from .watching import watch_calls, watch_environment, watch_events

_started: list[Recorder] = []


def install() -> None:
    """Start recording, once a process, where a task is audited."""
    place = os.environ.get(VARIABLE)
    if not place or _started:
        return
    try:
        recorder = Recorder(place)
    except (OSError, ValueError):  # the run is over, and this process outlived it
        return
    _started.append(recorder)
    recorder.begin()
    watch_calls(recorder)
    watch_environment(recorder)
    watch_events(recorder)
