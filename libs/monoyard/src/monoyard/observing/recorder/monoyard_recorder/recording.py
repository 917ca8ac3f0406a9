"""Decides what is worth a line, and writes it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as in `typing`, which is not loaded
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  nothing new is imported
VARIABLE = "MONOYARD_OBSERVED"
# As they were before anything was put in their places.
_OPEN, _WRITE, _CLOSE, _CWD = os.open, os.write, os.close, os.getcwd
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
_GO_BETWEENS = (
    "monoyard_recorder",
    "os",
    "collections",
    "posixpath",
    "genericpath",
    "pathlib",
)
_NOT_OURS = ("/site-packages/", "/dist-packages/", "/monoyard_warden/")


class Recorder:
    """What is written down of one process, and what is not worth it.

    Args:
        place: The directory with the settings.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.marked: set[str] = set()
        self.variables: dict[str, str | None] = {}
        self.seen: set[str] = set()
        self.unwritten: list[bytes] = []
        outside = [place + "/"]
        with open(place + "/settings", "rb") as file:  # noqa: PTH123  as above
            parts = [os.fsdecode(part) for part in file.read().split(b"\0") if part]
        for part in parts:
            kind, text = part[0], part[1:]
            if kind == "T":
                self.top = text
                self.below = text + "/"
            elif kind == "O":
                outside.append(text + "/")
            elif kind == "M":
                self.marked.add(text)
            elif kind == "E":
                name, equals, value = text.partition("=")
                self.variables[name] = value if equals else None
        self.outside = tuple(outside)
        self.not_ours = (*self.outside, os.path.dirname(_HERE) + "/")  # noqa: PTH120  as above

    def begin(self) -> None:
        """Tell which process this is."""
        words = getattr(sys, "orig_argv", None) or [sys.executable or "python"]
        self.write("i", " ".join(_base(word) for word in words[:2]), "")

    def note(self, kind: str, said: object) -> None:
        """Tell of a path in the repository."""
        path = self.absolute(said)
        if path is None:
            return
        key = kind + path
        if key in self.seen and path not in self.marked:
            return
        if kind in "rs" and "w" + path in self.seen:
            return
        reader = self.reader()
        self.once(kind, path, reader, key + "\0" if reader and path in self.marked else key)

    def once(self, kind: str, text: str, reader: str, key: str) -> None:
        """Write a line where its key is new."""
        if key not in self.seen:
            self.seen.add(key)
            self.write(kind, text, reader)

    def program(self, program: Any, environment: Any) -> None:
        """Tell of a program that is started."""
        name = _base(os.fsdecode(program))
        kind = "p"
        if name.startswith(("python", "pypy")):
            if environment is None or VARIABLE in environment:
                return
            kind = "u"
        self.once(kind, name, "", kind + name)

    def variable(self, name: str, value: str | None) -> None:
        """Tell of an environment variable that has the value the task was given."""
        if value == self.variables[name]:  # otherwise the task set it itself
            reader = self.reader_of_variable()
            if reader:
                self.once("e", name, reader, "e" + name)

    def absolute(self, path: object) -> str | None:
        """Return a path inside the repository without `..`, or None for any other."""
        if isinstance(path, bytes) or hasattr(path, "__fspath__"):
            path = os.fsdecode(path)
        if not isinstance(path, str):  # a descriptor
            return None
        if not path.startswith("/"):
            path = _CWD() + "/" + path
        if "/." in path or "//" in path or path.endswith("/"):
            path = os.path.normpath(path)
        if not path.startswith(self.below):
            return path if path == self.top else None
        return None if f"{path}/".startswith(self.outside) else path

    def is_ours(self, filename: str) -> bool:
        """Say whether code is the repository's own."""
        if not filename.startswith(self.below) or filename.startswith(self.not_ours):
            return False
        return not any(part in filename for part in _NOT_OURS)

    def reader(self) -> str:
        """Return the innermost place of the repository's own code, or nothing."""
        frame: Any = sys._getframe(1)  # noqa: SLF001  `inspect` is not loaded
        while frame is not None:
            filename = frame.f_code.co_filename
            if self.is_ours(filename):
                return f"{filename}:{frame.f_lineno or 0}"
            frame = frame.f_back
        return ""

    def reader_of_variable(self) -> str:
        """Return who asked for a variable; libraries ask for many, for reasons of their own."""
        frame: Any = sys._getframe(1)  # noqa: SLF001  `inspect` is not loaded
        while frame is not None:
            module = str(frame.f_globals.get("__name__")).partition(".")[0]
            filename = frame.f_code.co_filename
            if module not in _GO_BETWEENS:
                is_ours = self.is_ours(filename)
                return f"{filename}:{frame.f_lineno or 0}" if is_ours else ""
            frame = frame.f_back
        return ""

    def write(self, kind: str, text: str, reader: str) -> None:
        """Append a line; one that cannot be written goes with the next."""
        line = b"%s%s\0%s\0\n" % (kind.encode(), os.fsencode(text), os.fsencode(reader))
        pending, self.unwritten = self.unwritten, []
        try:
            handle = _OPEN(f"{self.place}/{os.getpid()}", _APPEND, 0o666)
            try:
                _WRITE(handle, b"".join(pending) + line)
            finally:
                _CLOSE(handle)
        except OSError as error:
            if not is_own(error):
                raise
            self.unwritten = [*pending, line, *self.unwritten]  # perhaps descriptors ran out


def is_own(error: BaseException) -> bool:
    """Say whether an exception comes from the recorder, and not from a handler of a signal."""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith((_HERE, "<frozen")):
            return False
        trace = trace.tb_next
    return True


def _base(word: str) -> str:
    return word.rstrip("/").rpartition("/")[2]
