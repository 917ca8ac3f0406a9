"""What machines read: JUnit, GitHub's annotations and summary, the JSON record."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from monoyard import results
from monoyard.report.github import annotation_lines, write_summary
from monoyard.report.junit import write_junit
from monoyard.results import Finding, Outcome, TaskResult
from monoyard.run import FlakyTask, RunSummary

Summarize = Callable[..., RunSummary]

CASE = results.TestCase("t.py::test_x", Outcome.FAIL, "no\x00way: 50%", "a/t.py", 7, "at\x1b[0m 7")
FAILED = TaskResult("alpha:unit", Outcome.FAIL, tests=results.TestCounts(failed=1), cases=(CASE,))
LINTED = TaskResult(
    "beta:lint", Outcome.FAIL, findings=(Finding("b,c:d.py", "line one\nline two", "F401"),)
)
CRASHED = TaskResult("gamma:unit", Outcome.ERROR, "crashed | badly", log="log")
PASSED = TaskResult("omega:unit", Outcome.PASS)
SKIPPED = TaskResult("delta:unit", Outcome.SKIP, "no Python")


def test_junit_has_a_suite_for_each_task(summarize: Summarize, tmp_path: Path) -> None:
    """Every task is a suite; failed tests, findings and crashes are failures, a skip is a skip."""
    target = tmp_path / "junit.xml"
    write_junit(summarize(FAILED, LINTED, CRASHED, PASSED, SKIPPED), target)
    suites = {suite.get("name"): suite for suite in ElementTree.parse(target).getroot()}  # noqa: S314
    counted = {name: (suite.get("tests"), suite.get("failures")) for name, suite in suites.items()}
    assert counted == {
        "alpha:unit": ("1", "1"), "beta:lint": ("1", "1"), "gamma:unit": ("1", "1"),
        "omega:unit": ("1", "0"), "delta:unit": ("1", "0"),
    }  # fmt: skip
    failure = suites["alpha:unit"].find("testcase/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("noway: 50%", "at[0m 7")
    assert suites["delta:unit"].find("testcase/skipped") is not None
    assert suites["omega:unit"].find("testcase/*") is None
    crash = suites["gamma:unit"].find("testcase/failure")
    assert crash is not None
    assert (crash.get("message"), crash.text) == ("crashed | badly", "log")


def test_annotations_stand_beside_the_code(summarize: Summarize) -> None:
    """Each finding and failed test is one workflow command, escaped as GitHub wants it."""
    assert list(annotation_lines(summarize(FAILED, LINTED, CRASHED, PASSED))) == [
        "::error file=a/t.py,line=7,title=alpha%3Aunit::t.py::test_x: no\x00way: 50%25",
        "::error file=b%2Cc%3Ad.py,line=1,title=beta%3Alint::line one%0Aline two [F401]",
        "::error title=gamma%3Aunit::crashed | badly",
    ]


def test_flaky_tests_are_told_and_not_counted_as_failures(
    summarize: Summarize, tmp_path: Path
) -> None:
    """JUnit has them as Surefire writes them, GitHub as warnings after the errors, and a row."""
    passed = TaskResult(
        "alpha:unit", Outcome.PASS, tests=results.TestCounts(passed=1), earlier=(FAILED,)
    )
    crashed = TaskResult("gamma:unit", Outcome.PASS, earlier=(CRASHED,))
    flaky = (
        FlakyTask("alpha:unit", 1, 1, (CASE,), is_retried=True),
        FlakyTask("gamma:unit", 1, 2),
    )
    summary = replace(summarize(passed, crashed, LINTED), flaky=flaky)
    target = tmp_path / "junit.xml"
    write_junit(summary, target)
    suites = {suite.get("name"): suite for suite in ElementTree.parse(target).getroot()}  # noqa: S314
    for name, test, text in (
        ("alpha:unit", "t.py::test_x", "at[0m 7"), ("gamma:unit", "gamma:unit", "log"),
    ):  # fmt: skip
        assert (suites[name].get("tests"), suites[name].get("failures")) == ("1", "0")
        (case,) = suites[name]
        (told,) = case
        assert (case.get("name"), told.tag, told.text) == (test, "flakyFailure", text)
    said = "gamma:unit ends otherwise now and then: under one key it failed 2 times and passed once"
    assert list(annotation_lines(summary))[1:] == [
        "::warning file=a/t.py,line=7,title=alpha%3Aunit is flaky::t.py::test_x: no\x00way: 50%25",
        f"::warning title=gamma%3Aunit is flaky::flaky: {said}",
    ]
    table = tmp_path / "summary.md"
    write_summary(summary, {"GITHUB_STEP_SUMMARY": str(table)})
    assert f"| gamma:unit | flaky: {said} | 0.0 s |" in table.read_text("utf-8")
    assert [item["is_retried"] for item in summary.to_data()["flaky"]] == [True, False]


def test_annotations_are_as_many_as_are_shown(summarize: Summarize) -> None:
    """More annotations than GitHub shows are not printed."""
    findings = tuple(Finding(f"{number}.py", "bad") for number in range(60))
    summary = summarize(TaskResult("alpha:lint", Outcome.FAIL, findings=findings))
    assert len(list(annotation_lines(summary))) == 50


def test_summary_is_a_table_of_what_did_not_pass(summarize: Summarize, tmp_path: Path) -> None:
    """The job summary has the verdict and a row for each task that did not pass."""
    target = tmp_path / "summary.md"
    target.write_text("before\n", encoding="utf-8")
    write_summary(summarize(FAILED, CRASHED, PASSED), {"GITHUB_STEP_SUMMARY": str(target)})
    assert target.read_text("utf-8").splitlines() == [
        "before",
        "### ERROR: 3 tasks, 1 failed, 1 error, 0 from cache, tests: 1 failed in 12 s",
        "",
        "| task | result | time | rerun |",
        "| --- | --- | --- | --- |",
        "| alpha:unit | fail: 1 failed | 0.0 s | `nox -s unit -- alpha` |",
        "| gamma:unit | error: crashed \\| badly | 0.0 s | `nox -s unit -- gamma` |",
    ]
    write_summary(summarize(PASSED), {})


def test_results_survive_the_way_through_json() -> None:
    """A result is the same after it was written as data and read again."""
    for result in (FAILED, LINTED, CRASHED, PASSED, SKIPPED):
        assert TaskResult.from_data(result.to_data()) == result


def test_record_has_reasons_and_plan(summarize: Summarize) -> None:
    """The record names its schema, the verdict, and why each task ran."""
    data = summarize(FAILED, reasons={"alpha:unit": ("new: a.py",)}).to_data()
    assert (data["version"], data["verdict"], data["run"]) == (1, "fail", "a-run")
    assert data["results"][0]["why"] == ["new: a.py"]
    assert data["plan"]["tasks"][0]["id"] == "alpha:unit"
