"""Migrations as a step of a deployment: done once, before anything is sent, whoever dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monoyard.delivery import UNREACHABLE, Kind, Lease, Object
from monoyard.delivery.objects import CONFIG_MAP, JOB, POD
from monoyard.deployment.earlier import find_earlier
from monoyard.deployment.execution import carry_out, resume
from monoyard.deployment.job_log import Log
from monoyard.deployment.jobs import Wanted
from monoyard.deployment.tidying import tidy
from monoyard.deployment.unended import open_record
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError, LockedError
from monoyard.migrations import Effect, Review
from monoyard.testing import FakeNamespace

from .jobs import finished
from .killing import Deadly, KilledError
from .yard import NEW, OLD, Yard, digest

if TYPE_CHECKING:
    from monoyard.delivery import Record


LATER = "3" * 40


def _prepared(yard: Yard) -> Yard:
    """Have an environment that runs, and a commit that migrates both of its services."""
    yard.deploy()
    yard.images.publish(NEW, api="api-2", web="web-2")
    for name in ("api", "web"):
        yard.commits.migrations[name] = {NEW: {"one", "two"}}
        yard.jobs.wanted[name] = ["r-one", "r-two"]
    return yard


@pytest.fixture
def shop(yard: Yard) -> Yard:
    """An environment that runs, and a commit that migrates both of its services."""
    return _prepared(yard)


def _sent(yard: Yard) -> list[str]:
    return [item.description for item in yard.releases.history("api")]


def _fails(yard: Yard) -> DeliveryError:
    with pytest.raises(DeliveryError) as error:
        yard.deploy(NEW)
    return error.value


def test_all_migrations_come_first(shop: Yard) -> None:
    """Every service is migrated before the first is sent, and the ledger has what was applied."""
    record = shop.deploy(NEW)
    done = [entry.step for entry in record.entries if entry.state == "done"]
    assert done[:4] == ["migrate:api", "migrate:web", "upgrade:api", "upgrade:web"]
    entry = record.last("migrate:api")
    assert entry is not None
    assert entry.facts == {"job": "migrate-2-api", "applied": ["r-one", "r-two"], "head": "r-two"}
    assert record.header["services"]["api"]["migrations"] == ["r-one", "r-two"]
    assert shop.jobs.made == ["migrate-2-api", "migrate-2-web"]
    assert "api: applied revision r-one attempt 1" in shop.told


def test_services_without_new_migrations_make_no_job(yard: Yard) -> None:
    """Nothing runs where nothing is pending, and nothing where somebody migrates elsewhere."""
    yard.commits.migrations["api"] = {OLD: {"one"}}
    record = yard.deploy(migrated=True)
    assert record.last("migrate:api") is None
    assert yard.jobs.made == []


def test_database_that_is_there_already(shop: Yard) -> None:
    """Where somebody has applied them, the Job says so, and the deployment goes on."""
    shop.jobs.applied["api"] = ["r-one", "r-two"]
    record = shop.deploy(NEW)
    entry = record.last("migrate:api")
    assert entry is not None
    assert (entry.facts["applied"], entry.facts["head"]) == ([], "r-two")


def test_floor_is_raised_by_the_job(shop: Yard) -> None:
    """A breaking revision that a reviewer accepted is applied with the reason as its floor."""
    shop.histories.effects["two"] = (Effect.BREAKS,)
    shop.histories.reviews["two"] = (Review(Effect.BREAKS, False, "written since 1.4"),)
    record = shop.deploy(NEW, allow_downtime=True)
    assert record.header["services"]["api"]["floors"] == {"r-two": "written since 1.4"}
    job = shop.cluster.get(JOB, "migrate-2-api")
    assert job is not None
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[-6:-2] == ["--only", "r-one", "--only", "r-two"]
    assert command[-2:] == ["--floor", "r-two=written since 1.4"]


def test_rollback_under_the_floor_is_refused(shop: Yard) -> None:
    """A version that cannot live with what was migrated since is not gone back to."""
    shop.histories.effects["two"] = (Effect.BREAKS,)
    shop.histories.reviews["two"] = (Review(Effect.BREAKS, False, "written since 1.4"),)
    shop.deploy(NEW, allow_downtime=True)
    with pytest.raises(DeliveryError, match="the earlier version cannot live with") as error:
        find_earlier(shop.ledger, shop.releases, "dev", 1)
    assert error.value.code == "does-not-fit"
    assert error.value.context == ("r-two: written since 1.4",)
    assert find_earlier(shop.ledger, shop.releases, "dev", 2).revisions == {}


def test_floor_that_was_not_raised_forbids_nothing(shop: Yard) -> None:
    """Where the migration failed, the floor is where it was."""
    shop.histories.effects["two"] = (Effect.BREAKS,)
    shop.histories.reviews["two"] = (Review(Effect.BREAKS, False, "written since 1.4"),)
    shop.jobs.failing["api"] = (6, "no such table")
    with pytest.raises(DeliveryError, match="ended before"):
        shop.deploy(NEW, allow_downtime=True)
    shop.commits.order.append("3" * 40)
    shop.images.publish("3" * 40, api="api-3", web="web-1")
    shop.deploy("3" * 40)
    assert find_earlier(shop.ledger, shop.releases, "dev", 1).revisions == {"api": 1}


def test_failure_over_a_raised_floor_stays(shop: Yard) -> None:
    """What does not fit its database is not gone back to: the others go back, and it is told."""
    shop.histories.effects["two"] = (Effect.BREAKS,)
    shop.histories.reviews["two"] = (Review(Effect.BREAKS, False, "written since 1.4"),)
    shop.commits.migrations.pop("web")
    shop.argo.bad.add(digest("web-2"))
    with pytest.raises(DeliveryError) as error:
        shop.deploy(NEW, allow_downtime=True)
    assert error.value.code == "not-back"
    assert "api cannot go back" in error.value.context[1]
    assert shop.ledger.history()[0].outcome == "failed"
    assert shop.releases.calls[-1] == "rollback web 1"
    assert _sent(shop) == ["deployment 1", "deployment 2"]
    assert "the new one serves" in error.value.context[1]
    assert shop.phases() == {"api": "completed api-2", "web": "completed web-1"}
    aborted = shop.ledger.history()[0].done("abort")
    assert aborted is not None
    assert aborted.facts["aborted"] == []
    shop.images.publish(LATER, api="api-3", web="web-1")
    shop.commits.order.append(LATER)
    assert shop.plan(LATER).refusals == ()


def test_evidence_leaves_migrations_out(shop: Yard) -> None:
    """The pod of an earlier migration that failed says nothing of why a rollout did."""
    shop.jobs.failing["web"] = (5, "no lock")
    _fails(shop)
    shop.jobs.failing.clear()
    shop.argo.bad.add(digest("web-2"))
    error = _fails(shop)
    assert error.code == "went-back"
    assert "pod web-bad: Running" in error.context
    assert "migrate" not in str(error.context)


def test_rollback_over_safe_migrations_works(shop: Yard) -> None:
    """After migrations that the earlier version lives with, it is gone back to as ever."""
    shop.deploy(NEW)
    assert find_earlier(shop.ledger, shop.releases, "dev", 1).revisions == {"api": 1, "web": 1}


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (3, "another migration holds the lock"),
        (4, "have it at what the running commit has"),
        (5, "deploy again in a calmer hour"),
        (6, "mend the revision"),
        (7, "takes another backup"),
        (8, "look at the Secret"),
        (9, "the models of this commit"),
        (143, "it was stopped"),
        (137, "`kubectl logs job/migrate-2-web --all-containers` has"),
    ],
)
def test_failing_migration_stops_before_anything_is_sent(
    shop: Yard, status: int, hint: str
) -> None:
    """Each exit status ends the deployment in the program's words; nothing was sent."""
    shop.jobs.failing["web"] = (status, "ProgrammingError: no such table")
    error = _fails(shop)
    assert (error.code, error.exit_code) == ("migration-failed", 40)
    assert error.message == (
        "deployment 2 ended before anything was rolled out: migrate:web: the migration failed "
        f"(status {status}): ProgrammingError: no such table"
    )
    assert error.context[0] == "stays applied: r-one"
    assert '"event": "failed"' in error.context[-1]
    assert error.hint is not None
    assert hint in error.hint
    record = shop.ledger.read(2)
    assert record.outcome == "went-back"
    entry = record.last("nothing-sent")
    assert entry is not None
    assert entry.facts["applied"] == {"api": ["r-one", "r-two"]}
    assert _sent(shop) == ["deployment 1"]
    assert shop.phases() == {"api": "completed api-1", "web": "completed web-1"}
    assert shop.cluster.get(JOB, "migrate-2-web") is not None


