"""Backups and their proofs as steps: before anything is touched, once, whoever dies."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Self

import pytest

from monoyard.delivery import Lease, Record
from monoyard.delivery.objects import CONFIG_MAP, JOB, SECRET
from monoyard.deployment import execution
from monoyard.deployment.execution import carry_out, resume
from monoyard.deployment.plan import differences
from monoyard.deployment.unended import open_record
from monoyard.errors import DeliveryError
from monoyard.migrations import Effect, Review
from monoyard.report.deployment_plans import deployment_plan_lines

from .killing import Deadly, KilledError
from .yard import NEW, OLD, Yard, digest

THIRD, FOURTH = "3" * 40, "4" * 40
TOOLS = f"registry.example/postgres@{digest('tools-1')}"


def _prepare(yard: Yard, **policy: str) -> Yard:
    """Have an environment that runs and backs up, and a commit that migrates both services."""
    yard.deploy()
    yard.back_up(**policy)
    yard.images.publish(NEW, api="api-2", web="web-2")
    for name in ("api", "web"):
        yard.commits.migrations[name] = {NEW: {"one"}}
        yard.jobs.wanted[name] = ["r-one"]
    return yard


def _lose(yard: Yard) -> None:
    """Have the migration lose data, which a reviewer has accepted."""
    yard.histories.effects["one"] = (Effect.LOSES,)
    yard.histories.reviews["one"] = (Review(Effect.LOSES, False, "nobody reads it"),)


@pytest.fixture
def shop(yard: Yard) -> Yard:
    """An environment that runs and backs up, and a commit that migrates both of its services."""
    return _prepare(yard)


def _steps(record: Record) -> list[str]:
    return [entry.step for entry in record.entries if entry.state == "done"]


def _key(record: Record, service: str) -> str:
    at = "".join(letter for letter in str(record.header["at"]) if letter.isalnum())
    return f"dev/{service}/{record.number}-{at}"


def test_all_backups_come_before_the_first_migration(shop: Yard) -> None:
    """Where nothing can be lost a backup is taken and not proven; the ledger says which it is."""
    record = shop.deploy(NEW)
    assert _steps(record)[:5] == [
        "backup:api", "backup:web", "migrate:api", "migrate:web", "upgrade:api",
    ]  # fmt: skip
    entry = record.last("backup:api")
    assert entry is not None
    assert entry.facts == {
        "job": "backup-2-api", "key": _key(record, "api"), "taken_at": "2026-11-22T10:11:12Z",
        "bytes": 100, "database_bytes": 8000, "tables": 1, "rows": 3, "revisions": ["r-zero"],
        "sha256": "ab", "largest": {},
    }  # fmt: skip
    assert shop.jobs.kept == [_key(record, "api"), _key(record, "web")]
    assert shop.jobs.proven == []


def test_what_can_lose_data_is_proven_first(shop: Yard) -> None:
    """The copy is restored and migrated before the database is, and that is compared with it."""
    _lose(shop)
    record = shop.deploy(NEW)
    assert _steps(record)[:6] == [
        "backup:api", "backup:web", "prove:api", "prove:web", "migrate:api", "migrate:web",
    ]  # fmt: skip
    entry = record.last("prove:api")
    assert entry is not None
    assert entry.facts == {
        "job": "prove-2-api", "key": _key(record, "api"), "tables": 1, "not_compared": [],
        "applied": ["r-one"], "tried": [],
    }  # fmt: skip
    job = shop.cluster.get(JOB, "migrate-2-api")
    assert job is not None
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[-2:] == ["--guard", "r-one=orders.total"]
    (fetch,) = job["spec"]["template"]["spec"]["initContainers"]
    assert (fetch["image"], _key(record, "api") in fetch["command"]) == (TOOLS, True)


def test_policy_may_want_both_always(yard: Yard) -> None:
    """`always` backs up and proves what is not migrated too, if it has migrations at all."""
    yard.commits.migrations["api"] = {OLD: {"one"}, NEW: {"one"}}
    yard.deploy()
    yard.back_up(backup="always", prove="always")
    yard.images.publish(NEW, api="api-2", web="web-2")
    record = yard.deploy(NEW)
    assert _steps(record)[:3] == ["backup:api", "prove:api", "upgrade:api"]
    job = yard.cluster.get(JOB, "prove-2-api")
    assert job is not None
    names = [item["name"] for item in job["spec"]["template"]["spec"]["initContainers"]]
    assert names == ["fetch", "server", "restore"]


def test_nothing_is_backed_up_where_somebody_migrates_elsewhere(shop: Yard) -> None:
    """`--migrated` has no Job of ours touch a database; `never` says that for an environment."""
    assert _steps(shop.deploy(NEW, migrated=True))[0] == "upgrade:api"
    assert shop.jobs.made == []


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (6, "nothing was touched"), (8, "look at the Secret"), (9, "no room"),
        (11, "`data.store.endpoint`"), (12, "`data.store.bucket`"), (13, "`data.store.secret`"),
        (14, "`data.keep`"), (143, "it was stopped"), (137, "--all-containers"),
    ],
)  # fmt: skip
def test_failing_backup_stops_before_anything_was_touched(
    shop: Yard, status: int, hint: str
) -> None:
    """Each way of a store to fail is one error with what helps; no database was migrated."""
    shop.jobs.bad_backups["web"] = (status, "no such thing")
    with pytest.raises(DeliveryError) as error:
        shop.deploy(NEW)
    assert (error.value.code, error.value.exit_code) == ("backup-failed", 40)
    assert error.value.message == (
        "deployment 2 ended before anything was rolled out: backup:web: the backup failed "
        f"(status {status}): no such thing"
    )
    assert error.value.hint is not None
    assert hint in error.value.hint
    assert shop.jobs.applied == {}
    assert shop.ledger.read(2).outcome == "went-back"
    assert [item.description for item in shop.releases.history("api")] == ["deployment 1"]


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (3, "does not give back"), (5, "the key of none of the recipients"), (6, "on the copy"),
        (7, "the backup is not good"), (9, "no room"), (10, "`data.image`"), (11, "endpoint"),
    ],
)  # fmt: skip
def test_failing_proof_stops_before_the_migration(shop: Yard, status: int, hint: str) -> None:
    """A backup that does not come back, or a migration that fails on it, touches no database."""
    _lose(shop)
    shop.jobs.bad_proofs["api"] = (status, "not so")
    with pytest.raises(DeliveryError, match="the proof of the backup failed") as error:
        shop.deploy(NEW)
    assert error.value.code == "proof-failed"
    assert error.value.hint is not None
    assert hint in error.value.hint
    assert "stays applied" not in str(error.value.context)
    assert shop.jobs.applied == {}


def test_next_backup_spares_what_failed_deployments_name(shop: Yard) -> None:
    """What a deployment took that was not completed may be needed: retention leaves it."""
    shop.jobs.failing["api"] = (6, "no such table")
    with pytest.raises(DeliveryError):
        shop.deploy(NEW)
    shop.jobs.failing.clear()
    record = shop.deploy(NEW)
    job = shop.cluster.get(JOB, "backup-3-api")
    assert job is not None
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    spared = [command[at + 1] for at, word in enumerate(command) if word == "--spare"]
    assert spared == [_key(shop.ledger.read(2), "api")]
    assert record.outcome == "completed"
    assert command[command.index("--keep") + 1] == "7"
    shop.commits.order.append("3" * 40)
    shop.images.publish("3" * 40, api="api-3", web="web-2", postgres="tools-1")
    shop.commits.migrations["api"]["3" * 40] = {"one", "two"}
    shop.deploy("3" * 40)
    job = shop.cluster.get(JOB, "backup-4-api")
    assert job is not None
    assert "--spare" not in job["spec"]["template"]["spec"]["containers"][0]["command"]


def test_plan_says_what_is_backed_up_and_proven(shop: Yard) -> None:
    """The page has where to, by what and why, and from when on writes are not in it."""
    _lose(shop)
    lines = "\n".join(deployment_plan_lines(shop.plan(NEW), "here"))
    assert (
        "      backs up first: it is migrated; to shop of http://store.example:9000, encrypted to "
        "2 keys, by the image" in lines
    )
    assert "recovery point: the backup's beginning" in lines
    assert "proves the backup by a restored copy: r-one loses orders.total" in lines
    data = shop.plan(NEW).to_data()["services"][0]["backup"]
    assert (data["image"], data["store"]["bucket"]) == (TOOLS, "shop")


@pytest.mark.parametrize(
    ("policy", "differs"),
    [
        ({"keep": 3}, "services.api.backup.keep: 7 -> 3"),
        ({"prove": "always"}, "services.api.backup.proves: false -> true"),
        ({"backup": "never"}, "services.api.backup"),
        ({"recipients": ("age1inside", "age1other")}, "services.api.backup.recipients"),
        ({"variable": "OTHER"}, "services.api.backup.variable"),
    ],
)
def test_hash_covers_the_backup(shop: Yard, policy: dict[str, str], differs: str) -> None:
    """Another store, other keys, another proof or none is another plan."""
    before = shop.plan(NEW)
    for name in ("backup-store", "backup-identity"):
        shop.cluster.delete(SECRET, name)
    shop.back_up(**policy)
    now = shop.plan(NEW)
    assert before.hash != now.hash
    told = differences(before.decisions(), now.decisions())
    assert any(line.startswith(differs) for line in told)


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"store": None}, "no-store"),
        ({"image": ""}, "no-backup-image"),
        ({"image": "other"}, "no-image"),
        ({"recipients": ("age1inside",)}, "no-recipients"),
        ({"variable": "OTHER"}, "no-database-address"),
    ],
)
def test_plan_without_a_way_to_back_up_is_refused(
    yard: Yard, policy: dict[str, str], code: str
) -> None:
    """What a backup needs and nobody says is told in the plan, for each service."""
    shop = _prepare(yard, **policy)
    plan = shop.plan(NEW)
    assert {item.code for item in plan.refusals} == {code}
    assert all(item.hint for item in plan.refusals)


def test_missing_secrets_are_told_in_the_plan(shop: Yard) -> None:
    """The store's Secret is needed for any backup, the private key for a proof alone."""
    for name in ("backup-store", "backup-identity"):
        shop.cluster.delete(SECRET, name)
    assert [item.message for item in shop.plan(NEW).refusals] == 2 * [
        "backups need it: there is no Secret `backup-store`"
    ]
    _lose(shop)
    assert len(shop.plan(NEW).refusals) == 4


