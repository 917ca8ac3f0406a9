"""mypy: types. Tested with 2.4."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from monoyard.results import Finding, Severity

CONFIG_FILES: Final = ("mypy.ini", ".mypy.ini")

_BLOCKER = re.compile(r"^(?P<path>[^\n:]+?)(?::(?P<line>\d+))?(?::\d+)?: error: (?P<message>.+)$")


def check(
    program: str,
    *,
    python: str,
    cache: str,
    config: str | None,
    workers: int,
    paths: Iterable[str],
    copies: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Check files; findings as one JSON object a line on standard output.

    Args:
        program: The mypy program.
        python: Interpreter of the venv whose distributions are looked into.
        cache: Directory of mypy's cache; never shared by two processes at once, which is right but
            many times slower.
        config: Configuration file, or None for none at all.
        workers: Processes to check with.
        paths: Files and directories.
        copies: File to a copy with another time of modification. mypy's cache believes a file by
            its size and the second of that time; shown the copy, it compares the contents.
    """
    shown = (word for pair in (copies or {}).items() for word in ("--shadow-file", *pair))
    parallel = (f"--num-workers={workers}",) if workers > 1 else ()
    return (
        program, f"--config-file={config or ''}", f"--python-executable={python}",
        # Settings that install stubs would put them into a venv of others, and hide all findings.
        "--no-install-types", "--interactive",
        f"--cache-dir={cache}", "--explicit-package-bases", "--namespace-packages",
        "--output=json", "--no-error-summary", "--show-error-end", *parallel,
        *shown, "--", *paths,
    )  # fmt: skip


def lost_workers(output: str) -> bool:
    """Say whether mypy gave up because its own workers were too slow to start.

    It waits 3 s for them (`mypy.defaults.WORKER_START_TIMEOUT`), which a busy machine exceeds.

    Args:
        output: What it printed.
    """
    return "Failed to establish connection with worker" in output


def parse(output: bytes, prefix: str = "") -> tuple[list[Finding], list[str]]:
    """Parse the findings; lines that are no JSON are returned as they are.

    Args:
        output: Standard output.
        prefix: Directory of the run, from the top, with its slash.
    """
    findings: list[Finding] = []
    other: list[str] = []
    for line in output.decode("utf-8", "replace").splitlines():
        row = _object(line)
        if row is None:
            other.append(line)
            continue
        findings.append(
            Finding(
                path=posixpath.join(prefix, str(row.get("file", ""))),
                message=str(row.get("message", ""))
                + (f" ({row['hint']})" if row.get("hint") else ""),
                rule=str(row.get("code") or ""),
                line=max(0, int(row.get("line") or 0)),
                column=max(-1, int(row.get("column") or 0)) + 1,
                severity=Severity.ERROR if row.get("severity") == "error" else Severity.WARNING,
            )
        )
    return findings, [line for line in other if line.strip()]


def parse_blockers(lines: Iterable[str]) -> list[Finding]:
    """Parse what mypy prints as text when it gives up: the files it could not get past."""
    matches = filter(None, map(_BLOCKER.match, lines))
    return [
        Finding(match["path"], match["message"], "fatal", int(match["line"] or 0))
        for match in matches
    ]


def _object(line: str) -> dict[str, Any] | None:
    """Return the object that a line holds; plugins may print anything else between them."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
