"""A chart that was not made for us, without Argo Rollouts, Traefik or Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import foreign
from .clone import FOREIGN_ENVIRONMENT, Clone, Deployed
from .site import Site

FAILED = 40
_NAMESPACE = f"--namespace=eventflow-{FOREIGN_ENVIRONMENT}"
_NAME = "notifications-legacy"
_CRASHING = 'replicas: 2\napp: {command: [python3, -c, "raise SystemExit(3)"]}'


@pytest.fixture(scope="module")
def team(clone: Clone, first: Deployed) -> Iterator[Clone]:
    """The clone as a team has it that brought its own chart; its image is published."""
    assert first.code == 0
    good = clone.git("rev-parse", "HEAD")
    foreign.bring_into(clone)
    clone.commit("A chart of our own")
    clone.invoke("cluster.up")
    clone.nox("publish", "notifications")
    yield clone
    clone.git("reset", "--quiet", "--hard", good)


def _deploy(team: Clone, values: str = "") -> Deployed:
    if values:
        foreign.set_values(team, values)
        team.commit(values)
        team.nox("publish", "notifications")
    return team.deploy(environment=FOREIGN_ENVIRONMENT)


def _workload(site: Site) -> Any:
    return site.get("deployments.apps", _NAME, _NAMESPACE)


@pytest.mark.full
def test_plan_says_what_is_lost(team: Clone) -> None:
    """The plan tells which strategies and gates a chart of one's own goes without, and why."""
    page = team.invoke("deploy", f"--env={FOREIGN_ENVIRONMENT}", "--plan")
    assert "install  notifications" in page
    assert "a Deployment: no weights, no gates, and nothing waits for the other services" in page
    assert "goes back by: it is removed again" in page


@pytest.mark.full
def test_it_is_deployed_and_goes_back(team: Clone, site: Site) -> None:
    """It is installed and upgraded; a version that crashes goes back by itself, and by hand too."""
    made = _deploy(team)
    assert (made.code, made.outcome) == (0, "completed"), made.text
    assert _workload(site)["status"]["availableReplicas"] == 2

    more = _deploy(team, "replicas: 3")
    assert "goes back by: the old pods are started again" in more.text
    assert "made from" not in more.text, "its chart keeps no commit"
    assert (more.code, more.outcome) == (0, "completed"), more.text
    assert _workload(site)["status"]["availableReplicas"] == 3

    good = team.git("rev-parse", "HEAD")
    crashed = _deploy(team, _CRASHING)
    team.git("reset", "--quiet", "--hard", good)
    assert (crashed.code, crashed.outcome) == (FAILED, "went-back"), crashed.text
    found = _workload(site)
    assert found["status"]["availableReplicas"] == found["spec"]["replicas"] == 3
    assert "SystemExit" not in str(found["spec"]["template"])

    team.invoke("rollback", f"--env={FOREIGN_ENVIRONMENT}")
    assert _workload(site)["spec"]["replicas"] == 2
