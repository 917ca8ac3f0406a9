"""Venvs by content: made once, shared by checkouts, never changed afterwards."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from monoyard.errors import ConfigurationError
from monoyard.install.locking import exclusive
from monoyard.install.uv import run_uv
from monoyard.suites import Interpreter, VenvSpec
from monoyard.workspace import normalize

Announce = Callable[[str], None]

_PYLOCK = re.compile(r"^lock-version\s*=", re.MULTILINE)  # PEP 751 asks for it; comments may lead
_STAMP = "monoyard-1.json"  # the last file of a venv, and what is known of its contents


class Venvs:
    """Makes venvs under one directory.

    Args:
        directory: Where they are kept.
        top: Root of the work tree, where lock files stand.
        announce: Called with one line before something slow.
    """

    def __init__(self, directory: Path, top: Path, announce: Announce) -> None:
        self._directory = directory
        self._top = top
        self.announce = announce

    def path(self, spec: VenvSpec) -> Path:
        """Return where the venv of a spec is or will be."""
        return self._directory / "venvs" / spec.key

    def ensure(self, spec: VenvSpec) -> Path:
        """Return the directory of a venv, made now if it is not there.

        A venv without its stamp was not finished, and is made anew.

        Raises:
            MachineError: No network.
            ToolError: uv could not install it.
        """
        path = self.path(spec)
        stamp = path / _STAMP
        if stamp.exists():
            return path
        with exclusive(path.with_suffix(".lock")):
            if not stamp.exists():
                requirements = self._requirements(spec)
                self._create(spec.interpreter, path, requirements, _words(spec))
                stamp.write_text(json.dumps(_contents(path)), encoding="utf-8")
        return path

    @property
    def directory(self) -> Path:
        """The directory that all checkouts share."""
        return self._directory

    def modules(self, spec: VenvSpec) -> dict[str, tuple[str, ...]]:
        """Return top-level module to the distributions that provide it."""
        return self._said(spec, "modules")

    def pytest_plugins(self, spec: VenvSpec) -> dict[str, tuple[str, ...]]:
        """Return distribution to the pytest plugins it registers."""
        return self._said(spec, "plugins")

    def _said(self, spec: VenvSpec, key: str) -> dict[str, tuple[str, ...]]:
        stamp = json.loads((self.ensure(spec) / _STAMP).read_text("utf-8"))
        return {name: tuple(found) for name, found in stamp[key].items()}

    def ensure_tool(self, name: str, pins: str, interpreter: Interpreter) -> Path:
        """Return a venv made from one of the engine's own pins."""
        path = self._tool_path(name, pins, interpreter)
        stamp = path / _STAMP
        if not stamp.exists():
            with exclusive(path.with_suffix(".lock")):
                if not stamp.exists():
                    self._create(interpreter, path, pins, name)
                    stamp.write_text("{}", encoding="utf-8")
        return path

    def has_tool(self, name: str, pins: str, interpreter: Interpreter) -> bool:
        """Say whether a tool's venv is there already."""
        return (self._tool_path(name, pins, interpreter) / _STAMP).exists()

    def _tool_path(self, name: str, pins: str, interpreter: Interpreter) -> Path:
        digest = hashlib.sha256(f"{interpreter.identity}\0{pins}".encode()).hexdigest()[:16]
        return self._directory / "tools" / f"{name}-{digest}"

    def resolve(self, spec: VenvSpec) -> str:
        """Return the resolution of a spec without a lock, kept until its requirements change.

        Raises:
            MachineError: No network.
            ToolError: The requirements contradict each other.
        """
        path = self._directory / "resolutions" / f"{spec.key}.txt"
        if path.exists():
            return path.read_text("utf-8")
        with exclusive(path.with_suffix(".lock")):
            if path.exists():
                return path.read_text("utf-8")
            self.announce(f"resolving {_words(spec)}")
            source = path.with_suffix(".in")
            source.write_text("\n".join(spec.requirements) + "\n", encoding="utf-8")
            partial = path.with_suffix(".part")
            run_uv(
                ("pip", "compile", "--quiet", "--generate-hashes", "--no-annotate", "--no-header",
                 "--no-emit-index-url", "--python", str(spec.interpreter.path),
                 "--output-file", str(partial), str(source)),
                cwd=self._directory, doing=f"resolve {_words(spec)}",
            )  # fmt: skip
            partial.replace(path)
        return path.read_text("utf-8")

    def _requirements(self, spec: VenvSpec) -> str:
        if not spec.lock_path:
            return self.resolve(spec) if spec.requirements else ""
        lock = self._top / spec.lock_path
        if lock.name == "uv.lock":
            return self._export(lock)
        if lock.name.endswith(".toml"):
            return lock.read_text("utf-8")
        text = lock.read_text("utf-8")
        if "--hash=" not in text:
            raise ConfigurationError(
                f"{spec.lock_path} has no hashes",
                hint="`invoke lock` writes one; or compile it with `--generate-hashes`",
            )
        return text

    def _export(self, lock: Path) -> str:
        done = run_uv(
            ("export", "--frozen", "--all-packages", "--all-groups", "--all-extras",
             "--no-emit-workspace", "--no-header", "--no-annotate", "--quiet"),
            cwd=lock.parent, doing=f"read {lock.name}",
        )  # fmt: skip
        return done.text

    def _create(self, interpreter: Interpreter, path: Path, requirements: str, words: str) -> None:
        self.announce(f"installing {words}")
        shutil.rmtree(path, ignore_errors=True)
        run_uv(
            ("venv", "--quiet", "--no-project", "--no-config",
             "--python", str(interpreter.path), str(path)),
            cwd=path.parent, doing=f"make a venv for {words}",
        )  # fmt: skip
        if not requirements.strip():
            return
        is_toml = _PYLOCK.search(requirements) is not None
        listed = path / ("pylock.toml" if is_toml else "requirements.txt")
        listed.write_text(requirements, encoding="utf-8")
        checked = () if is_toml else ("--require-hashes", "--no-deps")
        run_uv(
            ("pip", "install", "--quiet", *checked, "--python", str(path / "bin" / "python"),
             "--requirements", str(listed)),
            cwd=self._top, doing=f"install {words}",
        )  # fmt: skip


def _words(spec: VenvSpec) -> str:
    if spec.lock_path:
        return f"{spec.lock_path} for Python {spec.interpreter.minor}"
    return f"{len(spec.requirements)} requirements for Python {spec.interpreter.minor}"


def _contents(venv: Path) -> dict[str, dict[str, list[str]]]:
    """Return module to distributions and distribution to pytest plugins, as recorded on disk."""
    places = [str(place) for place in venv.glob("lib/python*/site-packages")]
    modules: dict[str, set[str]] = {}
    plugins: dict[str, list[str]] = {}
    for distribution in distributions(path=places):
        name = normalize(distribution.metadata["Name"])
        for module in _top_levels(distribution):
            modules.setdefault(module, set()).add(name)
        found = sorted(point.name for point in distribution.entry_points.select(group="pytest11"))
        if found:
            plugins[name] = found
    listed = {module: sorted(names) for module, names in sorted(modules.items())}
    return {"modules": listed, "plugins": plugins}


def _top_levels(distribution: Distribution) -> Iterable[str]:
    for file in distribution.files or ():
        first, *rest = file.parts
        if rest and first.isidentifier():
            yield first
        elif not rest and file.suffix in {".py", ".so", ".pyi"}:
            yield file.name.partition(".")[0]
