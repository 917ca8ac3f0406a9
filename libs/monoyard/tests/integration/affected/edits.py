"""Random edits of a repository, each followed by a run from the store and by one without it.

Hypothesis draws the edits, and where two runs disagree it looks for the shortest way there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monoyard.errors import MonoyardError
from monoyard.plan import Plan
from monoyard.process import Exit, Job
from monoyard.results import Finding
from monoyard.run import RunSummary

from .repository import ATTRS, OTHER_ATTRS, SUITES, WITNESS, WITNESSED, Repository, Verdicts
from .witness import testify

PACKAGES = ("base", "core", "app", "other")
_INNER = (
    "src/{}/module.py", "src/{}/data.json", "src/{}/späte daten.txt", "tests/unit/test_it.py",
    "tests/data.txt", "README.md", "made.out", "src/{}/deep/table.csv",
)  # fmt: skip
_FILES = (
    *(f"packages/{name}/{inner.format(name)}" for name in PACKAGES for inner in _INNER),
    "unowned/settings.txt", "unowned/local.out", "docs/page.md", "README.md",
)  # fmt: skip
_TEXTS = (
    "VALUE = 1\n", "VALUE = 2\n", "VALUE = 3\n", "# FAIL\n", "",
    "def wrong(:\n    import base.module\n",
    *(f"import {name}.module\n" for name in PACKAGES),
    *(f'import importlib\nimportlib.import_module("{name}.module")\n' for name in PACKAGES),
)  # fmt: skip
_TARGETS = (
    "../../../base/src/base/data.json", "../../../other/tests/data.txt", "../../../other/src/other",
    "../../../../unowned/settings.txt", "module.py", "../../nowhere",
)  # fmt: skip
_TABLES = (
    "",
    'inputs = ["/packages/other/tests/data.txt"]\n',
    'inputs = ["/packages/other/made.out", "/unowned/*.out"]\n',
    'env = ["MODE"]\n',
    f'command = ["python3", "-ISB", "{WITNESS}", "again"]\n',
)
_IGNORED = ("*.out\n", "*.out\n*.csv\n", "*.out\ntests/data.txt\n", "")

_SUITE = f"[tool.monoyard.suites.{WITNESSED}]\n"

packages = st.sampled_from(PACKAGES)
files = st.sampled_from(_FILES)
texts = st.sampled_from(_TEXTS)


class FalseResultError(AssertionError):
    """A run from the store says something else than one without, or nobody foresaw it."""


class AtOnce:
    """Stands where a supervisor does: the witness testifies in this process, and is done at once.

    How processes are run is the matter of other tests; a thousand edits need cheap ones.
    """

    def __init__(self, *_: object, **__: object) -> None:
        self._read, self._write = os.pipe()
        self._ended: list[Exit] = []

    def fileno(self) -> int:
        """File descriptor that is readable when something has ended."""
        return self._read

    def start(self, job: Job) -> None:
        """Do a job."""
        assert job.stdout is not None
        text, status = testify(job.cwd, job.argv[3:], job.env)
        job.stdout.write_text(text, encoding="utf-8")
        self._ended.append(Exit(job.number, status))
        os.write(self._write, b"\0")

    def exits(self) -> list[Exit]:
        """Return what has ended."""
        os.read(self._read, 1 << 16)
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """End."""
        os.close(self._read)
        os.close(self._write)


class Edits(RuleBasedStateMachine):
    """A repository that is edited at random.

    Attributes:
        copy: Makes a warm repository in an empty directory.
        count: How many edits were followed by verdicts, over all of these.
        refused: How many edits ended in an error of configuration.
    """

    copy: Callable[[Path], Repository]
    count = 0
    refused = 0

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.TemporaryDirectory(prefix="edits-")
        place = Path(self._place.name)
        self.repository = type(self).copy(place / "warm")
        self.repository.remember()
        self._venvs = place / "warm" / "cache" / "venvs"
        self._empty = place / "empty"
        self._base: Verdicts | None = None
        self._mode = self._mode_at_base = "plain"
        self._words: tuple[str, ...] = ()
        self._is_settled = True

    def teardown(self) -> None:
        """Remove the repository."""
        self._place.cleanup()

    @initialize(number=st.integers(0, 1 << 32))
    def begin(self, number: int) -> None:
        """Pass over the simplest of all examples: it makes one and the same edit all the time."""
        assume(number)

    # Edits of files

    @rule(path=files, text=texts)
    def write(self, path: str, text: str) -> None:
        """Write a file, whatever was there."""
        self._clear(path)
        self.repository.write(path, text)

    @precondition(lambda self: self._present())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete a file."""
        self._clear(data.draw(st.sampled_from(self._present()), "path"))

    @precondition(lambda self: self._present())
    @rule(data=st.data(), to=files)
    def rename(self, data: st.DataObject, to: str) -> None:
        """Rename a file, maybe into another package."""
        source = data.draw(st.sampled_from(self._present()), "path")
        if source != to:
            self._clear(to)
            (self.repository.top / to).parent.mkdir(parents=True, exist_ok=True)
            (self.repository.top / source).rename(self.repository.top / to)

    @rule(package=packages, leads_to=st.sampled_from(_TARGETS))
    def link(self, package: str, leads_to: str) -> None:
        """Put a symbolic link into a package's sources."""
        path = f"packages/{package}/src/{package}/link"
        self._clear(path)
        (self.repository.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.repository.top / path).symlink_to(leads_to)

    @precondition(lambda self: self._present())
    @rule(data=st.data())
    def edit_in_disguise(self, data: st.DataObject) -> None:
        """Change a byte of a file that keeps its size and its time."""
        path = self.repository.top / data.draw(st.sampled_from(self._present()), "path")
        if path.is_file() and not path.is_symlink() and (text := path.read_bytes()):
            before = path.stat()
            digit = b"7" if text[-2:-1] != b"7" else b"8"
            path.write_bytes(text[:-2] + digit[: len(text) - 1] + text[-1:])
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @precondition(lambda self: self._present())
    @rule(data=st.data())
    def change_mode(self, data: st.DataObject) -> None:
        """Make a file executable, or no longer so."""
        path = self.repository.top / data.draw(st.sampled_from(self._present()), "path")
        if path.is_file():
            path.chmod(path.stat().st_mode ^ 0o111)

    # What packages declare

    @rule(package=packages, need=st.sampled_from((*PACKAGES, "attrs")))
    def toggle_need(self, package: str, need: str) -> None:
        """Add a dependency, or remove it."""
        if package != need:
            needs, table = self._declared(package)
            self._declare(package, needs ^ {need}, table)

    @rule(package=packages, table=st.sampled_from(_TABLES))
    def configure(self, package: str, table: str) -> None:
        """Give a suite other inputs, variables or another command."""
        self._declare(package, self._declared(package)[0], table)

    @rule()
    def bump_lock(self) -> None:
        """Lock another version of a distribution."""
        lock = self.repository.top / "requirements.txt"
        text = lock.read_text("utf-8")
        old, new = (ATTRS, OTHER_ATTRS) if ATTRS in text else (OTHER_ATTRS, ATTRS)
        lock.write_text(text.replace(old, new), encoding="utf-8")

    @rule(mode=st.sampled_from(["plain", "other"]))
    def set_variable(self, mode: str) -> None:
        """Give an environment variable another value."""
        self._mode = mode

    @rule(package=st.sampled_from(["app", "other"]))
    def toggle_package(self, package: str) -> None:
        """Remove a package, or add it anew."""
        directory = self.repository.top / "packages" / package
        if directory.exists():
            shutil.rmtree(directory)
        else:
            self.repository.package(package)

    # What git knows

    @rule(patterns=st.sampled_from(_IGNORED))
    def ignore(self, patterns: str) -> None:
        """Have git ignore other files."""
        self.repository.write(".gitignore", patterns)

    @rule(data=st.data(), flag=st.sampled_from(["assume-unchanged", "skip-worktree"]))
    def hide(self, data: st.DataObject, flag: str) -> None:
        """Tell git not to look at a file."""
        paths = self.repository.git("ls-files", "-z", "--", "packages").split("\0")[:-1]
        path = data.draw(st.sampled_from(sorted(set(paths) & set(_FILES)) or ["README.md"]), "path")
        self.repository.git("update-index", f"--{flag}", path)

    @rule()
    def stage(self) -> None:
        """Stage everything."""
        self.repository.git("add", "-A")

    @rule()
    def commit(self) -> None:
        """Commit everything."""
        self.repository.git("add", "-A")
        self.repository.git("commit", "-qm", "change", "--allow-empty")

    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        """Take a path back to what it was at the base, or everything."""
        path = data.draw(st.sampled_from([".", "packages/core", "packages/base/src"]), "path")
        with contextlib.suppress(subprocess.CalledProcessError):  # the base has no such path
            self.repository.git("checkout", "-q", "main", "--", path)

    @rule()
    def settle(self) -> None:
        """Commit everything and call it the base."""
        listed = self.repository.git("ls-files", "-z").split("\0")[:-1]
        for flag in ("assume-unchanged", "skip-worktree"):
            self.repository.git("update-index", f"--no-{flag}", "--", *listed)
        self.repository.git("add", "-A")
        self.repository.git("commit", "-qm", "change", "--allow-empty")
        self.repository.git("branch", "-f", "main")
        with contextlib.suppress(MonoyardError):  # what is wrong is told by the run
            self.repository.remember()
        self._is_settled = True

    @rule(packages=st.sets(packages, min_size=1, max_size=2))
    def narrow(self, packages: set[str]) -> None:
        """Have the next run check some packages alone."""
        there = self.repository.top / "packages"
        self._words = tuple(name for name in sorted(packages) if (there / name).is_dir())

    # What has to hold

    @invariant()
    def verdicts_agree(self) -> None:
        """A run from the store says what one without says, and every other verdict was foreseen."""
        words, self._words = self._words, ()
        is_settled, self._is_settled = self._is_settled, False
        if is_settled:
            self._base = None
        try:
            stored = self.run(self.repository, words)
        except MonoyardError as error:
            type(self).refused += 1
            self._refuse_too(words, error)
            return
        type(self).count += 1
        affected = {planned.task.id: planned.causes for planned in stored.plan.affected}
        by_memory = self.repository.causes(MODE=self._mode)
        if by_memory != affected:
            raise FalseResultError(f"affected by memory: {by_memory}, and without: {affected}")
        said = self.verdicts_of(stored)
        ran = {task for task, item in stored.results.items() if not item.is_cached}
        fresh = {task: said[task] for task in ran} | self._fresh_but_for(ran, stored.plan)
        wrong = {task: (said[task], fresh[task]) for task in said if said[task] != fresh[task]}
        if wrong:
            raise FalseResultError(f"replayed and fresh results differ: {wrong}")
        if is_settled:
            self._base, self._mode_at_base = fresh, self._mode
        if (base := self._base) is not None and self._mode == self._mode_at_base:
            changed = {task for task in fresh if fresh[task] != base.get(task)}
            if missed := changed - affected.keys():
                told = {task: (base.get(task), fresh[task]) for task in missed}
                raise FalseResultError(f"not affected, and yet different: {told}")

    def run(self, repository: Repository, words: tuple[str, ...], **more: str) -> RunSummary:
        """Run the witness in this process."""
        with (
            mock.patch("monoyard.run.jobs.Supervisor", AtOnce),
            mock.patch("monoyard.plan.keys.engine_digest", return_value="this engine"),
        ):
            return repository.run(*words, MODE=self._mode, **more)

    def verdicts_of(self, summary: RunSummary) -> Verdicts:
        """Return task to outcome and what it said."""
        return {task: (item.outcome.value, item.log) for task, item in summary.results.items()}

    def _fresh_but_for(self, ran: set[str], plan: Plan) -> Verdicts:
        """Return what a run with an empty store says of all packages that did not just run."""
        suites = {planned.task.suite for planned in plan.selected}
        tasks = [planned.task for planned in plan.tasks if planned.task.suite in suites]
        names = sorted({task.package for task in tasks if task.id not in ran})
        found = self._without_store(tuple(names)) if names else {}
        return {task: verdict for task, verdict in found.items() if task not in ran}

    def _without_store(self, words: tuple[str, ...]) -> Verdicts:
        shutil.rmtree(self._empty, ignore_errors=True)
        self._empty.mkdir()
        (self._empty / "venvs").symlink_to(self._venvs.resolve())
        cache = {"MONOYARD_CACHE_DIR": str(self._empty)}
        return self.verdicts_of(self.run(self.untouched(), words, **cache))

    def untouched(self) -> Repository:
        """Return the repository for a run without the store."""
        return self.repository

    def _refuse_too(self, words: tuple[str, ...], error: MonoyardError) -> None:
        try:
            self._without_store(words)
        except MonoyardError as other:
            if str(other) == str(error):
                return
            raise FalseResultError(f"two errors: {error!r}, {other!r}") from other
        raise FalseResultError(f"refused with the store alone: {error!r}") from error

    # How it is done

    def _present(self) -> list[str]:
        return [path for path in _FILES if os.path.lexists(self.repository.top / path)]

    def _clear(self, path: str) -> None:
        place = self.repository.top / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        elif os.path.lexists(place):
            place.unlink()

    def _declared(self, package: str) -> tuple[set[str], str]:
        """Return what a package's manifest says: names of what it needs, and the suite's table."""
        manifest = self.repository.top / "packages" / package / "pyproject.toml"
        text = manifest.read_text("utf-8") if manifest.exists() else ""
        needs = tomllib.loads(text).get("project", {}).get("dependencies", [])
        return set(needs), text.partition(_SUITE)[2]

    def _declare(self, package: str, needs: set[str], table: str) -> None:
        listed = ", ".join(f'"{need}"' for need in sorted(needs))
        text = f'[project]\nname = "{package}"\nversion = "0.1.0"\ndependencies = [{listed}]\n'
        self.repository.write(f"packages/{package}/pyproject.toml", f"{text}{_SUITE}{table}")