def test_image_that_is_not_accepted_backs_nothing_up(shop: Yard) -> None:
    """The programs' image is held to the policy as others are, in the plan and right before."""
    plan = shop.plan(NEW)
    shop.images.refused.add(digest("tools-1"))
    assert [item.code for item in shop.plan(NEW).refusals] == 2 * ["not-accepted"]
    shop.images.refused.clear()
    shop.refuse_once_a_job_is_made(digest("tools-1"))
    with pytest.raises(DeliveryError, match="backup:web"):
        carry_out(shop.crew(), shop.world, plan)
    assert shop.jobs.made == ["backup-2-api"]


def test_image_of_others_is_taken_by_its_digest(yard: Yard) -> None:
    """A team without such an image of its own names one; nobody here vouches for it."""
    image = f"registry.example/other@sha256:{'0' * 64}"
    shop = _prepare(yard, image=image)
    shop.deploy(NEW)
    job = shop.cluster.get(JOB, "backup-2-api")
    assert job is not None
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == image


class _Later(datetime):
    """The machine's clock, an hour on."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(hours=1)


def test_job_of_a_ledger_that_is_gone_backs_nothing_up(
    shop: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where numbers began anew, a Job of before that has the name is no backup of now."""
    shop.deploy(NEW)
    for number in (1, 2):
        shop.cluster.delete(CONFIG_MAP, f"deployment-{number}")
    monkeypatch.setattr(execution, "datetime", _Later)
    shop.images.publish(THIRD, api="api-3", web="web-2", postgres="tools-1")
    shop.commits.order.append(THIRD)
    shop.commits.migrations["api"][THIRD] = {"one"}
    assert shop.deploy(THIRD, services=("api",)).number == 1
    shop.images.publish(FOURTH, api="api-4", web="web-2", postgres="tools-1")
    shop.commits.order.append(FOURTH)
    shop.commits.migrations["api"][FOURTH] = {"one", "two"}
    shop.jobs.wanted["api"] = ["r-one", "r-two"]
    kept = list(shop.jobs.kept)
    with pytest.raises(DeliveryError, match="Job backup-2-api already, of another") as error:
        shop.deploy(FOURTH, services=("api",))
    assert error.value.code == "backup-vanished"
    assert "remove the Job" in str(error.value.hint)
    assert (shop.jobs.kept, shop.jobs.applied["api"]) == (kept, ["r-one"])


