"""A clone of the repository, and the commands that a person types there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ENVIRONMENT = "e2e"
# As they are in the repository: small and quick, and strict.
PLAIN_ENVIRONMENT, STRICT_ENVIRONMENT = "e2e-dev", "e2e-prod"
# Of a team with a chart of its own; see `foreign`.
FOREIGN_ENVIRONMENT = "e2e-foreign"
NAMESPACE = "eventflow-e2e"
NAMESPACES = tuple(
    f"eventflow-{name}"
    for name in (ENVIRONMENT, PLAIN_ENVIRONMENT, STRICT_ENVIRONMENT, FOREIGN_ENVIRONMENT)
)
HOST = "e2e.eventflow.test"
MAX_PAUSE_SECONDS = 20
_SECONDS = 900.0
_GRACE = re.compile(r"graceSeconds: \d+")
_API_VALUES = """\
# Judged in a window that a test can fill, and given up as soon.
gates:
  enabled: true
  windowSeconds: 20
  intervalSeconds: 2
  measurements: 60
  minimumSamples: 20
  cpu: {ratio: 2, floorCores: 0.2}
strategy: {progressDeadlineSeconds: 45}
"""


@dataclass(frozen=True)
class Deployed:
    """How a deployment ended.

    Attributes:
        code: Exit status of `invoke deploy`.
        text: All it printed.
        data: What `--json` said; empty where nothing was begun.
    """

    code: int
    text: str
    data: dict[str, Any]

    @property
    def outcome(self) -> str:
        """As the ledger says it; empty where nothing was begun."""
        return str(self.data.get("outcome", ""))

    @property
    def services(self) -> set[str]:
        """Services that it sent."""
        return set((self.data.get("header") or {}).get("services") or {})

    @property
    def steps(self) -> list[str]:
        """Steps that were done, in order; each as often as it was done."""
        entries = self.data.get("entries") or []
        return [entry["step"] for entry in entries if entry["state"] == "done"]


def await_words(process: subprocess.Popen[str], words: str) -> None:
    """Read what a deployment prints until a line has these words; it goes on meanwhile."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"{words!r} was not said\n{''.join(said)}")


