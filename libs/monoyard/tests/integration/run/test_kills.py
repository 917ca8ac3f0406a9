"""SIGKILL at random moments: the next run is right, and nothing is left behind for ever.

`--full` kills two hundred times. The names of the tests tell the seeds.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.cache import Store

if TYPE_CHECKING:
    from .conftest import Checkout, Running

SHORT, FULL = 1, 40
"""How often each kind of process is killed."""

# A need that is made, a result that is read, a child of its own, and something left in between.
TABLE = """
    [tool.monoyard.suites.unit]
    command = ["sh", "-c", "mkdir -p made; sleep 0.05 & cat {reads} >made/seen; wait; {judge}"]
    outputs = ["made/*"]
"""
FAILS_WHEN_ODD = "grep -q '[02468]$' number"
LEFT_AFTER = 90.0
TWO_DAYS = 2 * 86400.0

Until = Callable[..., bool]
Kill = Callable[["Running", Path, random.Random], None]


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _leader(running: Running, _: Path, __: random.Random) -> None:
    _kill(running.child.pid)


def _group(running: Running, _: Path, __: random.Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.child.pid, signal.SIGKILL)


def _any_below(running: Running, place: Path, chance: random.Random) -> None:
    """Kill one of all processes below, whichever it is: an engine, a warden, a keeper, a task."""
    if found := sorted(_living(place) - {running.child.pid}):
        _kill(chance.choice(found))


KINDS: dict[str, tuple[tuple[str, ...], Kill]] = {
    "leader": (("--session", "ci"), _leader),
    "group": (("--session", "ci"), _group),
    "child": (("--session", "ci"), _any_below),
    "leader of two": (("-j2", "--session", "unit", "lint"), _leader),
    "child of two": (("-j2", "--session", "unit", "lint"), _any_below),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the seed."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", [metafunc.config.getoption("--seed", default=1)])


def _living(place: Path) -> set[int]:
    """Return all processes that have to do with a directory: their environment names it."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            number = int(entry.name)
            state = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
            if state != "Z" and os.fsencode(place) in (entry / "environ").read_bytes():
                found.add(number)
    return found


@pytest.fixture
def killed(plain: Checkout) -> Checkout:
    """A repository of three packages: alpha, beta that reads alpha, odd that fails now and then."""
    plain.write(".gitignore", "__pycache__/\nmade/\n")
    lint = "[tool.monoyard.suites.lint]\ncommand = ['cat', 'number']\n"
    for name, needs, reads, judge in (
        ("alpha", (), "number", "true"),
        ("beta", ("alpha",), "number ../alpha/number", "true"),
        ("odd", (), "number", FAILS_WHEN_ODD),
    ):
        listed = "".join(f'"{need}"' for need in needs)
        head = f'[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = [{listed}]\n'
        table = TABLE.format(reads=reads, judge=judge).replace("\n    ", "\n")
        plain.write(f"libs/{name}/pyproject.toml", f"{head}{table}{lint}")
        plain.write(f"libs/{name}/number", "0\n")
    plain.commit()
    temporary = plain.cache / "temporary"
    temporary.mkdir()
    plain.environment["TMPDIR"] = str(temporary)
    return plain


def _write_numbers(checkout: Checkout, numbers: dict[str, int]) -> None:
    for name, number in numbers.items():
        checkout.write(f"libs/{name}/number", f"{number}\n")
        shutil.rmtree(checkout.top / "libs" / name / "made", ignore_errors=True)


def _check(checkout: Checkout, numbers: dict[str, int]) -> None:
    """Run all, and hold verdicts, outputs and stored results against what the files say."""
    outcomes = checkout.outcomes("ci")
    expected = {f"{name}:{suite}" for name in numbers for suite in ("lint", "unit")}
    assert outcomes.keys() == expected
    failing = {task for task, outcome in outcomes.items() if outcome not in {"pass", "cached"}}
    assert failing == ({"odd:unit"} if numbers["odd"] % 2 else set()), outcomes
    for name, number in numbers.items():
        assert checkout.result(f"{name}:lint")["log"].split() == [str(number)]
        if f"{name}:unit" not in failing:
            seen = (checkout.top / "libs" / name / "made" / "seen").read_text("utf-8").split()
            assert seen == [str(number), *([str(numbers["alpha"])] if name == "beta" else ())]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment(
    killed: Checkout, until: Until, request: pytest.FixtureRequest, kind: str, seed: int
) -> None:
    """After SIGKILL at any moment the next run is right, and neither process nor lock is left."""
    words, kill = KINDS[kind]
    chance = random.Random(f"{seed} {kind}")  # noqa: S311  moments, no secrets
    numbers = {"alpha": 0, "beta": 0, "odd": 0}
    whole = killed.nox("ci").seconds
    for _ in range(FULL if request.config.getoption("--full", default=False) else SHORT):
        numbers = {name: chance.randrange(4) for name in numbers}
        _write_numbers(killed, numbers)
        running = killed.begin("-m", "nox", *words, start_new_session=True)
        time.sleep(chance.uniform(0, whole))  # the moment is what this is about
        kill(running, killed.cache, chance)
        running.end()
        assert until(lambda: not _living(killed.cache), LEFT_AFTER), _living(killed.cache)
        for name in numbers:
            shutil.rmtree(killed.top / "libs" / name / "made", ignore_errors=True)
        _check(killed, numbers)
    assert not list((killed.top / ".git").glob("**/*.lock"))
    # What nox itself makes for `-j` (`tmp...`) nobody can remove after its SIGKILL.
    left = (path.name for path in (killed.cache / "temporary").iterdir())
    assert [name for name in left if name.startswith("monoyard")] == []
    _check_store(killed.cache / "store")


def _check_store(place: Path) -> None:
    """Hold a store to what it says of itself, once what may be at work is old enough to go."""
    store = Store.open(place, limit_bytes=1 << 30, clock=lambda: time.time() + TWO_DAYS)
    store.evict()
    found = store.statistics()
    store.close()
    assert list(store.notes) == []
    names = [path for path in place.rglob("*") if path.is_file() and "sqlite" not in path.name]
    assert len(names) == found.blobs, names