def test_backup_under_another_key_is_none(shop: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Job says that it took has to be what the deployment asked for."""
    print_log = shop.cluster.print_log

    def lie(pod: str, container: str, text: str) -> None:
        print_log(pod, container, text.replace('"key": "dev/api/2-', '"key": "dev/api/9-'))

    monkeypatch.setattr(shop.cluster, "print_log", lie)
    with pytest.raises(DeliveryError, match="took another backup than") as error:
        shop.deploy(NEW)
    assert error.value.code == "backup-vanished"
    assert shop.jobs.applied == {}


def _kill(yard: Deadly, write: int, *, is_written: bool) -> None:
    plan = yard.plan(NEW)
    Lease(yard.cluster, "dev", "killed", yard.clock).acquire(0, print)
    yard.deadly.fatal, yard.deadly.is_written = write, is_written
    with pytest.raises(KilledError):
        carry_out(yard.crew("killed"), yard.world, plan)
    yard.deadly.fatal = None


@pytest.mark.parametrize("write", range(1, 17))
@pytest.mark.parametrize("is_written", [False, True])
def test_killed_around_backup_and_proof(write: int, is_written: bool) -> None:
    """Killed at any write of ledger or Job, whoever resumes ends it: one backup, one proof."""
    yard = Deadly()
    _prepare(yard)
    yard.commits.migrations.pop("web")
    yard.images.publish(NEW, web="web-1")
    _lose(yard)
    _kill(yard, write, is_written=is_written)
    record = resume(yard.crew("second"), yard.world, open_record(yard.ledger, "dev"))
    assert record.outcome == "completed"
    assert yard.jobs.made == ["backup-2-api", "prove-2-api", "migrate-2-api"]
    assert yard.jobs.kept == yard.jobs.proven == [_key(record, "api")]
    assert yard.jobs.applied["api"] == ["r-one"]
