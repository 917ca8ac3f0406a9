"""The real programs; without them the tests say so and skip."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from monoyard.install import is_ci

from .shop import Shop

PROGRAMS = ("helm", "kubeconform")


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """Helm and kubeconform."""
    found = {name: path for name in PROGRAMS if (path := shutil.which(name))}
    missing = [name for name in PROGRAMS if name not in found]
    if missing and is_ci(os.environ):
        pytest.fail(f"{', '.join(missing)} not on PATH")
    if missing:
        pytest.skip(f"{', '.join(missing)} not on PATH: `nox -s integration -- monoyard` puts them")
    return {name: Path(path) for name, path in found.items()}


@pytest.fixture
def shop(tmp_path: Path, programs: dict[str, Path]) -> Shop:
    """A repository in which nothing is wrong."""
    return Shop(tmp_path, programs)
