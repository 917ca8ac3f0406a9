"""Edits that keep size and time of a file: no tool's own cache may answer for what it was."""

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

SOURCE = "libs/{}/src/{}/__init__.py"
LINTED = "import os  # noqa: F401\n\n\ndef answer() -> int:\n    return 42\n"
TEST = "from alpha import answer\n\n\ndef test_it() -> None:\n    assert answer() == 42\n"


@pytest.fixture
def passed(empty: "Checkout") -> "Checkout":
    """A repository in which everything passed: beta needs alpha, gamma nobody."""
    empty.root("[tool.mypy]\nstrict = true\n")
    empty.package("alpha")
    empty.package("beta", "alpha", test=TEST)
    empty.package("gamma", source=LINTED)
    empty.package("delta")
    empty.commit()
    outcomes = empty.outcomes("ci")
    assert set(outcomes.values()) == {"pass"}, outcomes
    return empty


def _edit_in_disguise(checkout: "Checkout", package: str, old: str, new: str) -> None:
    """Replace a part of a source by one of the same length and put its time back."""
    place = checkout.top / SOURCE.format(package, package)
    before = place.stat()
    text = place.read_text("utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert place.stat().st_size == before.st_size


def test_edits_in_disguise(passed: "Checkout") -> None:
    """What an edit breaks fails in lint, type and unit, though size and time are as they were."""
    _edit_in_disguise(passed, "alpha", "return 42", "return 43")
    _edit_in_disguise(passed, "gamma", "noqa", "none")
    _edit_in_disguise(passed, "delta", "-> int", "-> str")
    found = passed.outcomes("ci")
    assert {task for task, outcome in found.items() if outcome == "fail"} == {
        "alpha:unit", "beta:unit", "gamma:lint", "delta:type",
    }  # fmt: skip
    _edit_in_disguise(passed, "alpha", "return 43", "return 42")
    _edit_in_disguise(passed, "gamma", "none", "noqa")
    _edit_in_disguise(passed, "delta", "-> str", "-> int")
    _edit_in_disguise(passed, "beta", "-> int", "-> str")
    found = passed.outcomes("ci", "--force")
    failing = {task for task, outcome in found.items() if outcome == "fail"}
    assert failing == {"beta:type"}
