"""The plan: what would change and why, from what it starts, and what forbids it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.config.environment_values import ServiceSettings
from monoyard.delivery import Kind, Lease
from monoyard.delivery.objects import JOB, SECRET, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.deployment.migrations import only_of
from monoyard.deployment.plan import DeployPlan, ServicePlan, differences
from monoyard.errors import ClusterError, UsageError
from monoyard.migrations import Effect, Review

from .yard import NEW, OLD, SERVICE, digest

if TYPE_CHECKING:
    from .yard import Yard


def by_name(plan: DeployPlan) -> dict[str, ServicePlan]:
    """Return the services of a plan by their names."""
    return {item.name: item for item in plan.services}


def codes(plan: DeployPlan) -> list[str]:
    """Return the codes of what forbids a plan."""
    return [item.code for item in plan.refusals]


def complete(yard: Yard, commit: str, services: dict[str, Any], **entries: str) -> None:
    """Have a deployment in the ledger; entries name steps that ended in that state."""
    lease = Lease(yard.cluster, "dev", "runner", yard.clock)
    with_all = {"commit": commit, "services": services}
    lease.acquire(0, print)
    record = yard.ledger.begin(lease, with_all)
    for step, state in entries.items():
        name = step.replace("_", ":")
        record = yard.ledger.append(lease, record, name, state, {})  # type: ignore[arg-type]
    outcome = "went-back" if "failed" in entries.values() else "completed"
    yard.ledger.close(lease, record, outcome, "")  # type: ignore[arg-type]
    with lease.kept(lambda: None):
        pass


def test_everything_is_installed_where_nothing_runs(yard: Yard) -> None:
    """In an empty environment every service is new, with its image, strategy and objects."""
    plan = yard.plan()
    assert [item.action for item in plan.services] == ["install", "install"]
    api = by_name(plan)["api"]
    assert api.digest == digest("api-1")
    assert api.commit == OLD
    assert api.causes == ("it does not run",)
    assert api.strategy == "canary: 5 -> 100 % of requests, 1 analysis on the way"
    assert api.way_back == "it is removed again"
    assert api.workloads == ("Rollout/api",)
    assert [(item.name, item.action) for item in api.changes] == [
        ("Rollout/api", "added"), ("Service/api", "added"),
    ]  # fmt: skip
    assert api.checks == (("signature", "pass", "it is signed"),)
    assert plan.refusals == ()
    assert not plan.is_empty


def test_nothing_changes_where_all_of_it_runs(yard: Yard) -> None:
    """What was sent is found again as it was, and there is nothing to do."""
    yard.send(yard.plan())
    plan = yard.plan()
    assert plan.is_empty
    assert [(item.action, item.causes, item.changes) for item in plan.services] == [
        ("keep", (), ()), ("keep", (), ()),
    ]  # fmt: skip
    assert by_name(plan)["api"].base.revision == 1


def test_only_what_has_another_image_is_deployed(yard: Yard) -> None:
    """A commit that changes one service leaves the other one as it runs, commit and all."""
    yard.send(yard.plan(OLD))
    plan = yard.plan(NEW)
    api, web = plan.services
    assert (api.action, api.causes) == ("upgrade", ("its image",))
    assert (api.digest, api.previous, api.commit) == (digest("api-2"), digest("api-1"), NEW)
    assert (web.action, web.commit) == ("keep", OLD)
    assert api.way_back == "a change of weights"
    [rollout, service] = api.changes
    assert rollout.name == "Rollout/api"
    assert "spec.template.spec.containers[api].image" in [item.path for item in rollout.fields]
    assert [item.path for item in service.fields] == ["metadata.labels.monoyard.dev/release"]


def test_same_image_by_another_commit_is_no_change(yard: Yard) -> None:
    """An image that was made at another commit, and is the very same, starts no pod anew."""
    yard.send(yard.plan(OLD))
    yard.images.publish(NEW, api="api-1")
    yard.images.made[digest("api-1")] = NEW
    assert yard.plan(NEW).is_empty


def test_changed_values_are_a_cause(yard: Yard) -> None:
    """The same image with other values is deployed, and the field that changes is told."""
    yard.send(yard.plan())
    yard.charts.settings["web"] = {"port": 8080}
    web = by_name(yard.plan())["web"]
    assert web.causes == ("its chart or values",)
    [change] = web.changes
    assert [(item.path, item.before, item.after) for item in change.fields] == [
        ("spec.template.spec.containers[web].env[PORT].value", '"80"', '"8080"')
    ]


def test_whatever_differs_has_a_cause(yard: Yard) -> None:
    """Where a release does not say which Secrets it was sent with, what differs is deployed too."""
    plan = yard.plan()
    unsaid = tuple(replace(item, versions={}) for item in plan.services)
    yard.send(replace(plan, services=unsaid))
    for service in yard.plan().services:
        assert service.changes
        assert (service.action, service.causes) == ("upgrade", ("its chart or values",))


def test_changed_secret_is_a_cause_by_its_name(yard: Yard) -> None:
    """New content starts new pods; a note on the object does not, and no content is ever told."""
    yard.send(yard.plan())
    noted = {"metadata": {"annotations": {"looked": "at"}}}
    yard.cluster.merge(SECRET, "api-database", noted, status=False)
    assert yard.plan().is_empty
    yard.cluster.merge(SECRET, "api-database", {"data": {"url": "bmV3"}}, status=False)
    plan = yard.plan()
    assert by_name(plan)["api"].causes == ("the Secret api-database",)
    assert by_name(plan)["web"].causes == ()
    assert "bmV3" not in str(plan.to_data())
    assert "c2VjcmV0" not in str(plan.to_data())


def test_missing_secrets_forbid_the_plan(yard: Yard) -> None:
    """A Secret that is not there, or lacks a key, is named, all of them at once."""
    yard.cluster.delete(SECRET, "api-database")
    yard.cluster.merge(SECRET, "web-database", {"data": {"url": None}}, status=False)
    plan = yard.plan()
    assert [(item.code, item.message) for item in plan.refusals] == [
        ("missing-secret", "there is no Secret `api-database`"),
        ("missing-secret", "the Secret `web-database` has no `url`"),
    ]


def test_image_that_nobody_published_forbids_the_plan(yard: Yard) -> None:
    """A service without an image for the commit is named, with what makes one."""
    del yard.images.published["api", OLD]
    plan = yard.plan()
    assert codes(plan) == ["no-image"]
    assert "nox -s publish" in plan.refusals[0].hint
    assert by_name(plan)["api"].action == "keep"


def test_image_that_is_not_accepted_forbids_the_plan(yard: Yard) -> None:
    """An image that the environment refuses is told with the check that it failed."""
    yard.images.refused.add(digest("web-1"))
    plan = yard.plan()
    assert [(item.code, item.service) for item in plan.refusals] == [("not-accepted", "web")]
    assert "nobody signed it" in plan.refusals[0].message


def test_smoke_image_of_another_service_moves_only_with_its_own(yard: Yard) -> None:
    """A new image of the service that a smoke test runs in is no cause to deploy; it is used then.

    Else a change of one service would roll out every other one.
    """
    yard.services["web"] = ServiceSettings(smoke_image="api")
    yard.send(yard.plan(OLD))
    assert by_name(yard.plan(NEW))["web"].action == "keep"
    yard.charts.settings["web"] = {"port": 8080}
    web = by_name(yard.plan(NEW))["web"]
    assert web.smoke == ("registry.example/api", digest("api-2"))


@pytest.mark.parametrize(("refused", "code"), [(True, "not-accepted"), (False, "no-image")])
def test_smoke_image_is_verified_too(yard: Yard, refused: bool, code: str) -> None:
    """What the smoke test runs in is held to the same policy as what serves."""
    yard.services["web"] = ServiceSettings(smoke_image="api")
    if refused:
        yard.images.refused.add(digest("api-1"))
    else:
        del yard.images.published["api", OLD]
    plan = yard.plan(services=("web",))
    assert [(item.code, item.service) for item in plan.refusals] == [(code, "web")]


def test_what_the_api_server_does_not_take_forbids_the_plan(yard: Yard) -> None:
    """A kind that is not installed is found before anything is sent."""
    yard.cluster.forget(ROLLOUT)
    plan = yard.plan()
    assert codes(plan) == ["not-taken", "not-taken"]
    assert "does not know Rollout/api" in plan.refusals[0].message
    yard.cluster.stop_answering()
    with pytest.raises(ClusterError):
        yard.plan()


def test_canary_without_its_weights_is_refused(yard: Yard) -> None:
    """A Rollout whose weights nobody made would stand still; what makes them is named."""
    kind = Kind("traefik.io", "v1alpha1", "TraefikService", "traefikservices")
    yard.charts.settings["api"] = {"routed": "api"}
    [refusal] = yard.plan().refusals
    assert (refusal.code, refusal.service) == ("no-weights", "api")
    assert "deploy.prepare" in refusal.hint
    yard.cluster.create(kind, new(kind, "api", spec={}))
    assert codes(yard.plan()) == []


def test_changes_by_hand_are_told_and_count_as_base(yard: Yard) -> None:
    """A field that somebody changed is drift: no cause by itself, but the hash knows it."""
    yard.send(yard.plan())
    before = yard.plan()
    selector = {"spec": {"selector": {"app": "other"}}}
    yard.cluster.merge(SERVICE, "api", selector, status=False)
    after = yard.plan()
    assert after.is_empty
    [drift] = by_name(after)["api"].base.drift
    assert [(item.path, item.before, item.after) for item in drift.fields] == [
        ("spec.selector.app", '"api"', '"other"')
    ]
    assert before.hash != after.hash


def test_services_that_are_gone_go_by_order_alone(yard: Yard) -> None:
    """What the repository no longer has is listed, and removed only where that is asked for."""
    yard.send(yard.plan())
    del yard.services["web"]
    plan = yard.plan()
    web = by_name(plan)["web"]
    assert (web.action, plan.is_empty) == ("keep", True)
    assert "`--prune` removes it" in web.notes[0]
    pruned = yard.plan(prune=True)
    assert [item.name for item in pruned.removed] == ["web"]
    yard.releases.uninstall("web")
    assert "web" not in by_name(yard.plan(prune=True))


def test_only_named_services_are_looked_at(yard: Yard) -> None:
    """The others are left alone, which is said; an unknown one is answered with the nearest."""
    plan = yard.plan(services=("web",))
    assert list(by_name(plan)) == ["web"]
    assert plan.notes == ("left alone: api",)
    with pytest.raises(UsageError, match="did you mean `web`"):
        yard.plan(services=("wep",))


def test_older_commit_needs_a_word(yard: Yard) -> None:
    """What is older than what runs, or not known to be newer, is refused until it is allowed."""
    complete(yard, NEW, {})
    assert codes(yard.plan(NEW)) == []
    assert codes(yard.plan(OLD)) == ["older"]
    assert codes(yard.plan(OLD, allow_older=True)) == []
    yard.commits.order.remove(NEW)
    assert codes(yard.plan(OLD)) == ["unknown-commit"]


def test_rolled_back_image_needs_a_word(yard: Yard) -> None:
    """An image that failed and was rolled back is refused until somebody says `--again`."""
    services = {"api": {"digest": digest("api-2")}, "web": {"digest": digest("web-1")}}
    complete(yard, OLD, services, rollout_api="failed")
    plan = yard.plan(NEW)
    assert [(item.code, item.service) for item in plan.refusals] == [("rolled-back", "api")]
    assert codes(yard.plan(NEW, again=True)) == []
    assert codes(yard.plan(OLD)) == []


def files(plan: DeployPlan, service: str) -> list[str]:
    """Return the files of what a service migrates."""
    return [item.file for item in by_name(plan)[service].migrations]


def test_new_migrations_are_planned(yard: Yard) -> None:
    """What the commit adds is applied before anything is sent, unless somebody did that."""
    yard.commits.migrations["api"] = {OLD: {"one"}, NEW: {"one", "two"}}
    first = yard.plan(OLD)
    assert (codes(first), files(first, "api")) == ([], ["one"])
    assert by_name(first)["api"].migrates
    elsewhere = yard.plan(OLD, migrated=True)
    assert not by_name(elsewhere)["api"].migrates
    assert "somebody says" in elsewhere.notes[0]
    yard.send(elsewhere)
    assert files(yard.plan(OLD), "api") == []
    assert files(yard.plan(NEW), "api") == ["two"]


@pytest.mark.parametrize(
    ("effects", "code", "told"),
    [
        ((Effect.BLOCKING,), "unaccepted-migration", "blocks those who use the database"),
        ((Effect.BREAKS,), "unaccepted-migration", "breaks the version that runs"),
        ((Effect.OPAQUE,), "unaccepted-migration", "does what nobody can tell"),
        ((Effect.BREAKS, Effect.LOSES), "losing-migration", "loses data (orders.total)"),
        ((Effect.LOSES, Effect.OPAQUE), "losing-migration", "loses data (orders.total)"),
    ],
)
def test_migrations_that_harm_need_a_reviewer(
    yard: Yard, effects: tuple[Effect, ...], code: str, told: str
) -> None:
    """What nobody accepted is refused with its reason; a reviewer's word in the revision counts."""
    yard.commits.migrations["api"] = {OLD: {"one"}}
    yard.histories.effects["one"] = effects
    plan = yard.plan()
    assert codes(plan) == [code]
    assert f"migration r-one of api {told}" in plan.refusals[0].message
    assert "it is " in plan.refusals[0].message
    yard.histories.reviews["one"] = tuple(Review(item, False, "agreed") for item in effects)
    assert codes(yard.plan()) == []
    assert yard.plan().hash != plan.hash


