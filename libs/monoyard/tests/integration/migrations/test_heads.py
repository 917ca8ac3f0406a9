"""A version says in its own image what it was made for, and needs no database for that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monoyard.migrations import SCRIPTS

from .projects import ENV, Project

ONLINE = "from alembic import context\ncontext.is_offline_mode() and exit('no offline mode')\n"


def _heads(place: Path, **variables: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        (sys.executable, str(SCRIPTS), "heads", "--to", "version.json"), cwd=place, check=False,
        env={"PATH": "/usr/bin:/bin", **variables}, capture_output=True, text=True,
    )  # fmt: skip
    written = place / "version.json"
    assert written.exists() == (done.returncode == 0), done.stderr
    return done.returncode, json.loads(written.read_text("utf-8") if written.exists() else "{}")


@pytest.mark.parametrize(
    ("env", "variables", "table"),
    [
        (ENV, {}, "alembic_version"),
        (ENV, {"VERSIONS": "shop"}, "shop.alembic_version"),
        (ONLINE, {}, ""),
    ],
)
def test_heads_and_their_table_are_told(
    tmp_path: Path, env: str, variables: dict[str, str], table: str
) -> None:
    """The newest revision, and where a database keeps its own, if `env.py` can say it offline."""
    project = Project(tmp_path, env)
    project.revision("1")
    project.revision("2")
    assert _heads(tmp_path, **variables) == (0, {"heads": ["2"], "version_table": table})


def test_no_project_is_told(tmp_path: Path) -> None:
    """Where there is no alembic project nothing is written."""
    assert _heads(tmp_path)[0] == 8
