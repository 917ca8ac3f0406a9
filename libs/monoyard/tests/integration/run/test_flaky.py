"""Flaky tasks: tried again where that is asked for, told always, never replayed as clean."""

import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

NAME = "libs/beta/tests/test_it.py::test_it"
TEST = """\
from pathlib import Path


def test_it() -> None:
    tries = Path({place!r})
    before = tries.read_text() if tries.exists() else ""
    tries.write_text(before + ".")
    assert len(before) >= {failures}, "not yet"


def test_other() -> None:
    assert True
"""


@pytest.fixture
def tries(checkout: "Checkout") -> Path:
    """Where the test of beta, which fails once and then passes, counts its calls."""
    place = checkout.top.parent / "tries"
    checkout.write("libs/beta/tests/test_it.py", TEST.format(place=str(place), failures=1))
    return place


def test_pass_after_a_retry_is_told_everywhere(checkout: "Checkout", tries: Path) -> None:
    """The verdict, JSON, JUnit and GitHub's annotations and summary call it flaky; it passes."""
    summary = checkout.top.parent / "summary.md"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    ended = checkout.nox("unit", "--retries", "1", env=env)
    assert ended.code == 0, ended.text
    assert tries.read_text("utf-8") == ".."
    said = (
        "flaky: beta:unit passed in a later attempt: under one key it failed once and passed once"
    )
    assert f"{said}: tests/test_it.py::test_it" in ended.out
    assert "PASS: 2 tasks, 1 flaky, 0 from cache, tests: 3 passed" in ended.out
    assert "AGAIN beta:unit, 1 attempt left" in ended.err
    assert "::warning file=libs/beta/tests/test_it.py,line=" in ended.out
    assert "title=beta%3Aunit is flaky::tests/test_it.py::test_it: " in ended.out
    assert "flaky: beta:unit" in summary.read_text("utf-8")
    assert [item["task"] for item in checkout.record()["flaky"]] == ["beta:unit"]
    assert checkout.result("beta:unit")["outcome"] == "pass"
    assert checkout.result("beta:unit")["earlier"][0]["cases"][0]["outcome"] == "fail"
    (junit,) = (checkout.top / ".monoyard" / "runs").glob("*/junit.xml")
    suites = {suite.get("name"): suite for suite in ElementTree.parse(junit).getroot()}  # noqa: S314
    assert suites["beta:unit"].get("failures") == "0"
    (case,) = suites["beta:unit"].findall("testcase/[flakyFailure]")
    assert case.get("name") == "tests/test_it.py::test_it"


def test_pass_after_a_retry_is_not_stored(checkout: "Checkout", tries: Path) -> None:
    """The next run runs it again, and what passes then by itself is replayed, but not as clean."""
    assert checkout.outcomes("unit", "--retries", "2")["beta:unit"] == "pass"
    assert checkout.outcomes("unit") == {"alpha:unit": "cached", "beta:unit": "pass"}
    assert tries.read_text("utf-8") == "..."
    ended = checkout.nox("unit")
    assert "PASS: 2 tasks, 1 flaky, 2 from cache" in ended.out
    said = "flaky: beta:unit ends otherwise now and then: under one key it failed once"
    assert f"{said} and passed 2 times" in ended.out


def test_attempts_come_to_an_end(checkout: "Checkout", tries: Path) -> None:
    """A test that still fails in the last attempt fails the run, and is not called flaky."""
    checkout.write("libs/beta/tests/test_it.py", TEST.format(place=str(tries), failures=9))
    ended = checkout.nox("unit", "--retries=2")
    assert ended.code == 1, ended.text
    assert tries.read_text("utf-8") == "..."
    assert "flaky" not in ended.out


def test_task_of_a_shared_process_is_tried_again_alone(checkout: "Checkout", tries: Path) -> None:
    """Of tasks that share a process, the one that failed runs again, and the other one does not."""
    checkout.root('[tool.monoyard.suites.unit]\nisolation = "shared"\n')
    assert checkout.outcomes("unit", "--retries", "1") == dict.fromkeys(
        ("alpha:unit", "beta:unit"), "pass"
    )
    assert tries.read_text("utf-8") == ".."
    ran = [(item["task"], item["outcome"]) for item in checkout.record()["timeline"]]
    assert sorted(ran[:2]) == [("alpha:unit", "pass"), ("beta:unit", "fail")]
    assert ran[2:] == [("beta:unit", "pass")]


def test_findings_are_not_tried_again(checkout: "Checkout") -> None:
    """What a linter found it would find again: it runs once, whatever was asked for."""
    checkout.write("libs/beta/src/beta/__init__.py", "import os\n")
    ended = checkout.nox("lint", "--retries", "3")
    assert ended.code == 1, ended.text
    assert checkout.result("beta:lint")["earlier"] == []
    assert "AGAIN" not in ended.err


def test_history_of_flaky_tasks_is_listed(checkout: "Checkout", tries: Path) -> None:
    """`invoke flaky` lists what had both outcomes under one key, its tests, and each execution."""
    nothing = checkout.invoke("flaky")
    assert (nothing.code, nothing.out) == (0, "0 tasks passed and failed under one key\n")
    assert checkout.nox("unit").code == 1
    assert checkout.nox("unit").code == 0
    assert tries.read_text("utf-8") == ".."
    ended = checkout.invoke("flaky")
    assert ended.code == 0, ended.text
    first, test, failed, passed, last = ended.out.splitlines()
    assert first.startswith("beta:unit  failed 1 of 2  key ")
    assert test == "  tests/test_it.py::test_it"
    assert (failed.split()[2], passed.split()[2]) == ("failed", "passed")
    assert last == "1 task passed and failed under one key"
    data = json.loads(checkout.invoke("flaky", "--json").out)
    assert [item["passed"] for item in data["flaky"][0]["history"]] == [False, True]
