"""Keeps the OpenAPI document that is committed beside a service equal to the code."""

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI

_SHOWN_LINES = 20


def render_openapi(app: FastAPI) -> str:
    """Return the application's OpenAPI document as JSON text, the same bytes each time."""
    return json.dumps(app.openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def run_openapi_command(app: FastAPI, path: Path, arguments: Sequence[str] | None = None) -> int:
    """Run `--write` or `--check` for the document at `path` and return the exit code.

    `arguments` are those of the process unless given. `--check` returns 1 and shows the first
    differing lines when the committed document is missing or not current.
    """
    parser = argparse.ArgumentParser(description="Write or check the committed OpenAPI document")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help=f"write {path.name}")
    mode.add_argument("--check", action="store_true", help=f"fail when {path.name} is not current")
    options = parser.parse_args(arguments)
    current = render_openapi(app)
    if options.write:
        path.write_text(current, encoding="utf-8")
        return 0
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    if committed == current:
        return 0
    changes = difflib.unified_diff(
        committed.splitlines(), current.splitlines(), "committed", "current", lineterm="", n=1
    )
    shown = list(changes)[:_SHOWN_LINES]
    sys.stderr.write("\n".join([f"{path.name} is not current; run with --write", *shown, ""]))
    return 1