def test_breaking_migration_raises_the_floor(yard: Yard) -> None:
    """One that is accepted raises it with the reviewer's reason, and the plan says what follows."""
    yard.commits.migrations["api"] = {OLD: {"one"}}
    yard.histories.effects["one"] = (Effect.BREAKS,)
    yard.histories.reviews["one"] = (Review(Effect.BREAKS, False, "written since 1.4"),)
    api = by_name(yard.plan())["api"]
    assert api.migrations[0].floor == "written since 1.4"
    assert "r-one raises the floor (written since 1.4)" in api.notes[0]
    yard.histories.reviews["one"] = (Review(Effect.BREAKS, True, "nobody reads it"),)
    denied = by_name(yard.plan())["api"].migrations[0]
    assert (denied.floor, denied.effects) == ("", ("safe",))


def test_migration_that_stops_what_runs_needs_a_word(yard: Yard) -> None:
    """What the running version cannot live with is downtime, accepted in the revision or not."""
    yard.send(yard.plan(OLD))
    yard.commits.migrations["api"] = {NEW: {"one"}}
    yard.histories.effects["one"] = (Effect.BREAKS,)
    yard.histories.reviews["one"] = (Review(Effect.BREAKS, False, "written since 1.4"),)
    plan = yard.plan(NEW)
    assert codes(plan) == ["breaks-running"]
    assert "api would be down from migration r-one" in plan.refusals[0].message
    assert codes(yard.plan(NEW, allow_downtime=True)) == []


