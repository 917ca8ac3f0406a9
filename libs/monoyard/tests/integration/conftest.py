"""Real repositories under a real nox and invoke; venvs and tools are installed once for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .checkouts import PATIENCE_SECONDS, Checkout


def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask again and again whether something has come true; False after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Where venvs and tools are installed, once for all tests and their workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "installed"
    for name in ("venvs", "tools"):
        (shared / name).mkdir(parents=True, exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def new_checkout(
    tmp_path_factory: pytest.TempPathFactory, installed: Path
) -> Iterator[Callable[[], Checkout]]:
    """Make repositories without packages, each with a store of its own."""
    made: list[Checkout] = []

    def make() -> Checkout:
        place = tmp_path_factory.mktemp("checkout")
        for name in ("venvs", "tools"):
            (place / "cache").mkdir(exist_ok=True)
            (place / "cache" / name).symlink_to(installed / name)
        made.append(Checkout(place / "repository", place / "cache"))
        made[-1].top.mkdir()
        made[-1].git("init", "--quiet", "--initial-branch=main")
        made[-1].root()
        return made[-1]

    yield make
    for checkout in made:
        checkout.stop()


@pytest.fixture
def empty(new_checkout: Callable[[], Checkout]) -> Iterator[Checkout]:
    """A git repository with a root and no package yet."""
    made = new_checkout()
    yield made
    made.stop()


@pytest.fixture
def checkout(empty: Checkout) -> Checkout:
    """A committed repository of two packages, `alpha` and `beta`, of which beta needs alpha."""
    empty.package("alpha")
    empty.package("beta", "alpha")
    empty.commit()
    return empty


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., bool]:
    """`until(condition, seconds)`: wait for something that a process does in its own time."""
    return until
