"""Foreign repositories of a few files, under a real git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monoyard.bindings.engine import Engine

Found = Callable[[Mapping[str, str]], Engine]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """Return a function that writes files into a new repository and opens it as an engine does."""
    top = tmp_path / "foreign"
    kept = {"MONOYARD_CACHE_DIR": str(tmp_path / "kept")}

    def write(files: Mapping[str, str]) -> Engine:
        top.mkdir()
        subprocess.run(["git", "init", "--quiet", str(top)], check=True)
        for path, text in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text, encoding="utf-8")
        return Engine(top, lambda _words: None, kept)

    return write