_CODE = (
    "VALUE = 1\n", 'VALUE: str = "one"\n', "import os\n", 'VALUE: int = "wrong"\n', "VALUE = (\n",
    *(
        f"import {name}.module\n\nVALUE: int = {name}.module.VALUE\n" for name in PACKAGES
    ),
)  # fmt: skip
_TESTS = (
    "def test_it() -> None:\n    assert True\n",
    "def test_it() -> None:\n    assert False\n",
    *(
        f"import {name}.module\n\n\ndef test_it() -> None:\n    assert {name}.module.VALUE == 1\n"
        for name in PACKAGES
    ),
)


class EditsForTools(Edits):
    """The same edits and those of code, judged by ruff, mypy and pytest."""

    def __init__(self) -> None:
        super().__init__()
        # What it says of these suites was written there, and no tool ever said so.
        shutil.rmtree(self._venvs.parent / "store")

    @rule(package=packages, text=st.sampled_from(_CODE))
    def write_module(self, package: str, text: str) -> None:
        """Write a module."""
        self._clear(path := f"packages/{package}/src/{package}/module.py")
        self.repository.write(path, text)

    @rule(package=packages, text=st.sampled_from(_TESTS))
    def write_test(self, package: str, text: str) -> None:
        """Write a test."""
        self._clear(path := f"packages/{package}/tests/unit/test_it.py")
        self.repository.write(path, text)

    def run(self, repository: Repository, words: tuple[str, ...], **more: str) -> RunSummary:
        """Run the tools."""
        repository.suites = SUITES
        return repository.run(*words, MODE=self._mode, **more)

    def verdicts_of(self, summary: RunSummary) -> Verdicts:
        """Return task to outcome and what was found: times and directories stand in the logs."""
        return {
            task: (item.outcome.value, "\n".join(sorted(map(_words_of, item.findings))))
            for task, item in summary.results.items()
        }

    def untouched(self) -> Repository:
        """Return a copy of the work tree, without what the tools keep there."""
        top = self._empty / "top"
        ignored = shutil.ignore_patterns(".monoyard", "__pycache__", ".*_cache")
        shutil.copytree(self.repository.top, top, symlinks=True, ignore=ignored)
        return Repository(top, self.repository.environment)


def _words_of(finding: Finding) -> str:
    return f"{finding.path}:{finding.line}: {finding.rule} {finding.message}"
