"""Everything that a run leaves for people and machines to read."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monoyard.bindings.arguments import Arguments
from monoyard.install import is_ci
from monoyard.report.github import annotation_lines, write_summary
from monoyard.report.junit import write_junit
from monoyard.report.verdict import verdict_lines
from monoyard.results import Phases
from monoyard.run import INPUTS_FILE, RunSummary, inputs_data


def report_run(
    summary: RunSummary,
    directory: Path,
    arguments: Arguments,
    environment: Mapping[str, str],
    phases: Phases,
) -> None:
    """Print the verdict, and write what was asked for.

    Args:
        summary: The run.
        directory: Its record.
        arguments: What was typed.
        environment: Says whether this is CI.
        phases: The engine's steps so far.
    """
    talk = sys.stderr if arguments.json == "" else sys.stdout
    for line in verdict_lines(summary):
        print(line, file=talk)
    if environment.get("GITHUB_ACTIONS") == "true":
        for line in annotation_lines(summary):
            print(line, file=talk)
        write_summary(summary, environment)
    write_junit(summary, directory / "junit.xml")
    if is_ci(environment):
        _write(directory / INPUTS_FILE, inputs_data(summary.plan))
    if arguments.html:
        from monoyard.report.page import page

        Path(arguments.html).write_text(page(summary), encoding="utf-8")
    if arguments.sarif:
        from monoyard.report.sarif import findings_sarif

        _write(Path(arguments.sarif), findings_sarif(summary))
    if arguments.profile is not None:
        from monoyard.report.profile import critical_line, trace_data

        target = Path(arguments.profile) if arguments.profile else directory / "profile.json"
        _write(target, trace_data(summary, phases.spans))
        print(f"{critical_line(summary)}\nprofile: {target}", file=talk)
    if arguments.json is not None:
        data = {**summary.to_data(), "inputs": inputs_data(summary.plan)}
        text = json.dumps(data, indent=1)
        if arguments.json:
            Path(arguments.json).write_text(text + "\n", encoding="utf-8")
        else:
            print(text)


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")
