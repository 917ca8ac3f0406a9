"""Combined coverage and the minimum that a package asks for."""

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

SOURCE = """
def double(number: int) -> int:
    if number < 0:
        return -2 * number
    return 2 * number


def unused() -> None:
    return
"""
UNIT = "from alpha import double\n\n\ndef test_it() -> None:\n    assert double(2) == 4\n"
CONTRACT = "from alpha import double\n\n\ndef test_it() -> None:\n    assert double(-2) == 4\n"
TABLE = """
[tool.monoyard]
coverage-minimum = {minimum}

[tool.monoyard.suites.unit]
coverage = true

[tool.monoyard.suites.contract]
coverage = true
"""


@pytest.fixture
def measured(empty: "Checkout") -> "Checkout":
    """A package whose two suites together reach 5 of 6 statements and both branches."""
    empty.root('[tool.coverage.run]\nrelative_files = true\npatch = ["subprocess"]\n')
    empty.package("alpha", source=SOURCE, table=TABLE.format(minimum=85))
    (empty.top / "libs/alpha/tests/test_it.py").unlink()
    empty.write("libs/alpha/tests/unit/test_unit.py", UNIT)
    empty.write("libs/alpha/tests/contract/test_contract.py", CONTRACT)
    empty.commit()
    return empty


def coverage_of(checkout: "Checkout") -> dict[str, Any]:
    """Return the newest run's figures."""
    newest = max((checkout.top / ".monoyard/runs").glob("*/coverage.json"))
    figures: dict[str, Any] = json.loads(newest.read_text("utf-8"))
    return figures


def test_suites_count_together_and_replays_too(measured: "Checkout") -> None:
    """The figure is of all measured suites of a package, whether they ran or were replayed."""
    first = measured.nox("unit", "--coverage")
    assert first.code == 0, first.text
    assert coverage_of(measured) == {"alpha": 62.5}
    both = measured.nox("ci", "--coverage")
    assert both.code == 0, both.text
    assert "coverage     alpha 87.5 %\n" in both.out
    assert measured.result("alpha:unit")["is_cached"] is True
    again = measured.nox("ci", "--coverage")
    assert "coverage     alpha 87.5 %\n" in again.out
    newest = max((measured.top / ".monoyard/runs").glob("*/coverage.xml"))
    report = ElementTree.parse(newest)  # noqa: S314  our own coverage wrote it
    (line,) = report.iterfind(".//line[@number='8']")
    assert line.get("hits") == "0"


def test_coverage_below_the_minimum_fails(measured: "Checkout") -> None:
    """Where less is reached than the table asks for, CI and `tests` fail and say by how much."""
    manifest = measured.top / "libs/alpha/pyproject.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("= 85", "= 90"), encoding="utf-8")
    said = "error: coverage of alpha is 87.5 %, and its table asks for 90 %"
    for ended in (measured.nox("tests"), measured.nox("ci", env={"CI": "true"})):
        assert ended.code == 1, ended.text
        assert said in ended.out
        assert "coverage of alpha is too low" in ended.err
    part = measured.nox("unit", "--coverage")
    assert part.code == 0, "one suite alone cannot be judged"
    assert measured.nox("ci").code == 0, "nobody asked"


def test_programs_that_tests_start_are_measured(measured: "Checkout") -> None:
    """What a test reaches in a process of its own, started elsewhere, counts as well."""
    test = """
        import os
        import subprocess
        import sys


        def test_it(tmp_path) -> None:
            program = [sys.executable, "-c", "import alpha; alpha.double(-1); alpha.unused()"]
            subprocess.run(program, cwd=tmp_path, env=dict(os.environ), check=True)
    """
    measured.write("libs/alpha/tests/contract/test_contract.py", test)
    ended = measured.nox("ci", "--coverage")
    assert ended.code == 0, ended.text
    assert coverage_of(measured) == {"alpha": 100.0}
