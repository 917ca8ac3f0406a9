"""Small workspaces under a real git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monoyard.bindings.engine import Engine
from monoyard.workspace import Workspace

WorkspaceOf = Callable[[Mapping[str, str]], Workspace]


@pytest.fixture
def workspace_of(tmp_path: Path) -> WorkspaceOf:
    """Return a function that writes files into a new repository and reads it as a workspace."""
    top = tmp_path / "top"

    def write(files: Mapping[str, str]) -> Workspace:
        top.mkdir()
        subprocess.run(("git", "init", "--quiet", str(top)), check=True)
        for path, text in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text, encoding="utf-8")
        return Engine(top, lambda _words: None, {"MONOYARD_CACHE_DIR": str(tmp_path)}).workspace

    return write
