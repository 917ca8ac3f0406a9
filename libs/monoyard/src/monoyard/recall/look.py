"""One look at a checkout: what git says of it, and all else that a plan of it hangs on.

git works while the engine is imported: `Look.begin` starts it, and whoever needs an answer waits.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from monoyard.process import Child, Command, Completed, abandon, finish, for_git, start
from monoyard.recall.files import file_digest
from monoyard.tools import git, git_refs

SETTINGS_AT_HOME: Final = tuple(
    f".config/ruff/{name}" for name in (".ruff.toml", "ruff.toml", "pyproject.toml")
)
"""Files below the home directory that plans are made from."""

_VERSION: Final = "1"
_ENGINE: Final = Path(__file__).resolve().parent.parent
# Set by every shell anew, and nothing that a person would declare.
_UNSTEADY: Final = frozenset({"_", "OLDPWD", "SHLVL"})
_TAIL: Final = 32
_CHECKSUM_SIZES: Final = {"sha1": 20, "sha256": 32}
# Times are kept by the tick of the clock; what is older than that has them for itself.
_SETTLED_SECONDS: Final = 2.0


class Look:
    """What was found.

    Args:
        directory: A directory of the repository.
        environment: The variables of this process.

    Attributes:
        began: Unix nanoseconds before git was asked.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.began = time.time_ns()
        self._directory = directory
        self._environment = environment
        self._git_directory = _find_git_directory(directory)
        self._engine, self._engine_changed_at = _stamp(_ENGINE)
        self._answers: dict[str, Completed] = {}
        self._running: dict[str, tuple[Command, Child, float]] = {}
        self._place: tuple[str, ...] | None = None
        self._static: str | None = None
        self._index = b""

    @classmethod
    def begin(cls, directory: Path, environment: Mapping[str, str]) -> Look:
        """Start to look; git's own faults are left to whoever asks it again."""
        found = cls(directory, environment)
        if found._git_directory is not None:
            found._index = _read_index(found._git_directory)
            found._start("status", git.status())
            found._start("place", git.locate())
            found._start("config", git.attribute_settings())
            found._start("refs", git_refs.list_tips("refs"))
        return found

    def close(self) -> None:
        """Leave nothing running."""
        for _, child, _ in self._running.values():
            abandon(child)
        self._running.clear()

    @property
    def is_whole(self) -> bool:
        """Whether git answered everything, about the directory that was looked at."""
        return bool(self.static) and self._answer("status").status == 0

    @property
    def status(self) -> bytes:
        """What git said to `git.status`."""
        return self._answer("status").stdout

    @property
    def config(self) -> bytes:
        """What git said to `git.attribute_settings`."""
        return self._answer("config").stdout

    @property
    def place(self) -> tuple[str, ...]:
        """What git said to `git.locate`, in lines; empty where it did not."""
        if self._git_directory is None or self._answer("place").status != 0:
            return ()
        return tuple(self._answer("place").text.splitlines())

    @property
    def static(self) -> str:
        """A digest of what a plan hangs on besides edits; empty where it is not known."""
        if self._static is None:
            self._static = self._read_static()
        return self._static

    def state(self, edits: Iterable[tuple[str, str | None]]) -> str:
        """Return what names the whole state.

        Args:
            edits: Each path that git calls changed or unknown, with its digest on disk.
        """
        listing = "\n".join(f"{digest}\t{path}" for path, digest in sorted(edits))
        text = f"{self.static}\n{listing}".encode("utf-8", "surrogateescape")
        return hashlib.sha256(text).hexdigest()

    def present_state(self) -> str:
        """Return the state as it is found now; empty where it is in doubt."""
        if not self.is_whole or not self.is_steady():
            return ""
        found = git.parse_status(self.status)
        paths = found.changed | found.untracked
        if any(path.endswith("/") for path in paths):
            return ""
        top, algorithm = Path(self.place[0]), self.place[3]
        return self.state((path, file_digest(top / path, algorithm)) for path in paths)

    def is_steady(self) -> bool:
        """Say whether the index is still the one that was there when git was started."""
        return self._git_directory is not None and _read_index(self._git_directory) == self._index

    def is_settled(self) -> bool:
        """Say whether the engine's own files are older than the tick of a clock."""
        return self._engine_changed_at < time.time() - _SETTLED_SECONDS

    def _start(self, name: str, argv: tuple[str, ...]) -> None:
        command = Command(argv, self._directory, for_git(self._environment))
        self._running[name] = (command, start(command), time.monotonic())

    def _answer(self, name: str) -> Completed:
        if name not in self._answers:
            self._answers[name] = finish(*self._running.pop(name))
        return self._answers[name]

    def _read_static(self) -> str:
        own = self._git_directory
        if own is None:
            return ""
        answers = [self._answer(name) for name in ("place", "config", "refs")]
        place = self.place
        if not place or Path(place[2]) != own or answers[2].status != 0:
            return ""
        size = _CHECKSUM_SIZES.get(place[3], _TAIL)
        if not any(self._index[_TAIL - size : _TAIL]):  # index.skipHash, or none
            return ""
        digest = hashlib.sha256(self._engine)
        for part in self._parts(own, Path(place[1])):
            digest.update(b"%d " % len(part))
            digest.update(part)
        for answer in answers:
            digest.update(b"%d %d " % (answer.status, len(answer.stdout)) + answer.stdout)
        return digest.hexdigest()

    def _parts(self, own: Path, common: Path) -> Iterator[bytes]:
        variables = self._environment
        yield _VERSION.encode()
        yield os.fsencode(self._directory)
        yield self._index
        for name in sorted(variables.keys() - _UNSTEADY):
            yield os.fsencode(f"{name}={variables[name]}")
        base = getattr(sys, "_base_executable", "") or sys.executable
        yield os.fsencode("\0".join((sys.version, sys.executable, base, *os.uname()[::2])))
        home = Path(variables.get("HOME") or "/nonexistent")
        settings = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
        for path in (
            own / "HEAD",
            common / "shallow",
            common / "info" / "attributes",
            settings / "git" / "attributes",
            Path("/etc/gitattributes"),
            *(home / name for name in SETTINGS_AT_HOME),
        ):
            yield (file_digest(path, "sha256") or "absent").encode()


