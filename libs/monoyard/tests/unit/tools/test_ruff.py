"""ruff: whole command lines, and its JSON."""

from collections.abc import Callable

import pytest

from monoyard.results import Finding
from monoyard.tools import ruff

PATHS = ("libs/a", "libs/b")


def test_check() -> None:
    """Checking prints JSON and mends nothing."""
    assert ruff.check("/v/ruff", PATHS) == (
        "/v/ruff", "check", "--output-format=json", "--no-fix", "--force-exclude",
        "--no-cache", "--", "libs/a", "libs/b",
    )  # fmt: skip


def test_format_check() -> None:
    """Comparing layouts prints JSON and writes nothing."""
    assert ruff.format_check("/v/ruff", PATHS) == (
        "/v/ruff", "format", "--check", "--output-format=json", "--force-exclude",
        "--no-cache", "--", "libs/a", "libs/b",
    )  # fmt: skip


def test_fix() -> None:
    """Mending first takes the safe fixes, then lays the files out anew."""
    tail = ("--force-exclude", "--no-cache", "--", "libs/a", "libs/b")
    assert ruff.fix("/v/ruff", PATHS) == (
        ("/v/ruff", "check", "--fix", "--output-format=concise", *tail),
        ("/v/ruff", "format", *tail),
    )


def test_findings_of_check(recorded: Callable[[str], bytes]) -> None:
    """Findings have place, rule, sentence, and whether a safe fix is known."""
    found = ruff.parse(recorded("ruff_check.json"), "/repository")
    assert found is not None
    assert [(item.path, item.line, item.column, item.rule, item.is_fixable) for item in found] == [
        ("libs/a/bad.py", 1, 8, "F401", True),
        ("libs/a/bad.py", 2, 8, "F401", True),
        ("libs/a/bad.py", 9, 7, "F821", False),
        ("libs/a/syntax.py", 1, 12, "invalid-syntax", False),
        ("libs/a/syntax.py", 2, 1, "invalid-syntax", False),
    ]
    assert found[0].message == "`os` imported but unused"


def test_findings_of_format_check(recorded: Callable[[str], bytes]) -> None:
    """A file that would be laid out anew is one finding about the file, which can be mended."""
    found = ruff.parse(recorded("ruff_format.json"), "/repository/")
    assert found is not None
    assert found[0] == Finding(
        "libs/a/bad.py", "the layout differs from `ruff format`", "format", is_fixable=True
    )
    assert [item.rule for item in found] == ["format", "format", "invalid-syntax"]


@pytest.mark.parametrize("output", [b"", b"ruff failed\n", b"{}", b"\xff"])
def test_output_that_is_no_list_is_none(output: bytes) -> None:
    """Whatever is no list of findings is told apart from an empty list."""
    assert ruff.parse(output, "/repository") is None
    assert ruff.parse(b"[]", "/repository") == []
