"""Reads the history of a service in the service's own venv; the engine never imports its code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from monoyard.errors import ToolError
from monoyard.migrations.values import History, Recorded, Revision
from monoyard.process import Command, capture, clean

SCRIPTS: Final = Path(__file__).parent / "monoyard_database"
_SECONDS: Final = 300.0


def read_history(
    python: Path, directory: Path, environment: Mapping[str, str], search: Iterable[str]
) -> History:
    """Return the history in a directory; no database is asked.

    Args:
        python: Interpreter that has alembic and what the service requires.
        directory: Where `alembic.ini` or the `pyproject.toml` with `[tool.alembic]` is.
        environment: Variables that its `env.py` needs.
        search: Directories of the workspace's packages, in front of others.

    Raises:
        ToolError: There is no alembic project, or alembic cannot load it.
    """
    argv = (str(python), str(SCRIPTS), "read", str(directory))
    paths = ":".join(search)
    done = capture(
        Command(argv, directory, clean((), environment) | dict(environment) | {
            "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1",
        }, timeout=_SECONDS)
    )  # fmt: skip
    events = _events(done.stdout)
    if done.status != 0 or not events:
        said = [str(item["message"]) for item in events if item["event"] == "problem"]
        raise ToolError(
            f"the migrations in {directory.name} cannot be read",
            code="migrations-unreadable",
            context=(*said, *done.last_lines),
            hint="try `python -m alembic history` there",
        )
    return parse_history(events)


def _events(output: bytes) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in output.splitlines() if line.strip()]
    except ValueError:
        return []


def parse_history(events: Iterable[Mapping[str, Any]]) -> History:
    """Return the history that the events of `read.py` tell."""
    project: Mapping[str, Any] = {}
    revisions, problem = [], ""
    for item in events:
        if item["event"] == "project":
            project = item
        elif item["event"] == "problem":
            problem = problem or str(item["message"])
        else:
            revisions.append(_revision(item))
    return History(
        tuple(revisions),
        tuple(project.get("heads", ())),
        str(project.get("dialect", "")),
        str(project.get("version_table", "alembic_version")),
        problem,
    )


def _revision(item: Mapping[str, Any]) -> Revision:
    return Revision(
        revision=str(item["revision"]),
        parents=tuple(item["parents"]),
        path=str(item["path"]),
        title=str(item["title"]),
        reviewed=item["reviewed"],
        problem=str(item["problem"]),
        operations=tuple(
            Recorded(each["kind"], each["table"], tuple(each["statements"]), each["in_transaction"])
            for each in item["operations"]
        ),
    )
