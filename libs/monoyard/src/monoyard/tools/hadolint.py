"""hadolint: lint of Dockerfiles. Tested with 2.15."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from monoyard.results import SecurityFinding

_SEVERITIES: Final = {"error": "high", "warning": "medium", "info": "low", "style": "low"}


def check(program: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return the call that prints remarks as JSON, and ends well whatever it finds.

    A stage that stands on a base given by the build names no version: rule DL3006 is left out.
    """
    return (
        str(program), "--no-fail", "--format=json", "--ignore=DL3006", *files,
    )  # fmt: skip


def parse(said: bytes) -> tuple[SecurityFinding, ...]:
    """Return what it found.

    Raises:
        ValueError: They are none.
    """
    return tuple(
        SecurityFinding(
            "hadolint", (str(item["code"]),), _SEVERITIES.get(str(item["level"]), "medium"),
            str(item["message"]), str(item["file"]), int(item["line"]),
        )
        for item in json.loads(said)
    )  # fmt: skip
