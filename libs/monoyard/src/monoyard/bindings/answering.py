"""Prints an answer: lines for a person, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def answer(
    lines: Iterable[str], data: dict[str, Any] | Callable[[], dict[str, Any]], target: str | None
) -> None:
    """Print lines, or JSON where that is asked for.

    Args:
        lines: What a person reads.
        data: The same as data, or what makes it where that takes a while.
        target: None for the lines, empty for JSON on standard output, else a file for JSON.
    """
    if target is None:
        print("\n".join(lines))
        return
    if callable(data):
        data = data()
    if target:
        Path(target).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    else:
        print(json.dumps(data, indent=1))