def test_unknown_migrations_need_a_word(yard: Yard) -> None:
    """Where nobody can say what they do, they are run only for whoever looked elsewhere."""
    yard.commits.migrations["api"] = {OLD: {"one"}, NEW: {"one", "two"}}
    yard.histories.problem = "the work tree has other code"
    plan = yard.plan()
    assert codes(plan) == ["unclassed-migration"]
    assert plan.refusals[0].message.endswith("would do: the work tree has other code")
    assert "--allow-unclassed" in plan.refusals[0].hint
    allowed = yard.plan(allow_unclassed=True)
    assert (codes(allowed), files(allowed, "api")) == ([], ["one"])
    assert only_of(by_name(allowed)["api"].migrations) == ()
    assert by_name(allowed)["api"].migrates
    yard.send(allowed)
    yard.histories.problem = ""
    yard.commits.order.remove(OLD)
    assert "which runs, is not known here" in yard.plan(NEW, allow_older=True).refusals[0].message


def test_image_of_a_branch_that_is_gone_is_known_by_its_deployment(yard: Yard) -> None:
    """What a reused image was made from may be unknown; what it was deployed for is compared."""
    yard.commits.migrations["api"] = {OLD: {"one"}, NEW: {"one", "two"}}
    yard.images.made[digest("api-1")] = "f" * 40
    first = yard.plan(OLD)
    assert by_name(first)["api"].commit == "f" * 40
    yard.send(first)
    complete(yard, OLD, {"api": {"digest": digest("api-1")}})
    plan = yard.plan(NEW)
    assert (codes(plan), files(plan, "api")) == ([], ["two"])