@dataclass(frozen=True)
class Clone:
    """The clone.

    Attributes:
        top: Where it is.
    """

    top: Path

    @classmethod
    def of(cls, origin: Path, top: Path) -> Self:
        """Clone what is committed."""
        made = cls(top)
        subprocess.run(("git", "clone", "--quiet", str(origin), str(top)), check=True)
        made.git("config", "user.name", "Ada")
        made.git("config", "user.email", "ada@example.org")
        return made

    def git(self, *words: str) -> str:
        """Run git; return what it prints."""
        argv = ("git", "-C", str(self.top), *words)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def add_environments(self) -> None:
        """Add the environments that only these tests use, as copies of those of the repository.

        Most is done in one as `dev`, but with gates for the api; the others are as they are.
        """
        # The last one stays the last one: it decides what becomes a release.
        for order, name in ((9, "prod"), (3, "staging"), (2, "dev")):
            was = {"prod": 3, "staging": 2, "dev": 1}[name]
            file = f"deploy/environments/{name}/environment.toml"
            self.replace(file, f"order = {was}", f"order = {order}")
        self._copy_environment("dev", ENVIRONMENT, 1)
        self._copy_environment("dev", PLAIN_ENVIRONMENT, 4)
        self._copy_environment("prod", STRICT_ENVIRONMENT, 5)
        own = self.top / "deploy" / "environments" / ENVIRONMENT
        (own / "api.yaml").write_text(_API_VALUES, "utf-8")
        rehearsed = (own.parent / "staging" / "values.yaml").read_text("utf-8")
        kept = rehearsed[rehearsed.index("prometheus:") : rehearsed.index("gates:")]
        own_file = f"deploy/environments/{ENVIRONMENT}/environment.toml"
        self.replace(own_file, 'max-pause = "10m"', f'max-pause = "{MAX_PAUSE_SECONDS}s"')
        values = own / "values.yaml"
        text = values.read_text("utf-8")
        text = text[: text.index("prometheus:")] + kept
        text = text.replace("replicas: 1", "replicas: 2")
        # Small enough that other environments have room beside it.
        values.write_text(f"{text}resources: {{requests: {{cpu: 20m, memory: 64Mi}}}}\n", "utf-8")

    def _copy_environment(self, name: str, copy: str, order: int) -> None:
        environments = self.top / "deploy" / "environments"
        host = f"{copy}.eventflow.test"
        (environments / copy).mkdir()
        for path in (environments / name).iterdir():
            text = path.read_text("utf-8").replace(f"eventflow-{name}", f"eventflow-{copy}")
            text = re.sub(r"^order = \d+$", f"order = {order}", text, flags=re.MULTILINE)
            text = re.sub(r"^  host: .*$", f"  host: {host}", text, flags=re.MULTILINE)
            (environments / copy / path.name).write_text(text, "utf-8")
        self.replace("infra/cluster/cluster.toml", 'names = ["', f'names = ["{host}", "')

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace what stands in a file once."""
        file = self.top / path
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new), "utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def append(self, path: str, text: str) -> None:
        """Append to a file."""
        with (self.top / path).open("a", encoding="utf-8") as file:
            file.write(text)

    def set_grace(self, service: str, seconds: int) -> None:
        """Change what needs no other image: how long a service may take to stop."""
        file = self.top / "deploy" / "services" / f"{service}.yaml"
        text, found = re.subn(_GRACE, f"graceSeconds: {seconds}", file.read_text("utf-8"))
        said = "" if found else f"drain: {{graceSeconds: {seconds}}}\n"
        file.write_text(text + said, "utf-8")

    def commit(self, message: str) -> str:
        """Commit everything; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def nox(self, session: str, *words: str) -> str:
        """Run a session, and see that it succeeds."""
        return self._succeed("nox", "-s", session, "--", *words)

    def invoke(self, *words: str) -> str:
        """Run a task, and see that it succeeds."""
        return self._succeed("invoke", *words)

    def try_invoke(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a task, however it ends."""
        return self._run("invoke", *words)

    def digest(self, image: str) -> str:
        """Return the digest of an image of HEAD, which was built."""
        place = self.top.parent / "images.json"
        self.invoke("images.list", f"--json={place}")
        images = json.loads(place.read_bytes())["images"]
        return str(next(item["digest"] for item in images if item["image"] == image))

    def history(self) -> list[dict[str, Any]]:
        """Return what the ledger says of every deployment, the newest first."""
        place = self.top.parent / "history.json"
        self.invoke("history", f"--env={ENVIRONMENT}", f"--json={place}")
        found: list[dict[str, Any]] = json.loads(place.read_bytes())["deployments"]
        return found

    def deploy(self, *words: str, environment: str = ENVIRONMENT) -> Deployed:
        """Deploy HEAD to an environment, however that ends."""
        with self.deploying(*words, environment=environment) as process:
            return self.finish(process)

    @contextmanager
    def deploying(
        self, *words: str, environment: str = ENVIRONMENT
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a deployment of HEAD to an environment; its output is a pipe.

        What still runs at the end of the block is killed: nobody would wait for it any more.
        """
        self._result.unlink(missing_ok=True)
        argv = self._argv("invoke", "deploy", f"--env={environment}", f"--json={self._result}")
        with subprocess.Popen(
            (*argv, *words), cwd=self.top, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def finish(self, process: subprocess.Popen[str]) -> Deployed:
        """Wait for the end of a deployment that was started and looked at; return how it ended."""
        assert process.stdout is not None
        guard = threading.Timer(_SECONDS, process.kill)
        guard.start()
        text = process.stdout.read()
        code = process.wait()
        guard.cancel()
        return self.read(code, text)

    def read(self, code: int, text: str) -> Deployed:
        """Return how a deployment ended, by what it printed and wrote."""
        data: dict[str, Any] = {}
        if self._result.is_file():
            data = json.loads(self._result.read_bytes()).get("deployment") or {}
        print(text)  # noqa: T201 - pytest shows it when a test fails
        return Deployed(code, text, data)

    @property
    def _result(self) -> Path:
        return self.top.parent / "deployed.json"

    def _argv(self, program: str, *words: str) -> tuple[str, ...]:
        return (os.environ.get("MONOYARD_PYTHON", sys.executable), "-m", program, *words)

    def _succeed(self, program: str, *words: str) -> str:
        done = self._run(program, *words)
        assert done.returncode == 0, f"{program} {' '.join(words)}\n{done.stdout}"
        return done.stdout

    def _run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._argv(program, *words),
            cwd=self.top,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
