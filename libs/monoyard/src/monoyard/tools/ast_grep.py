"""ast-grep: patterns of code that the repository's own rules refuse. Tested with 0.51."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from monoyard.results import SecurityFinding

_SEVERITIES: Final = {"error": "high", "warning": "medium", "info": "low", "hint": "low"}


def scan(program: Path, configuration: Path) -> tuple[str, ...]:
    """Return the call that looks through the working directory; a line of JSON for each find."""
    return (str(program), "scan", f"--config={configuration}", "--json=stream", "--threads=2", ".")


def parse(said: bytes) -> tuple[SecurityFinding, ...]:
    """Return what a scan found.

    Raises:
        ValueError: It is no result.
    """
    found = []
    for line in said.splitlines():
        item = json.loads(line)
        severity = _SEVERITIES.get(str(item["severity"]).lower(), "medium")
        start = item["range"]["start"]["line"]
        path = str(item["file"]).removeprefix("./")
        rule, message = str(item["ruleId"]), str(item["message"])
        found.append(SecurityFinding("ast-grep", (rule,), severity, message, path, start + 1))
    return tuple(found)
