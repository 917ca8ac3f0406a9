"""What deployments stand on goes away meanwhile, and comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from .clone import ENVIRONMENT, Clone, await_words
from .load import Load
from .machine import main_process
from .site import Site

Loading = Callable[[], AbstractContextManager[Load]]


@pytest.mark.full
def test_api_server_is_killed(clone: Clone, site: Site, load: Loading) -> None:
    """A deployment waits for the API server, or ends with one error; either way it can be ended.

    A Lease lasts for 30 seconds, and an API server refuses everybody until it has read its roles.
    No request is lost meanwhile.
    """
    clone.set_grace("notifications", 26)
    clone.commit("Take 26 s to stop")
    with load() as running, clone.deploying("--", "notifications") as process:
        await_words(process, "upgrade:notifications begun")
        os.kill(main_process(site, "kube-system", "component=kube-apiserver"), signal.SIGKILL)
        deployed = clone.finish(process)
    if deployed.code:
        assert deployed.text.count("error[") == 1, deployed.text
        assert "Traceback" not in deployed.text
        deployed = clone.deploy("--resume")
    assert (deployed.code, deployed.outcome) == (0, "completed"), deployed.text
    assert len(deployed.steps) == len(set(deployed.steps))
    assert site.grace("notifications") == 26
    assert not running.lost(), running.lost()[:5]
    assert not site.holder()


@pytest.mark.full
def test_registry_is_gone(clone: Clone, site: Site) -> None:
    """Nothing new can be planned, which is said; what ran before comes back without a registry."""
    before = site.grace("notifications")
    clone.set_grace("notifications", 27)
    clone.commit("Take 27 s to stop")
    deployed = clone.deploy("--", "notifications")
    assert deployed.outcome == "completed", deployed.text
    clone.set_grace("notifications", 28)
    clone.commit("Take 28 s to stop")
    clone.invoke("tools.stop", "registry")
    try:
        refused = clone.deploy("--", "notifications")
        clone.invoke("rollback", f"--env={ENVIRONMENT}")
    finally:
        clone.invoke("tools.start", "registry")
    assert refused.code not in (0, 1), refused.text
    assert "registry" in refused.text
    assert "Traceback" not in refused.text
    assert site.grace("notifications") == before
    assert clone.history()[0]["outcome"] == "completed"
