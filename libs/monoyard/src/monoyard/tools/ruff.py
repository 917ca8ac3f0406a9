"""ruff: lint and format. Tested with 0.17.

Its own cache is never used: that believes a file by the time of its last modification alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from monoyard.results import Finding

SYNTAX: Final = "invalid-syntax"
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


def format_check(program: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Compare the layout of files with ruff's; findings as JSON on standard output."""
    return (
        program, "format", "--check", "--output-format=json", "--force-exclude", "--no-cache",
        "--", *paths,
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


def _finding(row: dict[str, Any], top: str) -> Finding:
    rule = row.get("code") or SYNTAX
    location = row.get("location") or {}
    fix_ = row.get("fix") or {}
    is_layout = rule == "unformatted"
    return Finding(
        path=str(row.get("filename", "")).removeprefix(top.rstrip("/") + "/"),
        message="the layout differs from `ruff format`"
        if is_layout
        else str(row.get("message", "")),
        rule="format" if is_layout else rule,
        line=0 if is_layout else int(location.get("row", 0)),
        column=0 if is_layout else int(location.get("column", 0)),
        is_fixable=fix_.get("applicability") == "safe",
    )
