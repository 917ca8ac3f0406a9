"""Programs built from pinned Go modules: once, checked against `go.sum`, kept by content.

A pin is a folder with `go.mod`, whose `tool` line names the program, and `go.sum`, which holds a
hash of every module. No release download is needed, only a module proxy. A pin with several `tool`
lines is built in one go, as its programs share most of what is compiled; one with a comment `tags:`
is built with those build tags.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from monoyard.errors import MachineError, ToolError
from monoyard.install.locking import exclusive
from monoyard.process import PROXIES, Command, capture, clean, follow

_PINS: Final = Path(__file__).parent / "pins" / "go"
_DECLARED: Final = (
    "GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOAUTH", "NETRC", *PROXIES,
)  # fmt: skip
_TOOL: Final = re.compile(r"^tool (\S+)$", re.MULTILINE)
_TAGS: Final = re.compile(r"^// tags: (\S+)$", re.MULTILINE)
_REQUIRED: Final = re.compile(r"^\t(\S+) (v\S+)", re.MULTILINE)
_VERSION: Final = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_MINIMUM: Final = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?", re.MULTILINE)
_OFFLINE_SIGNS: Final = ("dial tcp", "no such host", "connection refused", "i/o timeout")
_SECONDS_BETWEEN_WORDS: Final = 20.0
# What is left of a build that nobody went on with for so long is in nobody's way.
_STALE_SECONDS: Final = 24 * 3600.0
_GONE: Final = "gone-"
# Two large builds with caches of their own fit into it.
_ROOM: Final = 10 * 1024**3


class GoTools:
    """Builds programs from the pins that ship with the engine.

    Args:
        kept: The directory that all checkouts share.
        toolchain: Returns a Go program that can build a pin, fetched now if there is none.
        announce: Says what is fetched and how far a build is.
    """

    def __init__(
        self, kept: Path, toolchain: Callable[[str], Path], announce: Callable[[str], None]
    ) -> None:
        self._kept = kept / "tools"
        self._building = _Building(self._kept / "building")
        self._compiling = threading.Lock()
        self._toolchain = toolchain
        self._announce = announce

    def program(self, name: str, pin: str = "") -> Path:
        """Return where a program is, or will be; its pin has its name if nothing else is said."""
        pin = pin or name
        digest = hashlib.sha256()
        for file in ("go.mod", "go.sum"):
            digest.update((_PINS / pin / file).read_bytes())
        return self._kept / f"{pin}-{digest.hexdigest()[:16]}" / name

    def expect(self, pins: Iterable[str]) -> None:
        """Take note of pins that will be wanted: what builds share stays until the last."""
        for pin in pins:
            target = self.program(pin).parent
            if not target.is_dir():  # it appears when a build has succeeded
                self._building.begin(target.name)

    def ensure(
        self, name: str, stamp: str = "", pin: str = "", files: tuple[str, ...] = ()
    ) -> Path:
        """Return a program, built now if it is not there.

        Args:
            name: Of the program.
            stamp: Go variable that the version is written into, or several assignments; see
                `linker_flags`.
            pin: The pin's name, where it has several programs.
            files: Paths in the program's module of files that are kept beside it, by last name.

        An interrupted build goes on where it was: caches stay until it has succeeded.

        Raises:
            MachineError: There is no module proxy, or no Go that is new enough.
            ToolError: The build failed.
        """
        program = self.program(name, pin)
        wanted = (program, *(program.with_name(Path(file).name) for file in files))
        if not all(path.exists() for path in wanted):
            with exclusive(program.parent.with_suffix(".lock")):
                if not all(path.exists() for path in wanted):
                    self._build(pin or name, program.parent, stamp, files)
        return program

    def _build(self, name: str, target: Path, stamp: str, files: tuple[str, ...]) -> None:
        place = self._building.begin(target.name)
        for file in ("go.mod", "go.sum"):
            shutil.copyfile(_PINS / name / file, place / file)
        caches = self._building.caches(place)
        packages = pinned_packages(name)
        tags = pinned_tags(name)
        environment = {
            **clean(_DECLARED),
            "CGO_ENABLED": "0",
            "GOCACHE": str(caches / "cache"),
            "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
            "GOMODCACHE": str(caches / "modules"),
            "GOTOOLCHAIN": "local",
        }
        go = str(self._toolchain(name))
        began = time.monotonic()
        self._announce(f"fetching the modules of {name}")
        argv = (go, "list", "-deps", *tags, *packages)
        done = capture(Command(argv, place, environment, dies_with_parent=True))
        if done.status != 0:
            raise _failure(name, done.last_lines)
        total = len(done.stdout.splitlines())
        built = place / "programs"
        built.mkdir(exist_ok=True)
        into = f"{built}/" if len(packages) > 1 else str(built / name)
        argv = (
            go, "build", "-v", "-trimpath", "-gcflags=all=-dwarf=false",
            f"-ldflags={linker_flags(name, stamp)}", *tags, "-o", into, *packages,
        )  # fmt: skip
        progress = _Progress(name, total, self._announce)
        # One at a time: two at once would compile what they share twice, and gain no processor.
        with self._compiling:
            done = follow(Command(argv, place, environment, dies_with_parent=True), progress)
        if done.status != 0:
            raise _failure(name, done.last_lines)
        target.mkdir(parents=True, exist_ok=True)
        if files:
            module = _module_directory(Path(go), name, place, environment)
            for file in files:
                shutil.copyfile(module / file, target / Path(file).name)
        for program in built.iterdir():
            program.replace(target / program.name)
        self._building.end(place.name)
        self._announce(f"built {name} in {time.monotonic() - began:.0f} s")


def _module_directory(go: Path, name: str, place: Path, environment: Mapping[str, str]) -> Path:
    argv = (str(go), "list", "-f", "{{.Module.Dir}}", pinned_packages(name)[0])
    done = capture(Command(argv, place, environment, dies_with_parent=True))
    if done.status != 0:
        raise _failure(name, done.last_lines)
    return Path(done.text.strip())


class _Building:
    """The directories of builds that have begun or will, and the caches that they share.

    Args:
        place: Holds a directory for each build, from when it is announced until it has succeeded,
            and the caches, which go with the last of those.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._shared = place / "shared"
        self._lock = place.with_suffix(".lock")

    def begin(self, build: str) -> Path:
        """Return the directory of a build; while it is there the caches stay."""
        with exclusive(self._lock):
            place = self._place / build
            place.mkdir(parents=True, exist_ok=True)
        return place

    def caches(self, place: Path) -> Path:
        """Return where a build keeps its caches: with the others, or by itself on a full disk.

        Its own are gone when it has succeeded.
        """
        if shutil.disk_usage(self._place).free < _ROOM:
            return place
        self._shared.mkdir(exist_ok=True)
        return self._shared

    def end(self, build: str) -> None:
        """Take note that a build has succeeded; remove what no other build needs any more."""
        with exclusive(self._lock):
            shutil.rmtree(self._place / build, ignore_errors=True)
            left = [item for item in self._place.iterdir() if not item.name.startswith(_GONE)]
            now = time.time()
            if not any(
                item != self._shared and now - item.stat().st_mtime < _STALE_SECONDS
                for item in left
            ):
                # Out of the way in no time: who comes next begins with empty caches.
                for item in left:
                    item.rename(Path(tempfile.mkdtemp(dir=self._place, prefix=_GONE)) / "it")
        for item in self._place.glob(f"{_GONE}*"):
            shutil.rmtree(item, ignore_errors=True)


