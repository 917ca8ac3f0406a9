"""What of the traffic goes where, and whether there are pods enough for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from .clone import ENVIRONMENT, Clone, await_words
from .load import Load, Target
from .site import Site

FAILED = 40
ENOUGH = 2_000
MOST_SECONDS = 120.0
_AUTOSCALED = """\
autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 4, settleSeconds: 15}
"""

Loading = Callable[[], AbstractContextManager[Load]]
Saying = Callable[[str], None]


@pytest.mark.full
def test_shares_of_a_canary(
    change: Clone, site: Site, targets: tuple[Target, ...], say: Saying
) -> None:
    """At each weight the new version answers that share of 2,000 requests, within two points."""
    stable = site.versions()
    load = Load(site, (*(targets[0],) * 4, *targets[1:]))
    with load.running(), change.deploying("--", "api") as process:
        for weight in (5, 25):
            await_words(process, f"{weight} % of traffic")
            change.invoke("deploy.pause", f"--env={ENVIRONMENT}")
            began = time.time()
            until = began + MOST_SECONDS
            while len(load.of("api", since=began)) < ENOUGH and time.time() < until:
                time.sleep(0.5)
            answered = load.versions("api", since=began)
            (old, _), (_, new) = answered.most_common()
            share = 100 * new / answered.total()
            say(f"{share:.2f} % of {answered.total()} requests at a weight of {weight} %")
            assert answered.total() >= ENOUGH
            assert abs(share - weight) <= 2
            change.invoke("deploy.continue", f"--env={ENVIRONMENT}")
        deployed = change.finish(process)
    assert (deployed.code, deployed.outcome) == (0, "completed"), deployed.text
    assert site.versions()["api"] != stable["api"]
    assert load.of("api")[-1].version != old
    assert not load.lost(), load.lost()[:5]


@pytest.mark.full
def test_ten_healthy_versions_in_a_row(clone: Clone, load: Loading) -> None:
    """None of them is taken back, and no request is lost."""
    for number in range(10):
        line = f"HEALTHY_{number} = {number}\n"
        clone.append("services/api/src/eventflow_api/__init__.py", line)
        clone.commit(f"Healthy version {number}")
        clone.nox("publish", "api")
        with load() as running:
            deployed = clone.deploy("--", "api")
        assert (deployed.code, deployed.outcome) == (0, "completed"), deployed.text
        assert not running.lost(), running.lost()[:5]


@pytest.mark.full
def test_autoscaling(clone: Clone, site: Site, say: Saying) -> None:
    """Under a load pods are added, a deployment keeps their number, and later they are removed."""
    values = clone.top / "deploy" / "environments" / ENVIRONMENT / "web.yaml"
    values.write_text(_AUTOSCALED, "utf-8")
    clone.commit("Let a computer count the pods")
    deployed = clone.deploy("--", "web")
    assert deployed.outcome == "completed", deployed.text
    pages = Load(site, (Target("web", "/", 100),) * 3)
    with pages.running():
        began = time.monotonic()
        site.await_replicas("web", lambda count: count > 2)
        say(f"pods were added after {time.monotonic() - began:.0f} s")
        clone.set_grace("web", 31)
        clone.commit("Take 31 s to stop")
        deployed = clone.deploy("--", "web")
        assert deployed.outcome == "completed", deployed.text
        assert site.replicas("web") > 2
    assert not pages.lost(), pages.lost()[:5]
    began = time.monotonic()
    site.await_replicas("web", lambda count: count == 2)
    say(f"pods were removed after {time.monotonic() - began:.0f} s")
