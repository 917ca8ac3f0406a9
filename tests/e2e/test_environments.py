"""Environments as the repository has them: a part in one, and a plan for the strictest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .clone import PLAIN_ENVIRONMENT, STRICT_ENVIRONMENT, Clone, Deployed
from .site import Site

SERVICES = {"api", "identity", "notifications", "web", "worker"}
FAILED, CLUSTER = 40, 41
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


def test_rights_are_asked_of_the_cluster(
    clone: Clone, site: Site, first: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is no deployer of an environment is refused by the API server; a deployer is not."""
    assert first.code == 0
    namespace = f"--namespace=eventflow-{PLAIN_ENVIRONMENT}"
    clone.invoke("deploy.prepare", f"--env={PLAIN_ENVIRONMENT}")
    site.kubectl("create", "serviceaccount", "stranger", namespace)
    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(site, tmp_path / "stranger", namespace)))
    refused = clone.deploy("--", "notifications", environment=PLAIN_ENVIRONMENT)
    assert refused.code == CLUSTER, refused.text
    assert "forbidden" in refused.text.lower(), refused.text
    doctor = clone.try_invoke("doctor", f"--env={PLAIN_ENVIRONMENT}")
    assert doctor.returncode == CLUSTER, doctor.stdout
    assert "stranger" in doctor.stdout

    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig(site, tmp_path / "deployer", namespace)))
    clone.set_grace("notifications", 41)
    clone.commit("Take 41 s to stop")
    done = clone.deploy("--", "notifications", environment=PLAIN_ENVIRONMENT)
    assert (done.code, done.outcome) == (0, "completed"), done.text


def _kubeconfig(site: Site, place: Path, namespace: str) -> Path:
    """Write what a service account of a namespace reaches the cluster by."""
    config = json.loads(site.kubectl("config", "view", "--raw", "--minify", "--output=json"))
    token = site.kubectl("create", "token", place.name, namespace).strip()
    config["users"][0]["user"] = {"token": token}
    place.write_text(json.dumps(config), "utf-8")
    return place


@pytest.fixture
def trusting(clone: Clone) -> Iterator[Clone]:
    """The clone with a policy by which production takes what this machine signed, unscanned."""
    good = clone.git("rev-parse", "HEAD")
    clone.replace(_POLICY, _STRICT_TRUST, _LENIENT_TRUST)
    clone.commit("Trust this machine")
    yield clone
    clone.git("reset", "--quiet", "--hard", good)


@pytest.mark.full
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


@pytest.mark.full
def test_production_takes_no_image_of_this_machine(clone: Clone, first: Deployed) -> None:
    """By the policy as it is, what was signed here is refused there, image by image."""
    assert first.code == 0
    clone.nox("publish")
    refused = clone.try_invoke("deploy", f"--env={STRICT_ENVIRONMENT}", "--plan")
    assert refused.returncode == FAILED, refused.stdout
    for service in SERVICES:
        assert f"REFUSED  the image of {service} is refused" in refused.stdout, refused.stdout
