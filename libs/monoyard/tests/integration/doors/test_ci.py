"""What a run leaves for a CI system, and what it makes of the event behind it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout, Ended

FAILING = "def test_sum() -> None:\n    assert 1 + 1 == 3\n\n\ndef test_fine() -> None:\n    pass\n"


@pytest.fixture(scope="module")
def github(
    new_checkout: Callable[[], "Checkout"], tmp_path_factory: pytest.TempPathFactory
) -> "tuple[Checkout, Ended, Path]":
    """A first push whose run finds a wrong import and a failing test; with the summary's file."""
    checkout = new_checkout()
    checkout.package("alpha")
    checkout.package("messy", source="import os\n\n\ndef answer() -> int:\n    return 42\n")
    checkout.package("wrong", test=FAILING)
    checkout.commit()
    event = tmp_path_factory.mktemp("github") / "event.json"
    event.write_text(json.dumps({"before": "0" * 40}), encoding="utf-8")
    summary = event.with_name("summary.md")
    variables = {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_REF": "refs/heads/main",
        "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    return checkout, checkout.nox("ci", env=variables), summary


def test_failures_are_annotated(github: "tuple[Checkout, Ended, Path]") -> None:
    """Each finding and failed test is one annotation at its file and line."""
    ended = github[1]
    assert ended.code == 1, ended.text
    annotations = [line for line in ended.out.splitlines() if line.startswith("::")]
    assert annotations == [
        "::error file=libs/messy/src/messy/__init__.py,line=1,title=messy%3Alint::"
        "`os` imported but unused [F401]",
        "::error file=libs/wrong/tests/test_it.py,line=2,title=wrong%3Aunit::"
        "tests/test_it.py::test_sum: assert (1 + 1) == 3",
    ]


def test_summary_tells_verdict_and_rerun(github: "tuple[Checkout, Ended, Path]") -> None:
    """The page of the run has the verdict, and each failure with the command to rerun it."""
    text = github[2].read_text("utf-8")
    assert text.startswith("### FAIL: 6 tasks, 2 failed, 0 from cache, tests: 1 failed, 3 passed")
    assert "| wrong:unit | fail: 1 failed, 1 passed |" in text
    assert "`nox -s lint -- messy`" in text
    assert "alpha" not in text


def test_junit_has_a_suite_for_each_task(github: "tuple[Checkout, Ended, Path]") -> None:
    """The JUnit file beside the record has every task, and the messages of those that failed."""
    (file,) = (github[0].top / ".monoyard" / "runs").glob("*/junit.xml")
    suites = ElementTree.parse(file).getroot().findall("testsuite")  # noqa: S314  our own file
    failed = {suite.get("name"): suite.get("failures") for suite in suites}
    assert failed == {
        "alpha:lint": "0", "alpha:unit": "0", "messy:lint": "1", "messy:unit": "0",
        "wrong:lint": "0", "wrong:unit": "1",
    }  # fmt: skip
    assert "os` imported but unused" in file.read_text("utf-8")


def test_first_push_selects_everything(github: "tuple[Checkout, Ended, Path]") -> None:
    """A push, of which the event names no commit to compare with, runs every task."""
    plan = github[0].record()["plan"]
    assert plan["narrowed"] is False
    assert {task["state"] for task in plan["tasks"]} == {"run"}


@pytest.mark.parametrize(
    ("event", "afterwards"), [("pull_request", "pass"), ("merge_group", "cached")]
)
def test_change_for_a_branch_runs_what_it_affects(
    empty: "Checkout", tmp_path: Path, event: str, afterwards: str
) -> None:
    """A pull request or a merge queue runs what the change can break, and no more.

    Runs of others trust the results of the queue, and never those of a pull request.
    """
    empty.package("alpha")
    empty.package("beta", "alpha")
    empty.commit()
    base = empty.git("rev-parse", "HEAD").strip()
    empty.git("checkout", "--quiet", "-b", "work")
    empty.write("libs/beta/tests/test_more.py", "def test_more() -> None:\n    pass\n")
    empty.commit()
    payload = tmp_path / "event.json"
    group = {"merge_group": {"base_ref": "refs/heads/main", "base_sha": base}}
    payload.write_text(json.dumps(group), encoding="utf-8")
    variables = {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(payload), "GITHUB_BASE_REF": "main",
    }  # fmt: skip
    tasks = ("beta:lint", "beta:unit")
    assert empty.outcomes("ci", env=variables) == dict.fromkeys(tasks, "pass")
    assert empty.outcomes("ci", "beta") == dict.fromkeys(tasks, afterwards)
