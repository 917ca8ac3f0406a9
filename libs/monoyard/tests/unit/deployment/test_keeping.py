"""Backups between deployments: listed, verified and brought back by Jobs that leave nothing."""

from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from monoyard.bindings import keeping
from monoyard.bindings.delivering import Place
from monoyard.bindings.deploy_parts import Parts
from monoyard.delivery import Lease, Object
from monoyard.delivery.access import Access
from monoyard.delivery.objects import CONFIG_MAP, JOB, SECRET, labels_of
from monoyard.deployment import Kept, Runs
from monoyard.deployment.jobs import AHEAD, RUN_LABEL
from monoyard.errors import DeliveryError, LockedError
from monoyard.report.backups import backup_lines, recovery_lines, verified_line
from monoyard.report.deliveries import history_lines, record_line

from .yard import NEW, Yard, at_once, digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monoyard.delivery import Record

TOOLS = f"registry.example/postgres@{digest('tools-1')}"
TOLD = {
    "taken_at": "2026-11-22T10:11:12Z", "bytes": 2048, "rows": 3, "tables": 1,
    "revisions": ["r-zero"], "proven_at": "",
}  # fmt: skip


@pytest.fixture
def shop(yard: Yard) -> Yard:
    """An environment whose last deployment backed one service up and migrated it."""
    yard.deploy()
    yard.back_up()
    yard.commits.migrations["api"] = {NEW: {"one"}}
    yard.jobs.wanted["api"] = ["r-one"]
    yard.deploy(NEW)
    return yard


def _kept(yard: Yard, lease: Lease | None = None) -> Kept:
    timeouts = yard.crew().timeouts
    runs = Runs(yard.cluster, yard.clock, lambda: None, yard.told.append, timeouts)
    return Kept(yard.environment, yard.ledger, yard.releases, runs, "ab12", "jane@here", lease)


def _recover(yard: Yard, key: str) -> Sequence[Mapping[str, Any]]:
    with yard.crew().holding(yard.cluster, "dev") as lease:
        return _kept(yard, lease).recover(key, is_planned=False)


def _key(yard: Yard, number: int = 2) -> str:
    record: Record = yard.ledger.read(number)
    entry = record.last("backup:api")
    assert entry is not None
    return str(entry.facts["key"])


