"""pytest: whole command lines, the JUnit report, the test that was running."""

from collections.abc import Callable

import pytest

from monoyard import results
from monoyard.tools import pytest as tool

SETTLED = ("-o", "junit_family=xunit1", "-o", "junit_logging=no", "-o", "verbosity_test_cases=1")

ONE = "tests/test_a.py::TestInner::test_one[a b]"
TWO = "tests/test_b.py::test_two"


def test_arguments() -> None:
    """One package is tested with its own root, settings, report, plugins and paths."""
    made = tool.arguments(
        rootdir="/r/libs/a", config="/r/pyproject.toml", outermost="/r/libs",
        junit="/s/junit.xml", paths=["tests/unit"],
        plugins=["xdist"], ignore=["tests/e2e"], cache="/s/cache", extra=["-n", "2"],
    )  # fmt: skip
    assert made == (
        "--rootdir=/r/libs/a", "--confcutdir=/r/libs", "-c", "/r/pyproject.toml",
        "--junit-xml=/s/junit.xml", *SETTLED,
        "-o", "cache_dir=/s/cache", "-p", "xdist", "--ignore=tests/e2e", "-n", "2", "tests/unit",
    )  # fmt: skip


def test_arguments_without_settings() -> None:
    """Without settings none of a directory above is read, and no cache is written."""
    made = tool.arguments(rootdir="/r", config=None, outermost="/r", junit="/s/j", paths=["tests"])
    assert made == (
        "--rootdir=/r", "--confcutdir=/r", "-c", "/dev/null", "--junit-xml=/s/j", *SETTLED,
        "-p", "no:cacheprovider", "tests",
    )  # fmt: skip


def test_coverage_arguments() -> None:
    """Branches of the named directories are measured, and nothing is printed."""
    assert tool.coverage_arguments(sources=["src", "lib"], config=None) == (
        "--cov=src", "--cov=lib", "--cov-branch", "--cov-report=", "--cov-config=/dev/null",
    )  # fmt: skip
    assert tool.coverage_arguments(sources=[], config="/r/x")[-1] == "--cov-config=/r/x"


def test_report(recorded: Callable[[str], bytes]) -> None:
    """The report counts what pytest counts, and tells each test that did not pass."""
    parsed = tool.parse_junit(recorded("pytest.xml"), "libs/a/")
    assert parsed is not None
    counts, cases = parsed
    assert counts == results.TestCounts(passed=2, failed=3, errors=2, skipped=2)
    assert [(case.name, case.outcome.value, case.line) for case in cases] == [
        ("tests/test_it.py::test_values[1]", "fail", 5),
        ("tests/test_it.py::test_values[a b]", "fail", 5),
        ("tests/test_it.py::TestInner::test_skipped", "skip", 18),
        ("tests/test_it.py::TestInner::test_expected", "skip", 21),
        ("tests/test_it.py::test_error", "error", 27),
        ("tests/test_it.py::test_teardown", "fail", 36),
        ("tests/test_it.py::test_teardown", "error", 35),
    ]
    assert [case.message for case in cases] == [
        "assert 1 == 3", "AssertionError: assert 'a b' == 3", "not today", "known",
        'failed on setup with "RuntimeError: no', "assert (1 + 1) == 3",
        'failed on teardown with "ZeroDivisionError: division by zero"',
    ]  # fmt: skip
    assert {case.path for case in cases} == {"libs/a/tests/test_it.py"}
    assert cases[0].details.startswith("value = 1\n")
    assert cases[2].details == ""


def test_file_that_cannot_be_collected_is_named_by_its_path() -> None:
    """A failed import has the name under which pytest takes the file, not that of the module."""
    report = (
        b'<testsuites><testcase classname="" name="tests.test_it" file="tests/test_it.py">'
        b'<error message="collection failure">no module</error></testcase></testsuites>'
    )
    parsed = tool.parse_junit(report, "libs/a/")
    assert parsed is not None
    assert [(case.name, case.path) for case in parsed[1]] == [
        ("tests/test_it.py", "libs/a/tests/test_it.py")
    ]


@pytest.mark.parametrize("report", [b"", b"<testsuites><testsuite", b"no xml"])
def test_report_that_is_not_whole_is_none(report: bytes) -> None:
    """A report that a crash cut off is told apart from an empty one."""
    assert tool.parse_junit(report, "") is None
    assert tool.parse_junit(b"<testsuites/>", "") == (results.TestCounts(), ())


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (f"{ONE} PASSED  [ 50%]\n{TWO} ", (TWO,)),
        (f"{TWO} PASSED\n{ONE} talk.py\nword\n", (ONE,)),
        ("test_a.py ..F", ("test_a.py",)),
        ("Traceback:\n  File x.py, line 3\nsome x.py", ()),
        ("", ()),
    ],
)
def test_running_test_is_the_one_begun_last(output: str, names: tuple[str, ...]) -> None:
    """The test that pytest began last is found in what it printed, parameters included."""
    assert tool.running_tests(output) == names


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (f"{ONE} \n{TWO} \n[gw1] [ 50%] PASSED {TWO} \nx.py::test_last ", (ONE, "x.py::test_last")),
        (f"{ONE} \n[gw0] FAILED {ONE} \n{TWO} \n", (TWO,)),
        (f"{ONE} \n{TWO} \n", (ONE, TWO)),
        (f"{ONE} \n[gw0] node down: Not properly terminated\n[gw0] [ 9%] FAILED {ONE} \n", ()),
    ],
)
def test_running_tests_of_workers_are_those_begun_and_not_ended(
    output: str, names: tuple[str, ...]
) -> None:
    """Of tests that were dealt out to workers, all that none of them has ended are found."""
    assert tool.running_tests(f"2 workers [10 items]\n\n{output}") == names


def test_distribution_arguments() -> None:
    """Several workers steal work from each other; with one, tests stay in the one process."""
    assert tool.distribution_arguments(3) == ("-n", "3", "--dist=worksteal")
    assert tool.distribution_arguments(1) == ("-n", "0", "--dist=worksteal")
