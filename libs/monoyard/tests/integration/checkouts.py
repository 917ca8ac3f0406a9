"""Small git repositories in which nox and invoke are called as a person calls them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monoyard.install import installer_environment

from .families import Family

LOCK = Path(__file__).parent / "requirements.txt"
PATIENCE_SECONDS = 240.0
NOXFILE = """\
from pathlib import Path

from monoyard.bindings.nox import register

register(Path(__file__).parent)
"""
TASKS = """\
from pathlib import Path

from monoyard.bindings.invoke import collection

namespace = collection(Path(__file__).parent)
"""
ROOT = """\
[project]
name = "sample"
version = "0.1.0"

[dependency-groups]
test = ["pytest>=9"]

[tool.monoyard]
members = ["libs/*"]
lock = "requirements.txt"
"""
TEST = """\
from {name} import answer


def test_answer() -> None:
    assert answer() == 42
"""


@dataclass(frozen=True)
class Ended:
    """How a call ended: its exit code, what it printed, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        """Both streams, for messages."""
        return f"{self.out}\n{self.err}"


class Running:
    """A started call."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child
        self._began = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the called program alone."""
        self.child.send_signal(number)

    def family(self) -> Family:
        """Return every process below it."""
        return Family(self.child.pid)

    def end(self, seconds: float = PATIENCE_SECONDS) -> Ended:
        """Wait for its end."""
        out, err = self.child.communicate(timeout=seconds)
        return Ended(self.child.returncode, out, err, time.monotonic() - self._began)


class Checkout:
    """A git repository with packages below `libs/`, and nox and invoke in it.

    Args:
        top: Its root.
        cache: The directory that checkouts share.
    """

    def __init__(self, top: Path, cache: Path) -> None:
        self.top = top
        self.cache = cache
        self.environment = {
            **installer_environment(),
            **{name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_")},
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "MONOYARD_CACHE_DIR": str(cache),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_COLOR": "1",
            # What is fetched comes from elsewhere, and many tests fetch at once.
            "UV_HTTP_RETRIES": "10", "UV_HTTP_TIMEOUT": "120",
            "PIP_RETRIES": "10", "PIP_DEFAULT_TIMEOUT": "60",
        }  # fmt: skip
        self._started: list[subprocess.Popen[str]] = []

    def write(self, path: str, text: str) -> Path:
        """Write a file; its text may be indented."""
        place = self.top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return place

    def package(self, name: str, *dependencies: str, **files: str) -> None:
        """Write a package; `files` replaces its manifest's tail, source or test.

        Args:
            name: Project and module name.
            dependencies: Packages it declares and imports.
            files: `table`, `source` and `test`, as text.
        """
        listed = json.dumps(list(dependencies))
        manifest = f'[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = {listed}\n'
        imports = "".join(f"import {item} as _{item}  # noqa: F401\n" for item in dependencies)
        spacing = "\n\n" if dependencies else ""
        source = f"{imports}{spacing}def answer() -> int:\n    return 42\n"
        table = textwrap.dedent(files.get("table", ""))
        self.write(f"libs/{name}/pyproject.toml", manifest + table)
        self.write(f"libs/{name}/src/{name}/__init__.py", files.get("source", source))
        self.write(f"libs/{name}/tests/test_it.py", files.get("test", TEST.format(name=name)))

    def root(self, more: str = "") -> None:
        """Write the root's manifest, noxfile, tasks and lock."""
        self.write("pyproject.toml", ROOT + textwrap.dedent(more))
        self.write("noxfile.py", NOXFILE)
        self.write("tasks.py", TASKS)
        self.write(".gitignore", "__pycache__/\nup\n")
        shutil.copyfile(LOCK, self.top / "requirements.txt")

    def git(self, *words: str) -> str:
        """Run git; return what it prints."""
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        done = subprocess.run(
            ("git", *identity, *words),
            cwd=self.top, env=self.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def commit(self) -> None:
        """Commit everything that is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "state")

    def begin(self, *words: str, **settings: Any) -> Running:
        """Start `python WORDS`; settings are those of `subprocess.Popen`, `env` adds variables."""
        environment = {**self.environment, **settings.pop("env", {})}
        child = subprocess.Popen(
            (sys.executable, *words),
            cwd=self.top, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", **settings,
        )  # fmt: skip
        self._started.append(child)
        return Running(child)

    def start(self, session: str, *words: str, **settings: Any) -> Running:
        """Start a nox session with words after `--`."""
        return self.begin("-m", "nox", "--session", session, "--", *words, **settings)

    def nox(self, session: str, *words: str, **settings: Any) -> Ended:
        """Run a nox session to its end."""
        return self.start(session, *words, **settings).end()

    def invoke(self, *words: str, **settings: Any) -> Ended:
        """Run an invoke task to its end."""
        return self.begin("-m", "invoke", *words, **settings).end()

    def outcomes(self, session: str, *words: str, **settings: Any) -> dict[str, str]:
        """Run a nox session; return task to outcome, `cached` where a pass was replayed."""
        ended = self.nox(session, *words, "--json", **settings)
        assert ended.out.startswith("{"), ended.text
        return read_outcomes(json.loads(ended.out))

    def record(self) -> Mapping[str, Any]:
        """Return the newest record."""
        newest = max((self.top / ".monoyard" / "runs").glob("*/run.json"))
        record: Mapping[str, Any] = json.loads(newest.read_text("utf-8"))
        return record

    def result(self, task: str) -> Mapping[str, Any]:
        """Return the result of a task in the newest record."""
        results: list[Mapping[str, Any]] = self.record()["results"]
        return next(item for item in results if item["task"] == task)

    def stop(self) -> None:
        """Kill what a failed test left running."""
        for child in self._started:
            if child.poll() is None:
                child.kill()
                child.communicate()


def read_outcomes(run: Mapping[str, Any]) -> dict[str, str]:
    """Return task to outcome of a run's JSON, `cached` where a pass was replayed."""
    return {
        item["task"]: "cached"
        if item["is_cached"] and item["outcome"] == "pass"
        else item["outcome"]
        for item in run["results"]
    }