def _enter(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Have what is called enter a yard's environment."""
    engine: Any = SimpleNamespace(repository=SimpleNamespace(top=Path()))
    access = Access(Path(), "here", "uid", "shop-dev")
    place = Place(engine, yard.environment, access, yard.cluster, yard.clock)
    monkeypatch.setattr(keeping, "entered", lambda *_: nullcontext(place))
    monkeypatch.setattr(Parts, "releases", lambda *_: yard.releases)
    return place


def _pods(job: Object) -> Any:
    return job["spec"]["template"]["spec"]


def _left(yard: Yard) -> list[str]:
    return [
        thing["metadata"]["name"]
        for kind in (JOB, *AHEAD)
        for thing in yard.cluster.list(kind, {})
        if RUN_LABEL in labels_of(thing)
    ]


def test_lost_key_is_said_before_anything_is_made(shop: Yard) -> None:
    """Without the Secret that restores nothing is verified or restored; all is still listed."""
    shop.cluster.delete(SECRET, shop.environment.data.identity)
    for ask in (
        lambda: _kept(shop).verify(_key(shop)),
        lambda: _kept(shop).recover(_key(shop), is_planned=True),
    ):
        with pytest.raises(DeliveryError, match="there is no Secret `backup-identity`") as error:
            ask()
        assert error.value.code == "missing-secret"
    assert shop.jobs.asked == []
    shop.jobs.listed = [{"key": _key(shop), **TOLD}]
    assert len(_kept(shop).list()) == 1


def test_backups_are_listed_by_a_job(shop: Yard) -> None:
    """The store is asked in the cluster, with its Secret by name; nothing of the Job stays."""
    shop.jobs.listed = [{"key": _key(shop), **TOLD}]
    (found,) = _kept(shop).list()
    assert found["key"] == _key(shop)
    (job,) = shop.jobs.asked
    (container,) = _pods(job)["containers"]
    assert (container["image"], container["command"][3:]) == (TOOLS, [
        "backups", "--prefix", "dev/",
    ])  # fmt: skip
    assert _left(shop) == []
    (line,) = backup_lines([found])
    assert line == (
        f"{_key(shop)}  2026-11-22T10:11:12Z  2.0 KiB, 3 rows in 1 table, revision r-zero, "
        "not proven"
    )
    assert list(backup_lines([])) == ["the store has no whole backup"]


def test_job_of_no_deployment_holds_nobody_up(shop: Yard) -> None:
    """A Job that asks has none of the labels that whoever takes the Lease waits for."""
    _kept(shop).list()
    (job,) = shop.jobs.asked
    assert "monoyard.dev/environment" not in labels_of(job)
    assert "monoyard.dev/deployment" not in labels_of(job)
    assert job["metadata"]["name"] == "list-ab12-api"


def test_backup_is_verified_on_a_copy(shop: Yard) -> None:
    """The newest is restored as in a proof, with no migration and none of the service's ways."""
    kept = _kept(shop)
    found = kept.verify(kept.newest())
    assert found == {"key": _key(shop), "tables": 1, "not_compared": []}
    (job,) = shop.jobs.asked
    names = [item["name"] for item in _pods(job)["initContainers"]]
    assert names == ["fetch", "server", "restore"]
    assert verified_line(found) == f"{_key(shop)} restores to what was backed up: 1 table"
    assert _left(shop) == []


def test_newest_is_the_one_that_was_taken_last(shop: Yard) -> None:
    """Of several backups of one deployment it is the last, of services that are still there."""
    shop.images.publish("3" * 40, api="api-3", web="web-2", postgres="tools-1")
    shop.commits.order.append("3" * 40)
    shop.commits.migrations["api"]["3" * 40] = {"one", "two"}
    shop.commits.migrations["web"] = {"3" * 40: {"one"}}
    shop.deploy("3" * 40)
    kept = _kept(shop)
    assert kept.newest() == shop.jobs.kept[-1]
    assert "/web/3-" in kept.newest()
    del shop.services["web"]
    assert _kept(shop).newest() == _key(shop, 3)


def test_backup_that_is_not_good_is_told(shop: Yard) -> None:
    """What fails says why, with what helps, and leaves nothing either."""
    shop.jobs.bad_proofs["api"] = (5, "no identity can decrypt it")
    with pytest.raises(DeliveryError, match="no identity can decrypt it") as error:
        _kept(shop).verify(_key(shop))
    assert error.value.code == "proof-failed"
    assert _left(shop) == []


def test_lost_things_are_brought_back(shop: Yard) -> None:
    """By default from the backup before the last migration; the copy is beside, the key in it."""
    kept = _kept(shop)
    key = kept.newest_before_migration("api")
    assert key == _key(shop)
    shop.jobs.recovered = [
        {"event": "lost", "tables": ["orders"], "columns": {"users": ["note"]}},
        {"event": "untouched", "name": "index x", "message": "is gone"},
        {"event": "table", "name": "orders", "rows": 3},
        {"event": "column", "name": "users", "columns": ["note"], "rows": 2, "new": 1, "gone": 0},
    ]
    events = _recover(shop, key)
    (job,) = shop.jobs.asked
    pod = _pods(job)
    assert [item["name"] for item in pod["initContainers"]] == ["fetch", "server"]
    (container,) = pod["containers"]
    variables = {item["name"]: item for item in container["env"]}
    assert variables["DATABASE_URL"]["valueFrom"]["secretKeyRef"]["name"] == "api-database"
    assert variables["SCRATCH_URL"]["value"] == "postgresql://postgres@127.0.0.1:5432/postgres"
    assert list(recovery_lines(key, events, is_planned=False)) == [
        "left to you: index x is gone",
        "brought back: table orders, 3 rows",
        "brought back: note of users, in 2 rows; 1 newer row without, 0 rows of the backup gone",
    ]


def test_history_says_what_was_restored(shop: Yard) -> None:
    """It stands with the deployment that ran, and neither its time nor its outcome changes."""
    key = _key(shop)
    before = shop.ledger.history()[0]
    shop.jobs.recovered = [{"event": "table", "name": "orders", "rows": 3}]
    _recover(shop, key)
    shop.cluster.delete(SECRET, shop.environment.data.identity)
    with pytest.raises(DeliveryError, match="Secret"):
        _recover(shop, key)
    after = shop.ledger.history()[0]
    assert (after.outcome, after.failure) == ("completed", None)
    assert after.own == before.entries
    lines = list(history_lines([after]))
    assert lines[0] == record_line(before)
    first, second = lines[1:]
    assert first.startswith(f"     restore:api from {key} by jane@here at ")
    assert first.endswith(": orders")
    assert ": failed: " in second
    assert "Secret" in second


def test_restore_is_mirrored_like_all_that_is_done(
    shop: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is beside the backups too, without a deployment after it."""
    _enter(shop, monkeypatch)
    parts = Parts(mirroring=at_once)
    keeping.restore_backup(Path(), "dev", "api", "", None, is_planned=False, parts=parts)
    assert "restore:api" in str(shop.jobs.mirrored)


def test_restore_whose_end_nobody_saw_is_told(shop: Yard) -> None:
    """It is in the history before anything is done: after a kill it stands there as begun."""
    shop.job_left_by(lambda: _recover(shop, _key(shop)))
    line = list(history_lines([shop.ledger.history()[0]]))[1]
    assert line.endswith(": begun, and nobody saw its end")


def test_restore_that_lost_its_runner_is_waited_for(shop: Yard) -> None:
    """While its Job still writes nobody else may change the environment; once it ended they may."""
    job = shop.job_left_by(lambda: _recover(shop, _key(shop)))
    shop.cluster.create(JOB, job)
    taker = Lease(shop.cluster, "dev", "taker", shop.clock)
    with pytest.raises(LockedError, match="Job recover-ab12-api still runs"):
        taker.acquire(0, print)
    status = {"conditions": [{"type": "Complete", "status": "True"}]}
    shop.cluster.merge(JOB, "recover-ab12-api", {"status": status}, status=True)
    assert taker.acquire(0, print) > 0


def test_whoever_only_asks_holds_nobody_up(shop: Yard) -> None:
    """Lists, proofs and plans change nothing of the environment: their Jobs keep nobody waiting."""
    for ask in (
        lambda: _kept(shop).list(),
        lambda: _kept(shop).verify(_key(shop)),
        lambda: _kept(shop).recover(_key(shop), is_planned=True),
    ):
        job = shop.job_left_by(ask)
        shop.cluster.create(JOB, job)
        assert Lease(shop.cluster, "dev", "taker", shop.clock).acquire(60, print) > 0
        shop.cluster.delete(JOB, job["metadata"]["name"])


def test_sigterm_ends_a_restore_in_order(shop: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a restore is stopped its Job stops too, and the environment is free at once."""
    place = _enter(shop, monkeypatch)
    shop.jobs.slow.add("api")

    def stop() -> None:
        if "recover" in str(shop.jobs.made):
            os.kill(os.getpid(), signal.SIGTERM)

    shop.clock.happenings.append(stop)
    usual = Mock()
    before = signal.signal(signal.SIGTERM, usual)
    try:
        parts = Parts(mirroring=None)
        with pytest.raises(KeyboardInterrupt):
            keeping.restore_backup(Path(), "dev", "api", "", None, is_planned=False, parts=parts)
        assert signal.getsignal(signal.SIGTERM) is usual
    finally:
        signal.signal(signal.SIGTERM, before)
    assert _left(shop) == []
    holder = place.lease().look()
    assert holder is not None
    assert holder.name == ""


def test_plan_of_a_recovery_changes_nothing(shop: Yard) -> None:
    """It needs the manifest alone, and no copy."""
    shop.jobs.recovered = [{"event": "lost", "tables": ["orders"], "columns": {"users": ["note"]}}]
    events = _kept(shop).recover(_key(shop), is_planned=True)
    (job,) = shop.jobs.asked
    assert [item["name"] for item in _pods(job)["initContainers"]] == ["fetch"]
    assert "--only-manifest" in _pods(job)["initContainers"][0]["command"]
    assert _pods(job)["containers"][0]["command"][-1] == "--plan"
    assert list(recovery_lines("k", events, is_planned=True)) == [
        "k would bring back", "  table orders", "  users: note",
    ]  # fmt: skip
    assert list(recovery_lines("k", [], is_planned=True)) == ["nothing is lost that k has"]


def test_backup_from_before_the_loss_is_meant(yard: Yard) -> None:
    """A deployment that found its migrations applied backed up what was lost by then already."""
    yard.deploy()
    yard.back_up()
    yard.commits.migrations["api"] = {NEW: {"one"}}
    yard.jobs.wanted["api"] = ["r-one"]
    yard.argo.bad.add(digest("api-2"))
    with pytest.raises(DeliveryError, match="went back"):
        yard.deploy(NEW)
    yard.argo.bad.clear()
    yard.deploy(NEW, again=True)
    assert yard.ledger.read(3).done("backup:api") is not None
    assert _kept(yard).newest_before_migration("api") == _key(yard, 2)


def test_what_there_is_not_is_told(shop: Yard, yard: Yard) -> None:
    """A key of elsewhere, a service that was never backed up, and an environment without any."""
    kept = _kept(shop)
    for key in ("prod/api/1-x", "dev/api", "dev/other/1-x"):
        with pytest.raises(DeliveryError) as error:
            kept.verify(key)
        assert error.value.code == "no-backup"
    with pytest.raises(DeliveryError, match="no deployment that backed web up"):
        kept.newest_before_migration("web")
    shop.releases.uninstall("api")
    with pytest.raises(DeliveryError, match="api does not run in `dev`"):
        kept.list()
    for number in (1, 2):
        yard.cluster.delete(CONFIG_MAP, f"deployment-{number}")
    for ask in (kept.list, kept.newest):
        with pytest.raises(DeliveryError, match="no deployment to `dev` took a backup"):
            ask()
