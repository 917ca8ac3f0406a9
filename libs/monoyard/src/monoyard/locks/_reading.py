"""From a file to a `Lock`, whatever the file turns out to be."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from monoyard.locks._pylock import parse_pylock
from monoyard.locks._requirements import parse_requirements
from monoyard.locks._toml import LockShapeError
from monoyard.locks._uv import parse_uv_lock
from monoyard.locks._values import Kind, Lock


def kind_of(path: str) -> Kind:
    """Return the format that a file name stands for; any other name is a requirements file."""
    name = PurePosixPath(path).name
    if name == "uv.lock":
        return "uv"
    if name.startswith("pylock.") and name.endswith(".toml"):
        return "pylock"
    return "requirements"


def parse_lock(path: str, content: bytes) -> Lock:
    """Return the lock with these bytes.

    Args:
        path: Its path, which decides the format and appears in messages.
        content: Its bytes, from the disk or from a commit.

    Returns:
        The lock. What cannot be read is a lock whose `problem` says why; nothing is raised.

    """
    kind = kind_of(path)
    try:
        text = content.decode()
        if kind == "uv":
            return parse_uv_lock(path, text)
        if kind == "pylock":
            return parse_pylock(path, text)
        return parse_requirements(path, text)
    except UnicodeDecodeError:
        return unreadable(path, "it is not text in UTF-8")
    except LockShapeError as error:
        return unreadable(path, str(error))


def read_lock(path: Path, name: str | None = None) -> Lock:
    """Return the lock at `path`, called `name` in messages; nothing is raised."""
    called = name if name is not None else path.as_posix()
    try:
        content = path.read_bytes()
    except OSError as error:
        return unreadable(called, f"it cannot be read: {error.strerror}")
    return parse_lock(called, content)


def unreadable(path: str, problem: str) -> Lock:
    """Return a lock of which nothing is known but why."""
    return Lock(path=path, kind=kind_of(path), problem=problem, is_readable=False)
