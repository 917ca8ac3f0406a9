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
    assert ruff.format_check("/v/ruff", PATHS, as_json=False) == (
        "/v/ruff", "format", "--check", "--force-exclude", "--no-cache", "--", "libs/a", "libs/b",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "as_json"),
    [("0.15.20", False), ("0.4.0", False), ("0.16.0", True), ("1.0", True), ("", True)],
)
def test_ruff_that_has_no_json_for_layouts(version: str, *, as_json: bool) -> None:
    """Before 0.16 layouts are told as text; what is no version is taken for a new one."""
    assert ruff.tells_layouts_as_json(version) is as_json


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


def test_layouts_told_as_text() -> None:
    """Each file that would be laid out anew is one finding; one that is no Python is `check`'s."""
    output = b"Would reformat: libs/a b.py\nWould reformat: c.py\n2 files would be reformatted\n"
    errors = b"error: Failed to parse b.py:2:1: unexpected EOF while parsing\n"
    found = ruff.parse_layouts(output, errors, 2)
    assert found is not None
    assert [(item.path, item.rule) for item in found] == [
        ("libs/a b.py", "format"), ("c.py", "format"),
    ]  # fmt: skip
    assert ruff.parse_layouts(b"1 file already formatted\n", b"warning: old\n", 0) == []


@pytest.mark.parametrize(
    "errors",
    [
        b"error: unexpected argument '--no-cache' found\n",
        b"error: Failed to parse a.py:1:1: x\nerror: Failed to read b.py: Permission denied\n",
        b"",
    ],
)
def test_ruff_that_could_not_look_at_a_file_has_told_nothing(errors: bytes) -> None:
    """An error of any other kind is no answer, and no answer is no pass."""
    assert ruff.parse_layouts(b"", errors, 2) is None
