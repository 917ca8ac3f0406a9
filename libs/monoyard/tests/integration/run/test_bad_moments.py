"""What a run meets on a real machine: other runs, signals, a full disk, a strange clock."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.checks import Checks
from monoyard.results import Verdict
from monoyard.run import Keeper

if TYPE_CHECKING:
    from .conftest import Checkout

Until = Callable[..., bool]
MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
[tool.monoyard.suites.{suite}]
command = ["sh", "-c", '''{script}''']
"""
# Says that it has begun, and neither ends nor wants to.
STUBBORN = "trap '' TERM INT; touch up; while :; do sleep 1; done"
STOPPING_SECONDS = 90.0


def add(checkout: Checkout, name: str, script: str = "true", suite: str = "unit") -> None:
    """Add a package with one suite, which is a script."""
    manifest = MANIFEST.format(name=name, suite=suite, script=script)
    checkout.write(f"libs/{name}/pyproject.toml", manifest)


def test_two_runs_at_once_in_one_checkout(plain: Checkout) -> None:
    """Two `ci` of one checkout at once come to the same end, and the third finds it all done."""
    for number in range(4):
        add(plain, f"part{number}", "mkdir -p made; sleep 0.2; cat pyproject.toml >made/out")
    plain.write(".gitignore", "__pycache__/\nmade/\nup\n")
    text = (plain.top / "libs/part0/pyproject.toml").read_text("utf-8")
    plain.write("libs/part0/pyproject.toml", text + 'outputs = ["made/*"]\n')
    plain.commit()
    running = [plain.start("ci") for _ in range(2)]
    for ended in [item.end() for item in running]:
        assert ended.code == 0, ended.text
        assert "PASS: 4 tasks" in ended.out
        assert "Traceback" not in ended.text
        assert "cannot be written" not in ended.text
    assert set(plain.outcomes("ci").values()) == {"cached"}
    assert (plain.top / "libs/part0/made/out").read_text("utf-8").startswith("[project]")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal(plain: Checkout, until: Until, number: signal.Signals) -> None:
    """A second signal while a run stops kills what is left: 130, no process, a record."""
    add(plain, "stubborn", STUBBORN)
    running = plain.start("ci")
    assert until((plain.top / "libs/stubborn/up").exists)
    family = running.family()
    running.signal(number)
    running.signal(number)
    ended = running.end(STOPPING_SECONDS)
    assert family.living() == []
    assert ended.code == 130, ended.text
    assert ended.err.count("error[") == 1
    assert "Traceback" not in ended.text
    assert plain.record()["interrupted"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_parallel_sessions_end_with_nox(
    plain: Checkout, until: Until, number: signal.Signals
) -> None:
    """When the nox of `nox -j` ends, by whichever signal, its sessions stop and leave nothing."""
    for suite in ("unit", "lint"):
        add(plain, suite, STUBBORN, suite)
    running = plain.begin("-m", "nox", "-j2", "--session", "unit", "lint")
    for suite in ("unit", "lint"):
        assert until(lambda suite=suite: (plain.top / "libs" / suite / "up").exists())
    family = running.family()
    assert len(family) >= 6
    running.signal(number)
    assert until(lambda: not family.living(), STOPPING_SECONDS), family.living()
    assert running.end().code != 0
    records = plain.top / ".monoyard" / "runs"
    assert len(list(records.glob("*/run.json"))) == 2


def test_killed_task_is_an_error_of_its_own(plain: Checkout) -> None:
    """SIGKILL of one task is told of that task alone, and is tried again by the next run."""
    add(plain, "alpha")
    add(plain, "beta", "test -e survives || kill -KILL $$")
    assert plain.outcomes("ci") == {"alpha:unit": "pass", "beta:unit": "error"}
    assert "crashed with signal 9" in plain.result("beta:unit")["reason"]
    plain.write("libs/beta/survives", "")
    assert plain.outcomes("ci") == {"alpha:unit": "cached", "beta:unit": "pass"}


def test_grandchild_left_behind(plain: Checkout) -> None:
    """What a task leaves running is ended, and named; the task's own verdict stands."""
    add(plain, "alpha", "setsid sleep 600 & echo $! >left")
    assert plain.outcomes("ci") == {"alpha:unit": "pass"}
    left = int((plain.top / "libs/alpha/left").read_text("utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)
    (finding,) = plain.result("alpha:unit")["findings"]
    assert "`sleep`" in finding["message"]


def test_git_that_is_too_old(plain: Checkout, tmp_path: Path) -> None:
    """A git before 2.35 is one clear error of the machine."""
    git = tmp_path / "git"
    said = "error: unknown option: --path-format=absolute"
    git.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 129\n", encoding="utf-8")
    git.chmod(git.stat().st_mode | stat.S_IXUSR)
    ended = plain.nox("ci", env={"PATH": f"{tmp_path}:{plain.environment['PATH']}"})
    assert (ended.code, ended.err.count("error[")) == (20, 1), ended.text
    assert "error[git-too-old]: git is older than 2.35" in ended.err
    assert "Traceback" not in ended.text


def test_clock_that_is_set_back(plain: Checkout) -> None:
    """An input that is edited and put back while its task runs shows, though the clock went back.

    What a file says of its last change is then before the time at which the run began.
    """
    edited = plain.top.parent / "edited"
    add(plain, "alpha", f"echo 2 >number; cat number; echo 1 >number; touch {edited}")
    plain.write("libs/alpha/number", "1\n")
    plain.commit()

    def seconds() -> float:
        return time() + (0 if edited.exists() else 3600)

    def nanoseconds() -> int:
        return round(seconds() * 1e9)

    with (
        mock.patch.dict(os.environ, plain.environment, clear=True),
        mock.patch("monoyard.bindings.checkout.time.time_ns", new=nanoseconds),
        mock.patch("monoyard.bindings.checks.Keeper", partial(Keeper, clock=seconds)),
    ):
        summary = Checks(plain.top).run(parse_arguments(()))
    assert summary is not None
    assert summary.verdict is Verdict.PASS
    assert [note for note in summary.notes if "changed while it ran" in note]
    assert plain.outcomes("ci") == {"alpha:unit": "pass"}


def test_clock_that_was_ahead(plain: Checkout) -> None:
    """Where the clock was set back before a run, what was written in its future counts as it is."""
    add(plain, "alpha", "cat number")
    plain.write("libs/alpha/number", "1\n")
    plain.commit()
    for seconds in (7200, 3600, 0):  # every run is an hour before the last
        ahead = time() + seconds
        for path in (plain.top / "libs/alpha/number", plain.top / ".git" / "index"):
            os.utime(path, (ahead, ahead))
        plain.write("libs/alpha/number", f"{seconds}\n")
        os.utime(plain.top / "libs/alpha/number", (ahead, ahead))
        assert plain.outcomes("ci") == {"alpha:unit": "pass"}
        assert plain.result("alpha:unit")["log"] == f"{seconds}"


@contextlib.contextmanager
def full_disk(place: Path) -> Iterator[None]:
    """Let a directory lie on a disk on which nothing more fits, with what was in it."""
    kept = place.with_name(f"{place.name}-kept")
    shutil.copytree(place, kept, symlinks=True)
    argv = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place))
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no disk of a size can be mounted here: {done.stderr.strip()}")
    try:
        shutil.copytree(kept, place, symlinks=True, dirs_exist_ok=True)
        with contextlib.suppress(OSError), (place / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        yield
    finally:
        subprocess.run(("umount", "--lazy", str(place)), check=True)


@pytest.mark.parametrize("place", ["store", "state", "temporary"])
def test_full_disk(plain: Checkout, place: str) -> None:
    """Wherever the disk is full: one clear error or the right verdicts; the next run is right."""
    add(plain, "alpha", "grep 2 number")
    add(plain, "broken", "cat number; false")
    plain.write("libs/alpha/number", "1\n")
    assert plain.outcomes("ci") == {"alpha:unit": "fail", "broken:unit": "fail"}
    plain.write("libs/alpha/number", "2\n")
    where = {
        "store": plain.cache / "store", "state": plain.top / ".monoyard",
        "temporary": plain.cache / "temporary",
    }[place]  # fmt: skip
    where.mkdir(exist_ok=True)
    (where / "here").touch()
    with full_disk(where):
        ended = plain.nox("ci", env={"TMPDIR": str(plain.cache / "temporary")})
        assert "Traceback" not in ended.text, ended.text
        if "error[" in ended.err and "error[checks-failed]" not in ended.err:
            assert 20 <= ended.code < 30, ended.text
            assert ended.err.count("error[") == 1, ended.text
            assert "No space left on device" in ended.err
        else:
            assert ended.code == 1, ended.text
            assert "FAIL: 2 tasks, 1 failed" in ended.out
    assert plain.outcomes("ci")["broken:unit"] == "fail"
    assert plain.outcomes("ci") == {"alpha:unit": "cached", "broken:unit": "fail"}
