"""`--audit`: what tasks read that their keys do not cover is told, with the line that mends it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

TABLE = "[tool.monoyard.suites.unit] of libs/beta/pyproject.toml"
READER = """\
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[3]


def test_it(tmp_path: Path) -> None:
    (TOP / "docs" / "page.md").read_text()
    child = "import pathlib, sys; pathlib.Path(sys.argv[1], 'docs', 'other.md').read_bytes()"
    subprocess.run([sys.executable, "-c", child, str(TOP)], check=True)
    (TOP / "libs" / "alpha" / "README.md").exists()
    list((TOP / "docs").iterdir())
    (TOP / "libs" / "beta" / "secret.ini").read_text()
    (TOP / "pyproject.toml").read_text()
    assert os.environ.get("LOGNAME") != ""
    # What nobody has to be told of: its own, what it makes, and what is none of the repository's.
    assert Path(__file__).parent.joinpath("test_it.py").exists()
    (tmp_path / "made").write_text("")
    (TOP / "libs" / "beta" / "made.ini").write_text("1")
    (TOP / "libs" / "beta" / "made.ini").read_text()
    Path("/etc/passwd").exists()
"""
FOUND = {
    "unkeyed-file": {
        ("docs/page.md", 10): '"/docs/page.md" to `inputs`',
        ("docs/other.md", 0): '"/docs/other.md" to `inputs`',
        ("libs/beta/secret.ini", 15): '"secret.ini" to `inputs`',
        ("pyproject.toml", 16): '"/pyproject.toml" to `inputs`',
    },
    "unkeyed-absence": {("libs/alpha/README.md", 13): '"/libs/alpha/README.md" to `inputs`'},
    "unkeyed-listing": {("docs", 14): '"/docs/*" to `inputs`'},
    "unkeyed-variable": {("LOGNAME", 17): '"LOGNAME" to `env`'},
}


@pytest.fixture
def reading(checkout: "Checkout") -> "Checkout":
    """A repository in which the test of beta reads much that is none of its business."""
    checkout.write("libs/beta/tests/test_it.py", READER)
    checkout.write("docs/page.md", "a\n")
    checkout.write("docs/other.md", "b\n")
    checkout.write(".gitignore", "__pycache__/\n*.ini\n")
    checkout.write("libs/beta/secret.ini", "c\n")
    checkout.commit()
    return checkout


def test_each_read_outside_of_a_key_is_told(reading: "Checkout") -> None:
    """With task, reader and the line to add; `--audit` alone fails nothing."""
    ended = reading.nox("unit", "--audit")
    assert ended.code == 0, ended.text
    result = reading.result("beta:unit")
    assert result["outcome"] == "pass"
    wanted = {
        (rule, what, line, words)
        for rule, items in FOUND.items()
        for (what, line), words in items.items()
    }
    told = {
        (
            item["rule"],
            item["message"].split("`")[1],
            item["line"],
            item["message"].split("add ")[1],
        )
        for item in result["findings"]
    }
    assert told == {(rule, what, line, f"{words} in {TABLE}") for rule, what, line, words in wanted}
    assert {item["path"] for item in result["findings"]} == {"", "libs/beta/tests/test_it.py"}
    assert not reading.result("alpha:unit")["findings"]
    assert "libs/beta/tests/test_it.py:10: warning: reads `docs/page.md`" in ended.out
    assert "audit: 7 things were read outside of keys, by 1 of 2 tasks: beta:unit" in ended.out


def test_what_is_told_can_be_mended(reading: "Checkout") -> None:
    """`--audit=fail` fails until the lines are in the table, and the keys cover them from then."""
    assert reading.nox("unit", "--audit=fail", "beta").code == 1
    inputs = [
        "/docs/*", "/docs/page.md", "/docs/other.md", "secret.ini", "/pyproject.toml",
        "/libs/alpha/README.md",
    ]  # fmt: skip
    manifest = (reading.top / "libs/beta/pyproject.toml").read_text("utf-8")
    table = f'[tool.monoyard.suites.unit]\ninputs = {inputs!r}\nenv = ["LOGNAME"]\n'
    reading.write("libs/beta/pyproject.toml", f"{manifest}\n{table}")
    ended = reading.nox("unit", "--audit=fail", "beta")
    assert ended.code == 0, ended.text
    assert "audit: nothing was read outside of keys, by 1 task" in ended.out
    reading.outcomes("unit")
    reading.write("docs/other.md", "changed\n")
    assert reading.outcomes("unit") == {"alpha:unit": "cached", "beta:unit": "pass"}


def test_an_audit_neither_takes_nor_leaves_results(checkout: "Checkout") -> None:
    """What is known runs all the same, and what passed under a recorder is not replayed."""
    checkout.package("gamma")
    assert checkout.outcomes("unit", "alpha") == {"alpha:unit": "pass"}
    assert set(checkout.outcomes("unit", "--audit").values()) == {"pass"}
    assert checkout.outcomes("unit") == {
        "alpha:unit": "cached", "beta:unit": "pass", "gamma:unit": "pass",
    }  # fmt: skip


def test_mypy_is_watched_and_ruff_is_not(checkout: "Checkout") -> None:
    """A stub that mypy finds by its settings is told; a program of another language is named."""
    checkout.root(
        """
        files = { "stubs/**" = [] }

        [tool.mypy]
        mypy_path = "stubs"
        """
    )
    checkout.write("stubs/elsewhere.pyi", "VALUE: int\n")
    checkout.write(
        "libs/beta/src/beta/__init__.py",
        "import elsewhere\n\n\ndef answer() -> int:\n    return elsewhere.VALUE\n",
    )
    checkout.commit()
    ended = checkout.nox("ci", "--audit", "--suite", "type", "--suite", "lint", "alpha", "beta")
    assert ended.code == 0, ended.text
    said = {
        task: [item["message"].partition(", ")[0] for item in checkout.result(task)["findings"]]
        for task in ("alpha:type", "beta:type")
    }
    assert said == {
        "alpha:type": ["lists `stubs`"],
        "beta:type": ["reads `stubs/elsewhere.pyi`", "lists `stubs`"],
    }
    assert "not watched: ruff (2 tasks)" in ended.out
