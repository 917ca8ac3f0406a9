"""What versions of a service try on the migrated copy of a database, and how it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from monoyard.deployment.trials import NEW, RUNNING, Trial, trials_of
from monoyard.errors import DeliveryError
from monoyard.migrations import SCRIPTS
from monoyard.report.deployment_plans import deployment_plan_lines

from . import yard as yards
from .yard import Yard, digest


def _objects(*words: str, said: str = "") -> list[dict[str, Any]]:
    told = {"monoyard.dev/trial": said or json.dumps(words)} if words or said else {}
    rollout = {"kind": "Rollout", "metadata": {"name": "api", "annotations": told}}
    return [{"kind": "Service", "metadata": {"name": "api"}}, rollout]


def test_running_version_tries_first_and_both_by_their_own_program() -> None:
    """It works beside the migrated database until the new one has all traffic."""
    running, new = ("api@sha256:1", _objects("old")), ("api@sha256:2", _objects("new", "well"))
    assert trials_of(running, new, is_broken=False) == (
        Trial(RUNNING, "api@sha256:1", ("old",)), Trial(NEW, "api@sha256:2", ("new", "well")),
    )  # fmt: skip


def test_running_version_that_is_known_to_break_is_not_tried() -> None:
    """What a reviewer accepted is no finding; without a program nothing is tried."""
    running, new = ("api@sha256:1", _objects("old")), ("api@sha256:2", _objects("new"))
    assert [item.version for item in trials_of(running, new, is_broken=True)] == [NEW]
    assert trials_of(("", ()), ("api@sha256:2", _objects()), is_broken=False) == ()


@pytest.mark.parametrize("said", ["python3 -m trial", "[]", "{}", '["a", 1]'])
def test_unusable_program_is_one_error(said: str) -> None:
    """An annotation that is no list of words is told as it stands."""
    with pytest.raises(DeliveryError, match="is no JSON list of words") as caught:
        trials_of(("", ()), ("api@sha256:2", _objects(said=said)), is_broken=False)
    assert said in caught.value.message


def test_plan_has_what_will_be_tried(yard: Yard) -> None:
    """The page names both programs, and the hash knows them."""
    yard.charts.settings["api"] = {"trial": ["python3", "-m", "old"]}
    yard.commits.migrations["api"] = {yards.OLD: {"zero"}, yards.NEW: {"zero", "one"}}
    yard.deploy()
    yard.back_up(prove="always")
    yard.images.publish(yards.NEW, api="api-2", web="web-2")
    yard.charts.settings["api"] = {"trial": ["python3", "-m", "new"]}
    plan = yard.plan(yards.NEW)
    page = "\n".join(deployment_plan_lines(plan, "here"))
    assert "the running version writes and reads there: python3 -m old" in page
    assert "the new version writes and reads there: python3 -m new" in page
    backup = next(item.backup for item in plan.services if item.name == "api")
    assert backup is not None
    assert [item.image.partition("@")[2] for item in backup.trials] == [
        digest("api-1"), digest("api-2"),
    ]  # fmt: skip
    yard.charts.settings["api"] = {}
    other = yard.plan(yards.NEW)
    assert other.hash != plan.hash


def test_plan_says_that_nothing_is_tried(yard: Yard) -> None:
    """A proof without a trial is told as what it is."""
    yard.commits.migrations["api"] = {yards.OLD: {"zero"}, yards.NEW: {"zero", "one"}}
    yard.deploy()
    yard.back_up(prove="always")
    yard.images.publish(yards.NEW, api="api-2", web="web-2")
    page = "\n".join(deployment_plan_lines(yard.plan(yards.NEW), "here"))
    assert "no version of the service tries the copy: its chart names no trial" in page


def _run(*words: str) -> tuple[int, list[dict[str, Any]], str]:
    argv = (sys.executable, "-B", str(SCRIPTS), "trial", "--version", NEW, "--", *words)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_program_that_works_is_told() -> None:
    """What it prints is kept beside the events, of which there is one."""
    status, events, said = _run(sys.executable, "-c", 'print(\'{"event": "failed"}\')')
    assert (status, events) == (0, [{"event": "tried", "version": NEW}])
    assert said == '{"event": "failed"}\n'


def test_program_that_fails_is_told_with_its_last_line() -> None:
    """The last line of a traceback is the message; all of it is in the log."""
    status, (event,), said = _run(sys.executable, "-c", "raise ValueError('no such column')")
    assert status == event["status"] == 16
    assert event["message"] == (
        "the new version does not work with the migrated copy: ValueError: no such column"
    )
    assert "Traceback" in said


def test_program_that_is_not_there_is_told() -> None:
    """A typing error in a chart is no traceback."""
    status, (event,), _ = _run("/no/such/program")
    assert status == event["status"] == 8
    assert event["message"] == "/no/such/program: No such file or directory"
