"""What the end of a process that several packages shared means for each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monoyard.plan import Inputs, Task
from monoyard.process import Exit
from monoyard.suites import Finished, Step
from monoyard.suites.shared_process import divide

TASKS = [Task(f"{name}:unit", name, "unit", Inputs()) for name in ("a", "b")]
PLACES = {f"{name}:unit": f"libs/{name}" for name in ("a", "b")}


def shared(place: Path, inner: str, ended: Exit) -> dict[str, str]:
    """Return task to outcome; `again` is that of one that runs once more by itself."""
    cases = "".join(
        f'<testcase classname="libs.{name}.test_it" name="test_it" file="libs/{name}/test_it.py" '
        f'line="1" time="0.1">{inner if name == "b" else ""}</testcase>'
        for name in ("a", "b")
    )
    report = place / "junit.xml"
    report.write_text(f'<testsuites><testsuite name="pytest">{cases}</testsuite></testsuites>')
    meaning = divide(TASKS, PLACES, report, Finished(Step(place, {}), ended, b"", b""))
    results = {name: result.outcome.value for name, result in meaning.results.items()}
    assert all(len(group) == 1 for group in meaning.again)
    return {**{task.id: "again" for group in meaning.again for task in group}, **results}


FAILURE = '<failure message="no">no</failure>'
ERROR = '<error message="no">no</error>'


@pytest.mark.parametrize(
    ("inner", "ended", "expected"),
    [
        ("", Exit(1, 0), ("pass", "pass")),
        (FAILURE, Exit(1, 1), ("pass", "fail")),
        (ERROR, Exit(1, 1), ("pass", "fail")),
        ("", Exit(1, 1), ("again", "again")),
        ("<skipped/>", Exit(1, 1), ("again", "again")),
        ("", Exit(1, 3), ("again", "again")),
        ("", Exit(1, 0, timed_out=True), ("again", "again")),
        ("", Exit(1, 0, lost=True), ("again", "again")),
    ],
)
def test_a_shared_process_passes_nobody_that_it_does_not_answer_for(
    tmp_path: Path, inner: str, ended: Exit, expected: tuple[str, str]
) -> None:
    """Status 1 without a test that failed is somebody's fault: each package runs by itself."""
    assert shared(tmp_path, inner, ended) == dict(zip(PLACES, expected, strict=True))
