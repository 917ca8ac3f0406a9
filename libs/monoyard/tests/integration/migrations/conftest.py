"""A real PostgreSQL, a real squawk; without them the tests say so and skip, and fail in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from monoyard.install import is_ci

from .projects import Project


@pytest.fixture(scope="session", autouse=True)
def squawk() -> None:
    """Skip where squawk is missing; fail in CI."""
    if shutil.which("squawk") is None:
        said = "squawk is not on PATH: `nox -s integration -- monoyard` puts it there"
        if is_ci(os.environ):
            pytest.fail(said)
        pytest.skip(said)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An alembic project without a revision."""
    return Project(tmp_path / "project")
