"""Real registries, a real cosign and syft; without the programs the tests say so and skip."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monoyard.install import is_ci

from .yard import PROGRAMS, Desk, LocalRegistry


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Skip where a program is missing; fail in CI."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing and is_ci(os.environ):
        pytest.fail(f"{', '.join(missing)} not on PATH")
    if missing:
        pytest.skip(f"{', '.join(missing)} not on PATH: `nox -s integration -- monoyard` puts them")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    """A registry with nothing in it."""
    started = LocalRegistry(tmp_path / "registry")
    yield started
    started.stop()


@pytest.fixture
def new_desk(tmp_path: Path, registry: LocalRegistry) -> Callable[[str], Desk]:
    """Make desks, each with a key of its own."""
    return lambda name: Desk(tmp_path / name, registry)


@pytest.fixture
def desk(new_desk: Callable[[str], Desk]) -> Desk:
    """The desk that most tests publish from."""
    return new_desk("desk")
