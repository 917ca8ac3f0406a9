"""A clone of this repository with environments of its own on the cluster of this machine.

What the clone changes and commits is built, published and deployed from there by the very commands
that a person types. The environments' namespaces and databases go with the last test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from monoyard.images import required

from .clone import ENVIRONMENT, Clone, Deployed
from .load import Load, Target
from .site import Site

TOP = Path(__file__).parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--full`: what takes long, and runs nightly and before a release."""
    parser.addoption("--full", action="store_true", help="the long form, for nights and releases")


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark means."""
    config.addinivalue_line("markers", "full: takes long, and runs with --full alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `full`, unless it is asked for."""
    if config.getoption("--full"):
        return
    skip = pytest.mark.skip(reason="only with --full")
    for item in items:
        if "full" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The clone; its environments are empty at first, and gone in the end."""
    if os.geteuid() != 0:
        if "cluster" in required(os.environ):
            pytest.fail("MONOYARD_REQUIRE names `cluster`, but this is not root")
        pytest.skip("a cluster needs root")
    place = tmp_path_factory.mktemp("e2e") / "clone"
    made = Clone.of(TOP, place)
    made.add_environments()
    # The archive may have left the versions of the lock behind since it was committed.
    made.invoke("images.refresh")
    made.commit("Environments for tests")
    made.invoke("cluster.up")
    site = Site.of_this_machine()
    try:
        yield made
    finally:
        site.remove()
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def site(clone: Clone) -> Site:
    """The environment in the cluster, which is there once the clone is."""
    assert clone.top.is_dir()
    return Site.of_this_machine()


@pytest.fixture(scope="session", autouse=True)
def first(clone: Clone) -> Deployed:
    """The first deployment, of everything, to an environment that is empty; before any test."""
    clone.invoke("deploy.prepare", f"--env={ENVIRONMENT}")
    clone.nox("publish")
    return clone.deploy()


@pytest.fixture(scope="session")
def targets(site: Site, first: Deployed) -> tuple[Target, ...]:
    """What is asked of the services from outside, and how often."""
    assert first.outcome == "completed", first.text
    stored = site.send_event()
    return (
        Target("api", f"/api/v1/events/{stored}", 50, needs_token=True),
        Target("identity", "/identity/.well-known/jwks.json", 10),
        Target("web", "/", 5),
    )


@pytest.fixture
def load(site: Site, targets: tuple[Target, ...]) -> Callable[[], AbstractContextManager[Load]]:
    """Ask all services, through the ingress, as long as a block takes."""
    return lambda: Load(site, targets).running()


@pytest.fixture
def change(clone: Clone) -> Iterator[Clone]:
    """The clone with a healthy change of the api, published; taken back in the end."""
    good = clone.git("rev-parse", "HEAD")
    # Unlike any other: what went back before would be refused.
    line = f"CHANGED_{uuid4().hex.upper()} = 1\n"
    clone.append("services/api/src/eventflow_api/__init__.py", line)
    clone.commit("The api changes")
    clone.nox("publish", "api")
    yield clone
    clone.git("reset", "--quiet", "--hard", good)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Tell what was measured, also of a test that passes."""

    def tell(words: str) -> None:
        with capsys.disabled():
            print(f"\n  {words}", flush=True)  # noqa: T201 - it is what a person waits for

    return tell