def test_failed_migration_is_mended_by_the_next_deployment(shop: Yard) -> None:
    """The same commit may be deployed again; what was applied is not applied twice."""
    shop.jobs.failing["api"] = (5, "no lock")
    _fails(shop)
    shop.jobs.failing.clear()
    assert shop.deploy(NEW).outcome == "completed"
    assert shop.jobs.applied["api"] == ["r-one", "r-two"]
    assert shop.jobs.made == ["migrate-2-api", "migrate-3-api", "migrate-3-web"]


def test_pod_that_says_nothing_is_told_by_its_status(shop: Yard) -> None:
    """A program that was killed without a word is told by its exit status and the Job's reason."""
    shop.jobs.failing["api"] = (137, "")
    shop.jobs.wanted["api"] = []
    assert "(status 137): it has failed" in _fails(shop).message


def test_migration_that_takes_too_long(shop: Yard) -> None:
    """The Job's deadline ends it, and what it said is kept although the pod is gone."""
    shop.jobs.slow.add("api")
    error = _fails(shop)
    assert error.code == "migration-late"
    assert "migrate-2-api did not end in 20 s" in error.message
    assert '"event": "heads"' in error.context[0]
    assert shop.cluster.get(POD, "migrate-2-api-pod") is None


def test_pod_that_cannot_start_says_why(shop: Yard) -> None:
    """While its image cannot be had that is told, once, and it ends with the Job's deadline."""
    shop.jobs.stuck.add("api")
    assert _fails(shop).code == "migration-late"
    assert shop.told.count("api: its pod waits: ImagePullBackOff: no such image") == 1


