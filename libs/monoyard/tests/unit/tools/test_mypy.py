"""mypy: whole command lines, its JSON lines, and what stops it."""

from collections.abc import Callable

from monoyard.results import Finding, Severity
from monoyard.tools import mypy


def test_check() -> None:
    """Checking with settings and several processes prints JSON lines."""
    argv = mypy.check(
        "/v/mypy", python="/v/bin/python", cache="/s/mypy", config="pyproject.toml", workers=2,
        paths=["libs/a", "libs/b"],
    )  # fmt: skip
    assert argv == (
        "/v/mypy", "--config-file=pyproject.toml", "--python-executable=/v/bin/python",
        "--no-install-types", "--interactive", "--cache-dir=/s/mypy",
        "--explicit-package-bases", "--namespace-packages",
        "--output=json", "--no-error-summary", "--show-error-end", "--num-workers=2", "--",
        "libs/a", "libs/b",
    )  # fmt: skip


def test_check_without_settings() -> None:
    """Without settings no file of a directory above is read, and one process is the default."""
    argv = mypy.check("mypy", python="p", cache="c", config=None, workers=1, paths=["a"])
    assert argv == (
        "mypy", "--config-file=", "--python-executable=p",
        "--no-install-types", "--interactive", "--cache-dir=c",
        "--explicit-package-bases", "--namespace-packages", "--output=json",
        "--no-error-summary", "--show-error-end", "--", "a",
    )  # fmt: skip


def test_check_with_copies() -> None:
    """A copy is shown to mypy in the place of its file."""
    argv = mypy.check(
        "mypy", python="p", cache="c", config=None, workers=1, paths=["a"],
        copies={"/a/x.py": "/s/x.py"},
    )  # fmt: skip
    assert argv[-5:] == ("--shadow-file", "/a/x.py", "/s/x.py", "--", "a")


def test_findings(recorded: Callable[[str], bytes]) -> None:
    """Findings have path from the top, line and column from 1, code and sentence."""
    found, other = mypy.parse(recorded("mypy.jsonl"), "nested/")
    assert found == [
        Finding(
            "nested/libs/a/bad.py", 'Incompatible return value type (got "str", expected "int")',
            "return-value", 6, 10,
        ),
        Finding("nested/libs/a/bad.py", 'Name "undefined" is not defined', "name-defined", 9, 7),
    ]  # fmt: skip
    assert other == []


def test_fatal_findings(recorded: Callable[[str], bytes]) -> None:
    """A syntax error, which stops mypy, is told in JSON like any other finding."""
    found, other = mypy.parse(recorded("mypy_fatal.txt"))
    assert [(item.path, item.line, item.rule) for item in found] == [
        ("libs/a/syntax.py", 1, "syntax"), ("libs/a/syntax.py", 2, "syntax"),
    ]  # fmt: skip
    assert other == []


def test_lines_that_are_no_json_are_kept() -> None:
    """Words between the findings, such as a traceback, come back as they are."""
    row = b'{"file": "a.py", "line": -1, "column": -1, "message": "m", "hint": "h", "code": null}'
    found, other = mypy.parse(b"note: one\n\n" + row + b"\n17\nTraceback\n")
    assert found == [Finding("a.py", "m (h)", severity=Severity.WARNING)]
    assert other == ["note: one", "17", "Traceback"]


def test_blockers_in_words() -> None:
    """What mypy says in words when it gives up names the file."""
    lines = [
        "libs/a/x.py: error: Source file found twice under different module names",
        "libs/b/y.py:3: error: Invalid syntax",
        "Found 1 error in 1 file (errors prevented further checking)",
        "mypy: can't read file 'z'",
    ]
    message = "Source file found twice under different module names"
    assert mypy.parse_blockers(lines) == [
        Finding("libs/a/x.py", message, "fatal"),
        Finding("libs/b/y.py", "Invalid syntax", "fatal", 3),
    ]
