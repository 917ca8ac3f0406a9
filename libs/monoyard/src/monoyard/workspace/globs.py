"""Globs over paths with `/`: `*` and `?` stay inside a name, `**` crosses directories."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_NEVER_ENTERED = frozenset({".git", "__pycache__"})


@cache
def compile_globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one expression that matches a path if any of the patterns does.

    A pattern that matches a directory also matches all below it.
    """
    return re.compile("|".join(_translate(pattern) for pattern in patterns) or r"(?!)")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Say whether any pattern matches the whole path or a directory above it."""
    return compile_globs(tuple(patterns)).match(path) is not None


def files_on_disk(top: Path, patterns: Iterable[str]) -> list[str]:
    """Return the files below a directory that any pattern matches, ignored ones too, sorted.

    Directories are searched from where a pattern stops being literal; links to directories are not
    followed, and `.git` and Python's compiled files are never entered.

    Returns:
        Paths from `top`, with `/`.
    """
    patterns = tuple(patterns)
    expression = compile_globs(patterns)
    found: set[str] = set()
    for start in {_literal_part(pattern) for pattern in patterns}:
        place = top / start
        if place.is_file():
            found.add(start)
        for directory, inner, names in os.walk(place):
            inner[:] = [name for name in inner if name not in _NEVER_ENTERED]
            inside = Path(directory).relative_to(top).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            paths = (f"{prefix}{name}" for name in names)
            found.update(
                path for path in paths if expression.match(path) and (top / path).is_file()
            )
    return sorted(found)


def _literal_part(pattern: str) -> str:
    parts = pattern.removeprefix("./").strip("/").split("/")
    literal = itertools.takewhile(lambda part: not {"*", "?"} & set(part), parts)
    return "/".join(literal)


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