def _find_git_directory(directory: Path) -> Path | None:
    """Return the git directory of the work tree that a directory lies in, as git will find it."""
    for place in (directory, *directory.parents):
        marker = place / ".git"
        if marker.is_dir():
            return marker
        if marker.is_file():
            word, _, path = marker.read_text("utf-8", "surrogateescape").strip().partition(": ")
            return (place / path).resolve() if word == "gitdir" else None
    return None


def _read_index(git_directory: Path) -> bytes:
    """Return the end of the index, which holds its checksum, and what names the file."""
    try:
        with (git_directory / "index").open("rb") as file:
            found = os.fstat(file.fileno())
            file.seek(-min(_TAIL, found.st_size), os.SEEK_END)
            tail = file.read()
    except OSError:
        return b""
    numbers = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return tail.rjust(_TAIL, b"\0") + repr(numbers).encode()


def _stamp(directory: Path) -> tuple[bytes, float]:
    """Return what names the state of all files below a directory, and when the last one changed.

    The time of the last change of a file's record is among it: nobody can put that back.
    """
    rows: list[str] = []
    newest = 0
    queue = [str(directory)]
    while queue:
        with contextlib.suppress(FileNotFoundError), os.scandir(queue.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        queue.append(entry.path)
                    continue
                found = entry.stat()
                newest = max(newest, found.st_ctime_ns)
                rows.append(
                    f"{entry.path} {found.st_ino} {found.st_size} "
                    f"{found.st_mtime_ns} {found.st_ctime_ns}"
                )
    text = "\n".join(sorted(rows)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).digest(), newest / 1e9