def test_history_that_cannot_be_applied_is_refused(yard: Yard) -> None:
    """Two heads, for one, are told in the plan and not by a failing Job."""
    yard.commits.migrations["api"] = {OLD: {"one"}}
    yard.histories.faults = ("2 revisions are the newest",)
    assert codes(yard.plan()) == ["unusable-history"]


def test_cluster_that_takes_no_job_refuses(yard: Yard) -> None:
    """Whether the Job could be made is tried before anything is done."""
    yard.commits.migrations["api"] = {OLD: {"one"}}
    yard.cluster.forget(JOB)
    assert codes(yard.plan()) == ["not-taken"]
    yard.charts.settings["api"] = {"runs": "registry.example/other"}
    assert "no-migration-pod" in codes(yard.plan())


def test_interrupted_helm_is_a_cause(yard: Yard) -> None:
    """Where the last call of Helm failed or was killed, the service is sent again."""
    yard.send(yard.plan())
    yard.releases.fail_next("api", "pending-upgrade")
    with pytest.raises(Exception, match="cannot be upgraded"):
        yard.send(yard.plan(NEW))
    api = by_name(yard.plan(OLD))["api"]
    assert api.causes == ("the last call of Helm ended as `pending-upgrade`",)
    assert api.base.status == "pending-upgrade"


