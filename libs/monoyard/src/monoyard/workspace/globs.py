"""Globs over paths with `/`: `*` and `?` stay inside a name, `**` crosses directories."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache


@cache
def compile_globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one expression that matches a path if any of the patterns does.

    A pattern that matches a directory also matches all below it.
    """
    return re.compile("|".join(_translate(pattern) for pattern in patterns) or r"(?!)")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Say whether any pattern matches the whole path or a directory above it."""
    return compile_globs(tuple(patterns)).match(path) is not None


def _translate(pattern: str) -> str:
    pattern = pattern.removeprefix("./").strip("/")
    parts = []
    position = 0
    while position < len(pattern):
        if pattern.startswith("**/", position):
            parts.append("(?:[^/]+/)*")
            position += 3
        elif pattern.startswith("**", position):
            parts.append(".*")
            position += 2
        else:
            parts.append(
                {"*": "[^/]*", "?": "[^/]"}.get(pattern[position]) or re.escape(pattern[position])
            )
            position += 1
    return rf"{''.join(parts)}(?:/.*)?\Z"