def test_job_that_nobody_ends(shop: Yard) -> None:
    """Without a controller that ends Jobs, we stop waiting a minute after its deadline."""
    shop.clock.happenings.remove(shop.jobs.step)
    shop.clock.happenings.append(lambda: _unschedulable(shop))
    error = _fails(shop)
    assert error.code == "migration-late"
    assert error.context == ("its pod waits: 0/1 nodes are available",)


def _unschedulable(yard: Yard) -> None:
    job = yard.cluster.get(JOB, "migrate-2-api")
    if job is not None and yard.cluster.get(POD, "pod") is None:
        metadata = {"name": "pod", "labels": job["metadata"]["labels"]}
        said = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
        status = {"conditions": [{"type": "Ready", "status": "False"}, said]}
        thing = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}
        yard.cluster.create(POD, thing)


def test_job_that_somebody_removes(shop: Yard) -> None:
    """A Job that is gone is no success: whether it migrated is not known."""
    shop.jobs.vanishing.add("api")
    error = _fails(shop)
    assert error.code == "migration-vanished"
    assert _sent(shop) == ["deployment 1"]


def test_job_of_another_image_is_not_adopted(shop: Yard) -> None:
    """A Job of the same name from before a ledger was removed is no evidence of anything."""
    job = finished("api", 2)
    pod = {"containers": [{"name": "migrate", "image": "registry.example/api@old"}]}
    shop.cluster.create(JOB, {**job, "spec": {"template": {"spec": pod}}})
    error = _fails(shop)
    assert "of another image" in error.message
    assert shop.jobs.applied == {}


def test_image_is_examined_before_it_migrates(shop: Yard) -> None:
    """An image that is not accepted any more does not get at a database."""
    plan = shop.plan(NEW)
    shop.refuse_once_a_job_is_made(digest("web-2"))
    with pytest.raises(DeliveryError, match="migrate:web"):
        carry_out(shop.crew(), shop.world, plan)
    assert shop.jobs.made == ["migrate-2-api"]


def test_api_server_that_restarts_is_waited_for(shop: Yard) -> None:
    """While it does not answer we wait: neither Job nor what it says is missed."""
    seconds = iter(range(1000))

    def controllers() -> None:
        second = next(seconds) if shop.jobs.made else -1
        if second in (0, 1):
            shop.cluster.stop_answering()
            return
        shop.cluster.answer_again()
        shop.argo.step()
        shop.jobs.step()

    shop.clock.happenings[:] = [controllers]
    assert shop.deploy(NEW).outcome == "completed"
    assert next(seconds) > 2
    assert shop.jobs.applied["api"] == ["r-one", "r-two"]


