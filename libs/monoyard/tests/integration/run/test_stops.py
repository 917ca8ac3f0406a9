"""Interrupts and kills of a whole run: it ends in time, says what it knows, leaves nothing."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout, Running

# Far more than it takes (some 4 s), and far less than what runs would take by itself.
STOPPING_SECONDS = 90.0
# Ignores the polite signal, and has a child in a session of its own that ignores it too.
STUBBORN = """
    import signal
    import subprocess


    def test_it() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        script = "trap '' TERM INT; touch up; while :; do sleep 1; done"
        subprocess.Popen(["sh", "-c", script], start_new_session=True).wait()
"""
SERVER = """
    [tool.monoyard.suites.integration]
    command = ["sh", "-c", 'printf %s "$MONOYARD_POSTGRES_URL" >url; mv url up; exec sleep 600']
    resources = ["postgres"]
"""

Until = Callable[..., bool]


@pytest.fixture
def stubborn(empty: "Checkout") -> "Checkout":
    """A repository of a package that passes, and one whose test does not want to end."""
    empty.package("alpha")
    empty.package(
        "stubborn", test=STUBBORN, table="[tool.monoyard.suites.unit]\nneeds = ['lint']\n"
    )
    empty.commit()
    return empty


def is_up(checkout: "Checkout", running: "Running", until: Until) -> None:
    """Wait until the test that does not want to end has begun."""
    place = checkout.top / "libs" / "stubborn" / "up"
    assert until(lambda: place.exists() or running.child.poll() is not None)
    assert place.exists(), running.end().text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_run_in_time(
    stubborn: "Checkout", until: Until, number: signal.Signals
) -> None:
    """A signal ends a run in time, with 130, a partial record, no process, and results kept."""
    running = stubborn.start("ci")
    is_up(stubborn, running, until)
    family = running.family()
    assert len(family) >= 4
    running.signal(number)
    ended = running.end(STOPPING_SECONDS)
    assert family.living() == []
    assert ended.code == 130, ended.text
    assert "stopping: the run was interrupted" in ended.err
    assert ended.err.count("error[interrupted]: ") == 1
    record = stubborn.record()
    assert (record["interrupted"], record["verdict"]) == (True, "inconclusive")
    assert stubborn.result("stubborn:unit")["outcome"] == "not-run"
    assert stubborn.result("stubborn:lint")["outcome"] == "pass"
    assert stubborn.outcomes("lint") == {"alpha:lint": "cached", "stubborn:lint": "cached"}


def test_killed_nox_leaves_nothing(stubborn: "Checkout", until: Until) -> None:
    """After SIGKILL of nox every process of the run ends by itself."""
    running = stubborn.start("ci")
    is_up(stubborn, running, until)
    family = running.family()
    running.signal(signal.SIGKILL)
    assert until(lambda: not family.living(), STOPPING_SECONDS), family.living()
    running.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_database_outlives_a_run(
    empty: "Checkout", until: Until, number: signal.Signals
) -> None:
    """PostgreSQL ends with the run that started it, and its files go, even after SIGKILL."""
    empty.package("stubborn", table=SERVER)
    running = empty.start("integration")
    is_up(empty, running, until)
    url = (empty.top / "libs/stubborn/up").read_text("utf-8")
    directory = Path(url.rpartition("=")[2])
    assert (directory / "data" / "postmaster.pid").exists()
    family = running.family()
    running.signal(number)
    running.end()
    assert until(lambda: not family.living(), STOPPING_SECONDS), family.living()
    assert until(lambda: not directory.exists(), STOPPING_SECONDS)


def test_killed_supervisor_is_one_clear_error(stubborn: "Checkout", until: Until) -> None:
    """SIGKILL of the process that supervises the tasks is told in one error, with what helps."""
    running = stubborn.start("unit", "stubborn")
    is_up(stubborn, running, until)
    family = running.family()
    for pid in family.children:
        os.kill(pid, signal.SIGKILL)
    ended = running.end()
    assert ended.code == 20, ended.text
    assert "error[supervisor-killed]: the process that supervises the tasks was killed" in ended.err
    assert "hint: often memory ran out" in ended.err
    assert "Traceback" not in ended.text
    assert until(lambda: not family.living(), STOPPING_SECONDS), family.living()
    assert stubborn.record()["interrupted"] is True


def test_unreachable_server_is_told_for_each_task(empty: "Checkout") -> None:
    """Where somebody else's server does not answer, each task that needs it says so and ends."""
    empty.root()
    text = (empty.top / "pyproject.toml").read_text("utf-8")
    empty.write("pyproject.toml", text + 'postgres-version = "18"\n')
    for name in ("alpha", "beta", "gamma"):
        empty.package(name, table=SERVER)
    url = "postgresql://postgres@127.0.0.1:1/postgres"
    ended = empty.nox("integration", "--json", env={"MONOYARD_POSTGRES_URL": url})
    assert ended.code == 1, ended.text
    for result in json.loads(ended.out)["results"]:
        assert result["outcome"] == "error"
        assert result["reason"].startswith("MONOYARD_POSTGRES_URL cannot be reached: ")
