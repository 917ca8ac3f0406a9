"""gitleaks: secrets in what was committed, or will be. Tested with 8.30.

It shows no secret to us.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from monoyard.results import SecurityFinding

SETTINGS: Final = ".gitleaks.toml"
"""Its configuration, which it looks for in the directory that it scans."""
FOUND: Final = 1
"""Exit status for secrets that were found."""


def scan_commits(program: Path, span: str, report: Path) -> tuple[str, ...]:
    """Return the call that looks through commits; an empty span means the whole history."""
    wanted = (f"--log-opts={span}",) if span else ()
    return (str(program), "git", *wanted, *_common(report), ".")


def scan_work_tree(program: Path, report: Path, *, is_staged: bool) -> tuple[str, ...]:
    """Return the call that looks through what is staged, or through what is not."""
    staged = ("--staged",) if is_staged else ()
    return (str(program), "git", "--pre-commit", *staged, *_common(report), ".")


def scan_directory(program: Path, report: Path, settings: Path) -> tuple[str, ...]:
    """Return the call that looks through the files of the working directory, behind links too.

    Args:
        program: gitleaks.
        report: Where the report goes.
        settings: Its configuration; passed on where there is such a file.
    """
    configured = (f"--config={settings}",) if settings.is_file() else ()
    return (str(program), "dir", "--follow-symlinks", *configured, *_common(report), ".")


def parse(report: bytes) -> tuple[SecurityFinding, ...]:
    """Return what a report lists.

    Raises:
        ValueError: It is no report.
    """
    data = json.loads(report)
    if not isinstance(data, list):
        raise ValueError("no report of gitleaks")  # noqa: TRY004  a fault of what was read
    return tuple(
        SecurityFinding(
            "gitleaks", (str(item["RuleID"]),), "critical", str(item["Description"]),
            str(item.get("SymlinkFile") or item["File"]), int(item["StartLine"]),
            str(item.get("Commit", "")),
        )
        for item in data
    )  # fmt: skip


def _common(report: Path) -> tuple[str, ...]:
    return (
        "--no-banner", "--redact", "--log-level=error", "--report-format=json",
        f"--report-path={report}",
    )  # fmt: skip