class _Progress:
    """Says from time to time how many of the packages are compiled."""

    def __init__(self, name: str, total: int, announce: Callable[[str], None]) -> None:
        self._name = name
        self._total = total
        self._announce = announce
        self._count = 0
        self._next = 0.0

    def __call__(self, line: str) -> None:
        del line  # `go build -v` prints one for each package it compiles
        self._count += 1
        if (now := time.monotonic()) >= self._next:
            self._next = now + _SECONDS_BETWEEN_WORDS
            self._announce(f"building {self._name}, {self._count} of {self._total} packages")


def pinned_packages(name: str) -> tuple[str, ...]:
    """Return the import paths of the programs that a pin builds.

    Each is named after the last part of its path, but a pin's only program after the pin.
    """
    text = (_PINS / name / "go.mod").read_text("utf-8")
    found = tuple(_TOOL.findall(text))
    if not found:
        raise ValueError(f"the pin of {name} names no tool")
    return found


def pinned_tags(name: str) -> tuple[str, ...]:
    """Return the option that names the build tags of a pin, if it has some."""
    found = _TAGS.search((_PINS / name / "go.mod").read_text("utf-8"))
    return (f"-tags={found[1]}",) if found else ()


def linker_flags(name: str, stamp: str) -> str:
    """Return what the linker is told.

    Args:
        name: Of the pin.
        stamp: Empty; or a Go variable for the pinned version; or assignments, split by spaces,
            with `{version}` (`v1.34.4`), `{major}` and `{minor}`.
    """
    if not stamp:
        return "-s -w"
    version = pinned_version(name)
    major, minor = version.removeprefix("v").split(".")[:2]
    filled = stamp.format(version=version, major=major, minor=minor)
    assigned = [part if "=" in part else f"{part}={version}" for part in filled.split()]
    return " ".join(("-s -w", *(f"-X {part}" for part in assigned)))


def pinned_version(name: str) -> str:
    """Return the version of the module that has the programs of a pin, such as `v1.7.12`."""
    package = pinned_packages(name)[0]
    text = (_PINS / name / "go.mod").read_text("utf-8")
    versions: dict[str, str] = dict(_REQUIRED.findall(text))
    owners = [module for module in versions if f"{package}/".startswith(f"{module}/")]
    return versions[max(owners, key=len)]


def is_new_enough(go: Path, name: str) -> bool:
    """Say whether a Go program can build a pin."""
    done = capture(Command((str(go), "version"), Path("/"), clean(), timeout=30))
    found = _VERSION.search(done.text)
    if done.status != 0 or found is None:
        return False
    wanted = _MINIMUM.search((_PINS / name / "go.mod").read_text("utf-8"))
    if wanted is None:
        return True
    return _numbers(found) >= _numbers(wanted)


def _numbers(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number or 0) for number in match.groups())


def _failure(name: str, said: tuple[str, ...]) -> MachineError | ToolError:
    if any(sign in line for line in said for sign in _OFFLINE_SIGNS):
        return MachineError(
            f"cannot build {name}: a Go module proxy cannot be reached",
            code="no-network",
            hint="connect once, or set GOPROXY to a proxy that can be reached",
            context=said,
        )
    return ToolError(f"cannot build {name}", code="install-failed", context=said)
