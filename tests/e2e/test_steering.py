"""What people do to deployments that are under way, and what becomes of runners that lag behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from .clone import ENVIRONMENT, MAX_PAUSE_SECONDS, Clone, await_words
from .load import Load
from .site import Site

FAILED, INCONCLUSIVE = 40, 44
HELD_SECONDS = 15

Loading = Callable[[], AbstractContextManager[Load]]


def weight(site: Site) -> int:
    """Return the percent of the traffic that the api's new version is meant to get."""
    status = site.get("rollouts.argoproj.io", "api")["status"]
    weights = (status.get("canary") or {}).get("weights") or {}
    return int((weights.get("canary") or {}).get("weight") or 0)


@pytest.mark.full
def test_paused_continued_and_aborted(
    change: Clone, site: Site, load: Loading, say: Callable[[str], None]
) -> None:
    """From another terminal a rollout is held, let go on, and sent back; no request is lost."""
    before = site.versions()
    with load() as running, change.deploying("--", "api") as process:
        await_words(process, "5 % of traffic")
        change.invoke("deploy.pause", f"--env={ENVIRONMENT}")
        held = weight(site)
        time.sleep(HELD_SECONDS)
        assert weight(site) == held
        assert "held by a person" in change.invoke("status", f"--env={ENVIRONMENT}")
        change.invoke("deploy.continue", f"--env={ENVIRONMENT}")
        await_words(process, "25 % of traffic")
        began = time.time()
        change.invoke("deploy.abort", f"--env={ENVIRONMENT}")
        deployed = change.finish(process)
        ended = time.time()
    assert (deployed.code, deployed.outcome) == (FAILED, "went-back"), deployed.text
    assert site.versions() == before
    assert not running.lost(), running.lost()[:5]
    old = next(item.version for item in reversed(running.of("api")) if item.version)
    last = max(item.at for item in running.of("api") if item.version not in ("", old))
    say(
        f"held at {held} %; the new version answered last {last - began:.1f} s after "
        f"`deploy.abort` was typed; all ended after {ended - began:.1f} s"
    )
    assert last < ended


@pytest.mark.full
def test_gate_that_has_too_little_to_go_by(change: Clone, site: Site) -> None:
    """Without requests nothing can be judged: it waits, goes back, and ends with its own status."""
    before = site.versions()
    began = time.monotonic()
    deployed = change.deploy("--", "api")
    assert (deployed.code, deployed.outcome) == (INCONCLUSIVE, "went-back"), deployed.text
    assert time.monotonic() - began > MAX_PAUSE_SECONDS
    assert site.versions() == before
    assert not site.holder()


def test_two_at_once(clone: Clone, site: Site) -> None:
    """The second deployment waits for the first one, then does its own part."""
    clone.set_grace("notifications", 24)
    clone.set_grace("identity", 24)
    clone.commit("Take 24 s to stop")
    with clone.deploying("--", "notifications") as process:
        await_words(process, "upgrade:notifications begun")
        second = clone.try_invoke("deploy", f"--env={ENVIRONMENT}", "--", "identity")
        first = clone.finish(process)
    assert "holds it" in second.stdout, second.stdout
    assert (first.code, second.returncode) == (0, 0), first.text + second.stdout
    assert (site.grace("notifications"), site.grace("identity")) == (24, 24)
    assert [item["outcome"] for item in clone.history()[:2]] == ["completed", "completed"]


@pytest.mark.full
def test_runner_that_was_stopped_writes_nothing(clone: Clone, site: Site) -> None:
    """A runner that slept past its Lease while another went on finds that out, and does no more."""
    clone.set_grace("notifications", 25)
    clone.commit("Take 25 s to stop")
    with clone.deploying("--", "notifications") as process:
        await_words(process, "upgrade:notifications done")
        os.killpg(process.pid, signal.SIGSTOP)
        try:
            ended = clone.deploy("--resume")
            ledger = clone.history()
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        stopped = clone.finish(process)
    assert (ended.code, ended.outcome) == (0, "completed"), ended.text
    assert len(ended.steps) == len(set(ended.steps))
    assert stopped.code not in (0, -signal.SIGKILL), stopped.text
    assert "error[lease-lost]" in stopped.text
    assert clone.history() == ledger
    assert site.grace("notifications") == 25
    assert not site.holder()
