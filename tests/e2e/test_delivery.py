"""Deployments to a real cluster, under a load that counts every request that is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from .clone import ENVIRONMENT, Clone, Deployed
from .faults import FAULTS
from .load import Load
from .site import Site

SERVICES = {"api", "identity", "notifications", "web", "worker"}
FAILED = 40
_SLOWEST_WAY_BACK_SECONDS = 5.0
# About what one of notifications alone takes.
_LONGEST_DEPLOYMENT_SECONDS = 12.0

# One that users never meet, and one that some of them do.
_QUICK_FAULTS = {"its write path fails", "it answers 10 % errors"}

Loading = Callable[[], AbstractContextManager[Load]]


def test_first_deployment(first: Deployed, site: Site) -> None:
    """Everything goes to an empty environment, databases migrated before, and works."""
    assert (first.code, first.outcome) == (0, "completed"), first.text
    assert first.services == SERVICES == set(site.versions())
    migrations = [step for step in first.steps if step.startswith("migrate:")]
    assert migrations == ["migrate:api", "migrate:identity"]
    assert site.send_event()
    assert not site.holder()


def test_nothing_to_do(clone: Clone, first: Deployed) -> None:
    """The same commit again changes nothing, and succeeds."""
    assert first.code == 0
    again = clone.deploy()
    assert (again.code, again.services) == (0, set()), again.text


@pytest.mark.parametrize(
    ("library", "dependents"),
    [
        ("libs/events/src/eventflow_events", {"api", "worker"}),
        pytest.param(
            "libs/servicekit/src/eventflow_servicekit",
            SERVICES - {"web"},
            marks=pytest.mark.full,
        ),
    ],
)
def test_change_of_a_library(
    clone: Clone, site: Site, load: Loading, library: str, dependents: set[str]
) -> None:
    """Its dependents alone are deployed, each by its strategy, and no request is lost."""
    before = site.versions()
    clone.append(f"{library}/__init__.py", "CHANGED = 1\n")
    clone.commit("A library changes")
    clone.nox("publish")
    with load() as running:
        deployed = clone.deploy()
    assert (deployed.code, deployed.outcome) == (0, "completed"), deployed.text
    after = site.versions()
    assert {name for name in SERVICES if before[name] != after[name]} == dependents
    assert deployed.services == dependents
    assert not running.lost(), running.lost()[:5]
    for service in dependents & {"api", "identity"}:
        assert len(running.versions(service)) == 2


@pytest.mark.parametrize(
    "name",
    [
        name if name in _QUICK_FAULTS else pytest.param(name, marks=pytest.mark.full)
        for name in FAULTS
    ],
)
def test_faulty_version_goes_back(
    clone: Clone, site: Site, load: Loading, name: str, say: Callable[[str], None]
) -> None:
    """A version with a fault goes back by itself, and what ran before serves."""
    fault = FAULTS[name]
    good, before = clone.git("rev-parse", "HEAD"), site.versions()
    fault.bring_into(clone)
    try:
        clone.nox("publish", "api")
        with load() as running, site.watching_aborts("api") as aborts:
            deployed = clone.deploy("--", "api")
        assert (deployed.code, deployed.outcome) == (FAILED, "went-back"), deployed.text
        assert site.versions() == before
        assert not site.holder()
        served = running.versions("api")
        new = set(served) - {_newest(running)}
        assert bool(new) == fault.is_served, served
        (decided,) = aborts
        late = [item.at - decided for item in running.of("api") if item.version in new]
        assert max(late, default=0.0) < _SLOWEST_WAY_BACK_SECONDS
        say(f"{name}: {_story(running, new, max(late, default=0.0))}")
    finally:
        clone.git("reset", "--quiet", "--hard", good)


def _newest(running: Load) -> str:
    """Return the version that answered last."""
    return next(item.version for item in reversed(running.of("api")) if item.version)


def _story(running: Load, faulty: set[str], late: float) -> str:
    answers = [item for item in running.of("api") if item.version in faulty]
    lost = f"{len(running.lost('api'))} of {len(running.of('api'))} requests lost"
    if not answers:
        return f"never sent a request; {lost}"
    served = f"served {len(answers)} in {answers[-1].at - answers[0].at:.1f} s"
    return f"{served}, the last one {late:+.2f} s from the decision; {lost}"


@pytest.mark.parametrize(
    ("grace", "boundary"),
    [
        pytest.param(20, "upgrade:notifications begun", marks=pytest.mark.full),
        (21, "upgrade:notifications done"),
        pytest.param(22, "rollout:notifications done", marks=pytest.mark.full),
        pytest.param(23, "complete begun", marks=pytest.mark.full),
    ],
)
def test_killed_and_resumed(clone: Clone, site: Site, grace: int, boundary: str) -> None:
    """After `kill -9` at any step, `--resume` ends what was begun, and does nothing twice."""
    clone.set_grace("notifications", grace)
    clone.commit(f"Take {grace} s to stop")
    with clone.deploying("--", "notifications") as process:
        assert process.stdout is not None
        seen = any(boundary in line for line in process.stdout)
        os.killpg(process.pid, signal.SIGKILL)
    assert seen
    ended = clone.deploy("--resume")
    assert (ended.code, ended.outcome) == (0, "completed"), ended.text
    assert len(ended.steps) == len(set(ended.steps))
    assert site.grace("notifications") == grace
    assert not site.holder()


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(n, marks=pytest.mark.full) for n in range(1, 20))]
)
def test_killed_at_any_moment(
    clone: Clone, site: Site, number: int, say: Callable[[str], None]
) -> None:
    """After `kill -9` at a random moment, `--resume` (or the command again) ends it, just once."""
    grace = 100 + number
    clone.set_grace("notifications", grace)
    clone.commit(f"Take {grace} s to stop")
    seconds = random.SystemRandom().uniform(0, _LONGEST_DEPLOYMENT_SECONDS)
    with clone.deploying("--", "notifications") as process:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    ended = clone.deploy("--resume")
    if "nothing-open" in ended.text:  # killed before it began, or after it was completed
        ended = clone.deploy("--", "notifications")
    assert ended.code == 0, f"killed after {seconds} s\n{ended.text}"
    (newest, *_) = clone.history()
    steps = [entry["step"] for entry in newest["entries"] if entry["state"] == "done"]
    assert newest["outcome"] == "completed"
    assert len(steps) == len(set(steps)), f"killed after {seconds} s\n{steps}"
    assert site.grace("notifications") == grace
    assert not site.holder()
    say(f"killed after {seconds:.2f} s")


@pytest.mark.full
def test_rollback(clone: Clone, site: Site, load: Loading, say: Callable[[str], None]) -> None:
    """`invoke rollback` brings back what ran before, and no request is lost."""
    before = site.versions()
    clone.append("services/api/src/eventflow_api/__init__.py", "CHANGED = 1\n")
    clone.commit("The api changes")
    clone.nox("publish", "api")
    with load() as running:
        deployed = clone.deploy("--", "api")
        assert deployed.outcome == "completed", deployed.text
        assert site.versions() != before
        began = time.monotonic()
        clone.invoke("rollback", f"--env={ENVIRONMENT}")
        say(f"rolled back in {time.monotonic() - began:.1f} s")
    assert site.versions() == before
    assert not running.lost(), running.lost()[:5]


def test_commit_that_nobody_published(clone: Clone, site: Site) -> None:
    """It is refused in the plan, with what helps, and nothing is sent."""
    good, before = clone.git("rev-parse", "HEAD"), site.versions()
    clone.append("services/api/src/eventflow_api/__init__.py", "UNKNOWN = 1\n")
    clone.commit("Nobody publishes this")
    refused = clone.deploy("--", "api")
    clone.git("reset", "--quiet", "--hard", good)
    assert refused.code == FAILED, refused.text
    assert "nox -s publish" in refused.text
    assert site.versions() == before