def test_job_whose_answer_was_lost_is_there_once(shop: Yard) -> None:
    """Where the API server made the Job and its answer was lost, that Job is the one."""
    plan, lost = shop.plan(NEW), [JOB]

    def create(kind: Kind, thing: Object) -> Object:
        made = FakeNamespace.create(shop.cluster, kind, thing)
        if kind in lost:
            lost.clear()
            raise ClusterError("it does not answer", code=UNREACHABLE)
        return made

    shop.cluster.create = create  # type: ignore[method-assign]
    assert carry_out(shop.crew(), shop.world, plan).outcome == "completed"
    assert not lost
    assert shop.jobs.made == ["migrate-2-api", "migrate-2-web"]


def test_cluster_that_refuses_the_job_ends_it(shop: Yard) -> None:
    """What the API server refuses, an account that is not allowed to, is told as it is."""
    plan = shop.plan(NEW)

    def forbid(kind: Kind, thing: Object) -> Object:
        if kind == JOB:
            raise ClusterError("Job migrate-2-api cannot be made", code="refused")
        return FakeNamespace.create(shop.cluster, kind, thing)

    shop.cluster.create = forbid  # type: ignore[method-assign]
    with pytest.raises(DeliveryError, match="cannot be made") as error:
        carry_out(shop.crew(), shop.world, plan)
    assert error.value.code == "refused"


def test_log_that_is_refused_is_no_failure(shop: Yard) -> None:
    """Who may not read logs migrates all the same; the ledger then has less to tell."""
    answers = iter([UNREACHABLE])

    def forbid(pod: str, container: str, lines: int) -> str:
        del pod, container, lines
        raise ClusterError("no", code=next(answers, "refused"))

    shop.cluster.log = forbid  # type: ignore[method-assign]
    record = shop.deploy(NEW)
    entry = record.last("migrate:api")
    assert entry is not None
    assert entry.facts == {"job": "migrate-2-api", "applied": []}


def test_runner_that_lost_its_lease_leaves_the_job(shop: Yard) -> None:
    """Whoever lost the environment stops waiting and writes nothing; the Job goes on."""
    plan = shop.plan(NEW)
    shop.jobs.slow.add("api")

    def overtake() -> None:
        if shop.jobs.made:
            shop.clock.happenings.clear()
            shop.clock.advance(60)

    shop.clock.happenings.append(overtake)
    with pytest.raises(LeaseLostError):
        carry_out(shop.crew(), shop.world, plan)
    assert shop.cluster.get(JOB, "migrate-2-api") is not None
    assert shop.ledger.history()[0].outcome == "open"


def test_taker_waits_for_a_job_that_runs(shop: Yard) -> None:
    """Nobody begins another deployment while a migration of the one before is at it."""
    plan = shop.plan(NEW)
    job = {key: item for key, item in finished("api", 1).items() if key != "status"}
    spec = {"activeDeadlineSeconds": 10_000, "template": {"metadata": {"labels": {}}}}
    shop.jobs.slow.add("api")
    shop.cluster.create(JOB, {**job, "spec": spec})
    with pytest.raises(LockedError, match="Job migrate-1-api still runs"):
        carry_out(shop.crew(), shop.world, plan)


@pytest.fixture
def deadly() -> Deadly:
    """An environment that runs, a commit that migrates both services, and a killer."""
    yard = Deadly()
    _prepared(yard)
    return yard


def _kill(yard: Deadly, write: int, *, is_written: bool) -> None:
    plan = yard.plan(NEW)
    Lease(yard.cluster, "dev", "killed", yard.clock).acquire(0, print)
    yard.deadly.fatal, yard.deadly.is_written = write, is_written
    with pytest.raises(KilledError):
        carry_out(yard.crew("killed"), yard.world, plan)
    yard.deadly.fatal = None


def _resumed(yard: Deadly) -> Record:
    return resume(yard.crew("second"), yard.world, open_record(yard.ledger, "dev"))


