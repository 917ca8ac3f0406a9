"""What the suites ask of a run: paths of venvs and tools, environments, servers."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monoyard.errors import InterruptedRunError, MachineError
from monoyard.install import Claims, Tools, Venvs, ensure_node_modules
from monoyard.process import clean
from monoyard.run.processors import WITHIN_A_TASK
from monoyard.run.python_files import drop_doubtful_bytecode
from monoyard.run.seen_files import SeenFiles
from monoyard.suites import BULK, Needs, VenvSpec
from monoyard.workspace import Tree


@dataclass
class Machinery:
    """Everything that batches of one run share.

    Attributes:
        top: Root of the work tree.
        state: The checkout's state directory.
        venvs: Makes and finds venvs.
        tools: Finds and installs tools.
        kept: Directory shared by all checkouts.
        overlays: Package to its directories for `sys.path`.
        env_mode: `strict` clears the environment, `loose` passes everything.
        base: Files of the base revision, or None.
        environment: Where declared variables are taken from.
        servers: Server to the environment variables that tell where it is.
        is_stopped: The run was asked to stop; nothing new is fetched.
        claims: Directories that only this run uses.
        python_files: Returns the Python files that tasks may read, from the top.
        outputs: Task to what it left, as path from its package's directory to digest.
        is_cold: Tools' own caches start empty in each batch, so that they read all they depend on.
    """

    top: Path
    state: Path
    venvs: Venvs
    tools: Tools
    kept: Path
    overlays: Mapping[str, tuple[str, ...]]
    base: Tree | None
    environment: Mapping[str, str]
    env_mode: str = "strict"
    servers: dict[str, Mapping[str, str]] = field(default_factory=dict)
    is_stopped: bool = False
    claims: Claims = field(default_factory=Claims)
    python_files: Callable[[], Sequence[str]] = tuple
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    is_cold: bool = False
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _guard_of_bytecode: threading.Lock = field(default_factory=threading.Lock)
    _is_bytecode_checked: bool = False

    def prepare(self, needs: Needs, scratch: Path) -> None:
        """Have everything on the machine that a batch needs, servers excepted.

        Raises:
            MachineError: Something cannot be had.
        """
        for spec in needs.venvs:
            self._go_on()
            self.venvs.ensure(spec)
        self.tools.expect(needs.tools)
        for tool in needs.tools:
            self._go_on()
            self.tools.ensure(tool)
        for directory in needs.node_modules:
            node = self.tools.ensure("node")
            with self._guard:
                self._go_on()
                ensure_node_modules(self.top, directory, node, self.kept, self.venvs.announce)
        self._write_base(needs.base_files, scratch / "base")
        with self._guard_of_bytecode:
            if not self._is_bytecode_checked:
                drop_doubtful_bytecode(self.top, self.python_files())
                self._is_bytecode_checked = True

    def _go_on(self) -> None:
        if self.is_stopped:
            raise InterruptedRunError("the run was asked to stop")

    def _write_base(self, paths: Sequence[str], place: Path) -> None:
        if self.base is None or not paths:
            return
        for path, data in self.base.read_many(paths).items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


@dataclass(frozen=True)
class BatchSurroundings:
    """The view of one batch on the machinery; see `monoyard.suites.Surroundings`."""

    machinery: Machinery
    scratch: Path
    workers: int
    caches: list[SeenFiles] = field(default_factory=list)

    @property
    def top(self) -> Path:
        """Root of the work tree."""
        return self.machinery.top

    @property
    def state(self) -> Path:
        """The checkout's state directory."""
        return self.machinery.state

    @property
    def kept(self) -> Path:
        """A directory that all checkouts share."""
        return self.machinery.kept

    @property
    def overlays(self) -> Mapping[str, tuple[str, ...]]:
        """Package to its directories for `sys.path`."""
        return self.machinery.overlays

    def own_directory(self, name: str) -> Path:
        """Return a directory for a tool's own cache that no other run uses at the same time."""
        place = self.scratch / BULK if self.machinery.is_cold else self.state
        return self.machinery.claims.claim(place / name)

    def copies(self, cache: Path) -> Mapping[str, str]:
        """Return Python files that a tool's cache may be wrong about, each with a copy.

        Raises:
            MachineError: A cache of which nothing is known cannot be emptied, or a file not copied.
        """
        seen = SeenFiles(cache, self.top, self.machinery.python_files)
        doubtful = seen.begin()
        self.caches.append(seen)
        place = self.scratch / BULK / "copies"
        try:
            return {
                f"{self.top}/{path}": str(_copy(self.top / path, place / str(number)))
                for number, path in enumerate(doubtful)
            }
        except OSError as error:
            raise MachineError(f"cannot copy {error.filename}: {error.strerror}") from error

    def end(self) -> None:
        """Take note that no process of the batch is left."""
        for cache in self.caches:
            cache.end()

    def venv(self, spec: VenvSpec) -> Path:
        """Return the directory of a venv."""
        return self.machinery.venvs.path(spec)

    def modules(self, spec: VenvSpec) -> Mapping[str, tuple[str, ...]]:
        """Return top-level module to the distributions that provide it."""
        return self.machinery.venvs.modules(spec)

    def pytest_plugins(self, spec: VenvSpec) -> Mapping[str, tuple[str, ...]]:
        """Return distribution to the pytest plugins that it registers in a venv."""
        return self.machinery.venvs.pytest_plugins(spec)

    def tool(self, name: str) -> Path:
        """Return the path of a tool's program."""
        return self.machinery.tools.ensure(name)

    def environment(self, declared: Sequence[str]) -> dict[str, str]:
        """Return the environment of a task that declares these variables."""
        own = {WITHIN_A_TASK: "1"}
        if self.machinery.env_mode == "loose":
            return {**self.machinery.environment, **own}
        return clean(declared, self.machinery.environment) | own

    def outputs(self, task: str) -> Mapping[str, str]:
        """Return what a task left, as path from its package's directory to digest."""
        return self.machinery.outputs.get(task, {})

    def resource(self, name: str) -> Mapping[str, str]:
        """Return the environment variables that tell a task where a server is.

        Raises:
            MachineError: The server did not start.
        """
        if name not in self.machinery.servers:
            raise MachineError(f"the {name} server is not running")
        return self.machinery.servers[name]


def _copy(file: Path, place: Path) -> Path:
    """Copy a file; the copy's time of modification is one that no file had and none will have."""
    copy = place / file.name
    copy.parent.mkdir(parents=True)
    shutil.copyfile(file, copy)
    seconds = 1 + secrets.randbelow(1 << 29)  # before 1988
    os.utime(copy, (seconds, seconds))
    return copy
