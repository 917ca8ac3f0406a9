"""`nox -s fix` mends files, and says what it did and what is left."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

MESSY = "import os\nimport sys\ndef answer( ) -> int:\n    return len(sys.argv)\n"
LEFT = "def answer() -> int:\n    return unknown\n"
MENDED = "import sys\n\n\ndef answer() -> int:\n    return len(sys.argv)\n"


@pytest.fixture
def messy(empty: "Checkout") -> "Checkout":
    """Two packages with the same file that ruff can mend."""
    for name in ("alpha", "beta"):
        empty.package(name)
        empty.write(f"libs/{name}/src/{name}/code.py", MESSY)
    empty.commit()
    return empty


def source(checkout: "Checkout", name: str) -> str:
    """Return the text of a package's file."""
    return (checkout.top / f"libs/{name}/src/{name}/code.py").read_text("utf-8")


def test_named_packages_are_mended_and_lint_passes(messy: "Checkout") -> None:
    """The verdict's own advice mends the package it names, and leaves the others alone."""
    advice = "mend what can be mended: nox -s fix -- alpha beta"
    assert advice in messy.nox("lint").out
    ended = messy.nox("fix", "alpha")
    assert ended.code == 0, ended.text
    assert "Found 2 errors (2 fixed, 0 remaining)." in ended.out
    assert "1 file reformatted" in ended.out
    assert (source(messy, "alpha"), source(messy, "beta")) == (MENDED, MESSY)
    assert messy.outcomes("lint", "alpha") == {"alpha:lint": "pass"}


def test_what_is_left_fails(messy: "Checkout") -> None:
    """What ruff cannot mend is shown with its place, the rest is mended, and the end is 1."""
    messy.write("libs/alpha/src/alpha/left.py", LEFT)
    ended = messy.nox("fix")
    assert ended.code == 1, ended.text
    assert "libs/alpha/src/alpha/left.py:2:12: F821 Undefined name `unknown`" in ended.out
    assert "something is left that has to be mended by hand" in ended.err
    assert source(messy, "alpha") == source(messy, "beta") == MENDED


def test_packages_own_command_mends(empty: "Checkout") -> None:
    """A package whose table replaces lint says itself how it is mended."""
    table = """
        [tool.monoyard.suites.lint]
        command = ["grep", "-q", "tidy", "state"]
        fix = ["sh", "-c", "echo made it tidy; echo tidy >state"]
    """
    empty.package("alpha", table=table)
    empty.write("libs/alpha/state", "wild\n")
    assert empty.outcomes("lint") == {"alpha:lint": "fail"}
    ended = empty.nox("fix")
    assert (ended.code, ended.out) == (0, "made it tidy\n"), ended.text
    assert empty.outcomes("lint") == {"alpha:lint": "pass"}


def test_words_for_a_tool_are_refused(messy: "Checkout") -> None:
    """`fix` takes packages, explains itself on request, and has no tool to hand words to."""
    ended = messy.nox("fix", "alpha", "--", "--unsafe-fixes")
    assert ended.code == 2, ended.text
    assert "`fix` has no tool of its own to hand words to" in ended.err
    assert messy.nox("fix", "--help").out.startswith("usage: nox -s SESSION")
    assert source(messy, "alpha") == MESSY