@pytest.mark.parametrize("write", range(1, 9))
@pytest.mark.parametrize("is_written", [False, True])
def test_killed_around_a_migration(deadly: Deadly, write: int, is_written: bool) -> None:
    """Killed at any write of ledger or Job, whoever resumes ends it: one Job, applied once."""
    _kill(deadly, write, is_written=is_written)
    assert _resumed(deadly).outcome == "completed"
    for name in ("api", "web"):
        assert deadly.jobs.applied[name] == ["r-one", "r-two"]
    assert deadly.jobs.made == ["migrate-2-api", "migrate-2-web"]
    assert deadly.phases() == {"api": "completed api-2", "web": "completed web-2"}


@pytest.mark.parametrize("write", range(4, 9))
def test_killed_after_a_migration_failed(deadly: Deadly, write: int) -> None:
    """Killed around a failure, whoever resumes comes to the same end and migrates no further."""
    deadly.jobs.failing["api"] = (6, "no such table")
    plan = deadly.plan(NEW)
    Lease(deadly.cluster, "dev", "killed", deadly.clock).acquire(0, print)
    deadly.deadly.fatal, deadly.deadly.is_written = write, True
    with pytest.raises((KilledError, DeliveryError)):
        carry_out(deadly.crew("killed"), deadly.world, plan)
    deadly.deadly.fatal = None
    if deadly.ledger.history()[0].outcome == "open":
        with pytest.raises(DeliveryError, match="ended before anything was rolled out"):
            _resumed(deadly)
    assert deadly.ledger.history()[0].outcome == "went-back"
    assert deadly.jobs.made == ["migrate-2-api"]
    assert _sent(deadly) == ["deployment 1"]


def test_log_that_is_gone_stays_read() -> None:
    """What was read of a pod is kept when its container and its log are gone."""
    told: list[str] = []
    log = Log("api", told.append)
    log.read('{"event": "applied", "revision": "one"}\n[1, 2]\nsomething else\n')
    log.read("")
    assert log.migrated == {"applied": ["one"]}
    assert log.evidence(_wanted(1))[-1] == "something else"
    assert told == ["api: applied revision one"]


def _wanted(number: int) -> Wanted:
    return Wanted("dev", "api", number, "image", 60)


def test_old_jobs_are_tidied(yard: Yard) -> None:
    """The last few migrations of a service are kept with all that belongs to them."""
    for number in range(1, 7):
        job = finished("api", number)
        yard.cluster.create(JOB, job)
        thing = {**job, "apiVersion": "v1", "kind": "ConfigMap", "data": {}}
        yard.cluster.create(CONFIG_MAP, thing)
    yard.cluster.create(JOB, finished("web", 1))
    yard.cluster.merge(JOB, "migrate-2-api", {"status": None}, status=False)
    yard.cluster.replace(JOB, {**finished("api", 2), "status": {}})
    tidy(yard.cluster, _wanted(7))
    kept = {item["metadata"]["name"] for item in yard.cluster.list(JOB, {})}
    assert kept == {f"migrate-{number}-api" for number in (2, 4, 5, 6)} | {"migrate-1-web"}
    maps = {item["metadata"]["name"] for item in yard.cluster.list(CONFIG_MAP, {})}
    assert maps == {f"migrate-{number}-api" for number in (2, 4, 5, 6)}


def test_each_migration_tidies(shop: Yard) -> None:
    """What is too old is removed before another Job is made."""
    for number in range(10, 14):
        shop.cluster.create(JOB, finished("api", number))
    shop.deploy(NEW)
    kept = {item["metadata"]["name"] for item in shop.cluster.list(JOB, {})}
    assert "migrate-10-api" not in kept
    assert {"migrate-11-api", "migrate-13-api", "migrate-2-api"} <= kept


def test_tidying_stops_nothing(yard: Yard) -> None:
    """Where old Jobs cannot be listed, the migration goes on without."""
    yard.cluster.forget(JOB)
    yard.cluster.stop_answering()
    tidy(yard.cluster, _wanted(7))


def test_revision_of_a_ledger_that_is_gone_is_not_taken_over(yard: Yard) -> None:
    """Where numbers began anew, what an earlier deployment of that number sent is not ours."""
    yard.deploy()
    yard.cluster.delete(CONFIG_MAP, "deployment-1")
    record = yard.deploy(NEW)
    assert (record.number, record.outcome) == (1, "completed")
    assert yard.phases()["api"] == "completed api-2"
    assert [item.description for item in yard.releases.history("api")] == 2 * ["deployment 1"]
