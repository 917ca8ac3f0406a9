"""ruff: lint and format. Tested with 0.17, and with 0.12 and 0.15 from locks of others.

Its own cache is never used: that believes a file by the time of its last modification alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from monoyard.results import Finding

SYNTAX: Final = "invalid-syntax"
_LAYOUT: Final = "Would reformat: "
_HAD_ERRORS: Final = 2
_ERROR: Final = "error: "
_NO_PYTHON: Final = "error: Failed to parse "
MODULE_CONFIG_FILES: Final = ("ruff.toml", ".ruff.toml")


def check(program: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Lint paths; findings as JSON on standard output, exit status 1 where there are some."""
    return (
        program, "check", "--output-format=json", "--no-fix", "--force-exclude", "--no-cache",
        "--", *paths,
    )  # fmt: skip


_SECURITY_RULES_BY_DEFAULT: Final = 20


def show_settings(program: str) -> tuple[str, ...]:
    """Print the settings that hold for the working directory; see `has_security_rules`."""
    return (program, "check", "--show-settings", ".")


def has_security_rules(said: bytes) -> bool:
    """Say whether settings select the security rules; ruff's own defaults have a few of them."""
    return len(set(re.findall(rb"\((S\d+)\)", said))) > _SECURITY_RULES_BY_DEFAULT


def check_security(program: str, *, is_selected: bool) -> tuple[str, ...]:
    """Look for what the security rules refuse, among other things; JSON as `check`.

    Args:
        program: ruff.
        is_selected: The settings select them, so that what they ignore stays ignored: a selection
            on the command line would bring it back.
    """
    more = () if is_selected else ("--extend-select=S",)
    return (
        program, "check", *more, "--output-format=json", "--no-fix", "--exit-zero", "--no-cache",
        ".",
    )  # fmt: skip


def tells_layouts_as_json(version: str) -> bool:
    """Say whether a ruff of this version compares layouts in JSON; before 0.16 it has only text."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is None or (int(numbers[1]), int(numbers[2])) >= (0, 16)


def format_check(program: str, paths: Iterable[str], *, as_json: bool = True) -> tuple[str, ...]:
    """Compare the layout of files with ruff's; findings on standard output.

    Args:
        program: ruff.
        paths: Files and directories.
        as_json: See `tells_layouts_as_json`; read by `parse`, and text by `parse_layouts`.
    """
    form = ("--output-format=json",) if as_json else ()
    return (
        program, "format", "--check", *form, "--force-exclude", "--no-cache", "--", *paths,
    )  # fmt: skip


def fix(program: str, paths: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Mend what can be mended safely, then lay out the files anew."""
    paths = tuple(paths)
    shared = ("--force-exclude", "--no-cache", "--", *paths)
    return (
        (program, "check", "--fix", "--output-format=concise", *shared),
        (program, "format", *shared),
    )


def parse(output: bytes, top: str) -> list[Finding] | None:
    """Parse the JSON of `check` or `format_check`; None where it is none.

    Args:
        output: Standard output.
        top: Absolute path of the repository, cut off the file names.
    """
    try:
        rows = json.loads(output)
    except ValueError:
        return None
    return [_finding(row, top) for row in rows] if isinstance(rows, list) else None


def parse_layouts(output: bytes, errors: bytes, status: int) -> list[Finding] | None:
    """Parse the text of `format_check`; None where it did not look at every file.

    A file that is no Python counts as looked at, for `check` says so too.

    Args:
        output: Standard output.
        errors: Standard error.
        status: Exit status: 2 where there was an error.
    """
    said = errors.decode("utf-8", "replace").splitlines()
    wrong = [line for line in said if line.startswith(_ERROR)]
    is_known = bool(wrong) and all(line.startswith(_NO_PYTHON) for line in wrong)
    if status not in {0, 1} and not (status == _HAD_ERRORS and is_known):
        return None
    lines = output.decode("utf-8", "surrogateescape").splitlines()
    return [_layout(line.removeprefix(_LAYOUT)) for line in lines if line.startswith(_LAYOUT)]


def _layout(path: str) -> Finding:
    return Finding(path, "the layout differs from `ruff format`", "format", is_fixable=True)


def _finding(row: dict[str, Any], top: str) -> Finding:
    rule = row.get("code") or SYNTAX
    location = row.get("location") or {}
    fix_ = row.get("fix") or {}
    path = str(row.get("filename", "")).removeprefix(top.rstrip("/") + "/")
    if rule == "unformatted":
        return _layout(path)
    return Finding(
        path=path,
        message=str(row.get("message", "")),
        rule=rule,
        line=int(location.get("row", 0)),
        column=int(location.get("column", 0)),
        is_fixable=fix_.get("applicability") == "safe",
    )
