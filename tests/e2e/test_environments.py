"""Environments as the repository has them: a part in one, and a plan for the strictest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .clone import PLAIN_ENVIRONMENT, STRICT_ENVIRONMENT, Clone, Deployed
from .site import Site

SERVICES = {"api", "identity", "notifications", "web", "worker"}
FAILED = 40
_POLICY = "infra/images/policy.toml"
_STRICT_TRUST = """\
[environments.prod]
trusts = ["release"]
builder-level = 2
fail-at = "high"
only-fixable = true
"""
_LENIENT_TRUST = """\
[environments.prod]
trusts = ["release", "desk"]
"""


def test_one_service_alone(clone: Clone, site: Site, first: Deployed) -> None:
    """Into an empty environment one service goes without the others, and stands there."""
    assert first.code == 0
    clone.invoke("deploy.prepare", f"--env={PLAIN_ENVIRONMENT}")
    alone = clone.deploy("--", "notifications", environment=PLAIN_ENVIRONMENT)
    assert (alone.code, alone.outcome) == (0, "completed"), alone.text
    there = ("get", "rollouts.argoproj.io", f"--namespace=eventflow-{PLAIN_ENVIRONMENT}")
    names = site.kubectl(*there, "--output=name").split()
    assert names == ["rollout.argoproj.io/notifications"]


@pytest.fixture
def trusting(clone: Clone) -> Iterator[Clone]:
    """The clone with a policy by which production takes what this machine signed, unscanned."""
    good = clone.git("rev-parse", "HEAD")
    clone.replace(_POLICY, _STRICT_TRUST, _LENIENT_TRUST)
    clone.commit("Trust this machine")
    yield clone
    clone.git("reset", "--quiet", "--hard", good)


def test_production_is_planned(trusting: Clone, site: Site, first: Deployed) -> None:
    """A plan for an environment as `prod` has everything, and without one nothing is changed."""
    assert first.code == 0
    trusting.nox("publish")  # tests before this one published what they changed alone
    trusting.invoke("deploy.prepare", f"--env={STRICT_ENVIRONMENT}")
    page = trusting.invoke("deploy", f"--env={STRICT_ENVIRONMENT}", "--plan")
    for service in SERVICES:
        assert f"install  {service}" in page, page
    for words in ("canary: 5 -> 25 -> 100 % of requests", "blue-green", "backs up first"):
        assert words in page, page
    stopped = trusting.deploy(environment=STRICT_ENVIRONMENT)
    assert stopped.code != 0
    assert "--plan-file" in stopped.text, stopped.text
    there = ("get", "rollouts.argoproj.io", f"--namespace=eventflow-{STRICT_ENVIRONMENT}")
    assert not site.kubectl(*there, "--output=name").strip()


def test_production_takes_no_image_of_this_machine(clone: Clone, first: Deployed) -> None:
    """By the policy as it is, what was signed here is refused there, image by image."""
    assert first.code == 0
    clone.nox("publish")
    refused = clone.try_invoke("deploy", f"--env={STRICT_ENVIRONMENT}", "--plan")
    assert refused.returncode == FAILED, refused.stdout
    for service in SERVICES:
        assert f"REFUSED  the image of {service} is refused" in refused.stdout, refused.stdout