def test_hash_is_stable(yard: Yard) -> None:
    """Two plans of one state have one hash, in an empty environment and in one that runs."""
    assert yard.plan().hash == yard.plan().hash
    yard.send(yard.plan())
    assert yard.plan(NEW).hash == yard.plan(NEW).hash


def _change_values(yard: Yard) -> None:
    yard.charts.settings["api"] = {"port": 1}


def _send_by_hand(yard: Yard) -> None:
    yard.releases.rollback("api", 1)


def _change_secret(yard: Yard) -> None:
    yard.cluster.merge(SECRET, "api-database", {"data": {"url": "bmV3"}}, status=False)


def _change_live(yard: Yard) -> None:
    yard.cluster.delete(SERVICE, "web")


def _add_migration(yard: Yard) -> None:
    yard.commits.migrations["api"] = {NEW: {"one"}}


def _change_image(yard: Yard) -> None:
    yard.images.publish(NEW, api="api-3")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_change_values, "services.api.manifest"),
        (_send_by_hand, "services.api.base.revision: 1 -> 2"),
        (_change_secret, "services.api.manifest"),
        (_change_live, "services.web.base.drift"),
        (_add_migration, "services.api.migrations.one: (none)"),
        (_change_image, "services.api.image"),
    ],
)
def test_hash_covers_decisions_and_base(
    yard: Yard, change: Callable[[Yard], None], told: str
) -> None:
    """Whatever is decided otherwise, or starts from something else, is another hash, and told."""
    yard.send(yard.plan(OLD))
    before = yard.plan(NEW)
    change(yard)
    after = yard.plan(NEW)
    assert before.hash != after.hash
    assert any(line.startswith(told) for line in differences(before.decisions(), after.decisions()))


def test_hash_covers_what_migrations_do(yard: Yard) -> None:
    """Another class, other SQL, another floor, or somebody else who migrates is another plan."""
    yard.commits.migrations["api"] = {OLD: {"one"}}
    safe, elsewhere = yard.plan(), yard.plan(migrated=True)
    yard.histories.effects["one"] = (Effect.BLOCKING,)
    yard.histories.reviews["one"] = (Review(Effect.BLOCKING, False, "it is small"),)
    blocking = yard.plan()
    yard.histories.sql["one"] = "ALTER otherwise"
    assert len({safe.hash, elsewhere.hash, blocking.hash, yard.plan().hash}) == 4
    yard.histories.problem = "nobody knows"
    assert yard.plan().hash != elsewhere.hash
    assert any(
        line.startswith("services.api.migrations.one.effects")
        for line in differences(safe.decisions(), blocking.decisions())
    )


def test_hash_leaves_out_words_and_waivers(yard: Yard) -> None:
    """What a person waives, and how something is worded, decide nothing."""
    plain = yard.plan(NEW)
    assert plain.hash == yard.plan(NEW, allow_older=True, again=True, migrated=True).hash
    assert differences(plain.decisions(), yard.plan(NEW).decisions()) == ()
