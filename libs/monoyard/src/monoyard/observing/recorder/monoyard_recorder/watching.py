"""Hears of what a process does: audit events, wrapped functions, a watched environment."""

from __future__ import annotations

import os
import sys

from .recording import is_own

TYPE_CHECKING = False  # as in `typing`, which is not loaded
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .recording import Recorder

_STAT = os.stat
_FRESH = os.O_TRUNC | os.O_EXCL


def watch_events(recorder: Recorder) -> None:
    """Hear of what Python itself announces; the hook stays as long as the process."""
    events = _Events(recorder)
    handlers = {
        "open": events.opened, "os.listdir": events.listed, "os.scandir": events.listed,
        "import": events.imported, "sqlite3.connect": events.named, "ctypes.dlopen": events.named,
        "os.rename": events.moved, "os.link": events.moved, "os.symlink": events.moved,
        "os.mkdir": events.made, "subprocess.Popen": events.started,
        "os.posix_spawn": events.spawned, "os.exec": events.spawned, "os.system": events.shell,
    }  # fmt: skip

    def hook(event: str, args: tuple[Any, ...]) -> None:
        handler = handlers.get(event)
        if handler is not None:
            try:
                handler(args)
            except Exception as error:
                if not is_own(error):
                    raise

    sys.addaudithook(hook)


def watch_calls(recorder: Recorder) -> None:
    """Put functions that announce nothing behind others that do."""
    kinds = [value for name, value in vars(os).items() if name.startswith("supports_")]
    for name in ("access", "lstat", "readlink", "stat"):
        call = getattr(os, name)
        watched = _Watched(call, recorder)
        for kind in kinds:
            if isinstance(kind, set) and call in kind:
                kind.add(watched)
        setattr(os, name, watched)


def watch_environment(recorder: Recorder) -> None:
    """Have `os.environ` tell of the variables that matter, but not of copies of all of it."""
    variables = recorder.variables

    class _Environment(type(os.environ)):  # type: ignore[misc]  # it has no public name
        def __getitem__(self, key: Any) -> str:
            __tracebackhide__ = True
            ahead = self.__dict__.get("_monoyard_ahead")
            if ahead and ahead[-1] == key:  # a copy of all is made
                ahead.pop()
            elif isinstance(key, str) and key in variables:
                _tell_variable(recorder, self, key)
            value: str = super().__getitem__(key)
            return value

        def __iter__(self) -> Iterator[str]:
            names = list(super().__iter__())
            self.__dict__["_monoyard_ahead"] = names[::-1]
            return iter(names)

    _Environment.__name__ = _Environment.__qualname__ = type(os.environ).__name__
    _Environment.__module__ = "os"
    os.environ.__class__ = _Environment


class _Events:
    """What becomes of each audit event; the arguments are those that Python documents."""

    def __init__(self, recorder: Recorder) -> None:
        self._tell = recorder

    def opened(self, args: tuple[Any, ...]) -> None:
        path, _, flags = args
        access = flags & os.O_ACCMODE
        if access == os.O_RDONLY:
            self._tell.note("r", path)
        elif access == os.O_WRONLY or flags & _FRESH:
            self._tell.note("w", path)
        else:
            self.named(args)

    def listed(self, args: tuple[Any, ...]) -> None:
        caller = sys._getframe(2).f_code.co_filename  # noqa: SLF001  as in recording
        if not caller.startswith("<frozen importlib"):  # it looks for one name at a time
            self._tell.note("l", "." if args[0] is None else args[0])

    def imported(self, args: tuple[Any, ...]) -> None:
        if args[1]:  # an extension module, which Python does not open itself
            self._tell.note("r", args[1])

    def named(self, args: tuple[Any, ...]) -> None:
        if isinstance(args[0], (str, bytes)):
            self._tell.note("r" if _exists(args[0]) else "w", args[0])

    def moved(self, args: tuple[Any, ...]) -> None:
        self._tell.note("w", args[1])

    def made(self, args: tuple[Any, ...]) -> None:
        self._tell.note("w", args[0])

    def started(self, args: tuple[Any, ...]) -> None:
        program, words, _, environment = args
        first = words if isinstance(words, (str, bytes)) else words[0]
        self._tell.program(program or first, environment)

    def spawned(self, args: tuple[Any, ...]) -> None:
        self._tell.program(args[0], args[2])

    def shell(self, _: tuple[Any, ...]) -> None:
        self._tell.program("sh", None)


class _Watched:
    """A function that tells of its first argument; like builtins it is nobody's method."""

    def __init__(self, call: Callable[..., Any], recorder: Recorder) -> None:
        self._call = call
        self._tell = recorder
        self.__wrapped__ = call
        self.__doc__ = call.__doc__
        self.__module__ = "os"
        self.__name__ = call.__name__
        self.__qualname__ = call.__qualname__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if kwargs.get("dir_fd") is None:
            try:
                self._tell.note("s", args[0] if args else kwargs.get("path"))
            except Exception as error:
                if not is_own(error):
                    raise
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._call)

    def __reduce__(self) -> str:
        return self.__name__


def _tell_variable(recorder: Recorder, environment: Any, key: str) -> None:
    try:
        value = environment._data.get(os.fsencode(key))  # noqa: SLF001  untold
        recorder.variable(key, value if value is None else os.fsdecode(value))
    except Exception as error:
        if not is_own(error):
            raise


def _exists(path: str | bytes) -> bool:
    try:
        _STAT(path)
    except OSError:
        return False
    return True
