"""`invoke deploy`, `deploy --resume` and `rollback`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from monoyard.bindings.answering import answer
from monoyard.bindings.delivering import Place, entered
from monoyard.bindings.deploy_crew import crew_of, recorded
from monoyard.bindings.deploy_parts import Parts, environment_call, worlds
from monoyard.bindings.deploy_sources import find_commit, laid_out
from monoyard.deployment import (
    LEAST_DIGITS,
    DeployPlan,
    Estimate,
    Request,
    SavedPlan,
    World,
    carry_out,
    estimate,
    find_earlier,
    go_back,
    is_confirmed,
    load_plan,
    make_plan,
    request_of,
    resumable_record,
    resume,
    save_plan,
)
from monoyard.errors import DeliveryError, UsageError
from monoyard.report.deployment_plans import deployment_plan_lines, earlier_lines
from monoyard.report.estimates import estimate_lines

_TYPED: Final = "type the first twelve digits of the plan's hash to go on: "


@dataclass(frozen=True, slots=True)
class Deploying:
    """What was typed after `invoke deploy`.

    Attributes:
        environment: Name of the environment.
        services: Only these; empty means all.
        commit: Name of a commit; empty means HEAD.
        prune: Remove what the repository no longer has.
        allow_older: Also an older commit than what runs.
        again: Also images that were rolled back.
        migrated: Somebody ran the migrations.
        allow_unclassed: Also migrations of which nobody can say here what they do.
        allow_downtime: Also migrations that the running version cannot live with.
        plan_only: Nothing is changed.
        out: File that the plan is written to; empty for none.
        plan_file: File with a plan that was reviewed; empty for none.
        confirm: Hash of that plan, or enough of it; empty: it is asked for.
        target: Where JSON goes, as `answer` takes it.
    """

    environment: str
    services: tuple[str, ...] = ()
    commit: str = ""
    prune: bool = False
    allow_older: bool = False
    again: bool = False
    migrated: bool = False
    allow_unclassed: bool = False
    allow_downtime: bool = False
    plan_only: bool = False
    out: str = ""
    plan_file: str = ""
    confirm: str = ""
    target: str | None = None

    def request(self, commit: str) -> Request:
        """Return what is asked of a plan."""
        return Request(
            self.environment, commit, self.services, self.prune, self.allow_older, self.again,
            self.migrated, self.allow_unclassed, self.allow_downtime,
        )  # fmt: skip


def deploy(directory: Path, asked: Deploying, parts: Parts | None = None) -> None:
    """Print what a deployment would do, and do it unless only the plan is asked for.

    Args:
        directory: A directory of the repository.
        asked: What was typed.
        parts: What it is put together from.

    Raises:
        DeliveryError: The plan is refused, not confirmed, or made for another state; or the
            deployment failed.
        InterruptedRunError: A person or the machine asked it to stop.
        UsageError: What is asked for does not exist, or contradicts itself.
    """
    parts = parts or Parts()
    with entered(directory, asked.environment, parts.open_namespace, parts.clock) as place:
        saved = load_plan(Path(asked.plan_file)) if asked.plan_file else None
        request = _request(place, asked, saved)
        with worlds(place, request.commit, parts) as world:
            plan = make_plan(world, request)
            found = _estimate(place, world, plan, parts) if asked.plan_only else ()
            _tell(place, plan, asked, found)
            if asked.out:
                save_plan(Path(asked.out), plan)
            if saved is not None:
                saved.demand(plan)
            _demand(plan)
            if asked.plan_only or plan.is_empty:
                return
            _confirm(place, plan, asked.confirm, is_reviewed=saved is not None)
            with recorded(place, asked.target):
                carry_out(crew_of(place, parts.mirroring), world, plan)


def resume_deployment(directory: Path, asked: Deploying, parts: Parts | None = None) -> None:
    """Go on with the deployment that was begun last, and whose runner is gone.

    Args:
        directory: A directory of the repository.
        asked: What was typed.
        parts: What it is put together from.

    Raises:
        DeliveryError: There is none, or it failed.
        UsageError: More was typed than the environment: the record says what is done.
    """
    if asked != Deploying(asked.environment, target=asked.target):
        raise UsageError(
            "`--resume` goes with `--env` and `--json` alone",
            hint="the ledger says what is done; `invoke history --json` shows it",
        )
    parts, name = parts or Parts(), asked.environment
    with entered(directory, name, parts.open_namespace, parts.clock) as place:
        record = resumable_record(place.ledger, name)
        request = request_of(record, name)
        with worlds(place, request.commit, parts) as world, recorded(place, asked.target):
            resume(crew_of(place, parts.mirroring), world, record)


def roll_back(
    directory: Path, name: str, number: int, target: str | None, parts: Parts | None = None
) -> None:
    """Make an environment be what it was after an earlier deployment.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        number: Number of the deployment; 0 for the one before.
        target: Where JSON goes, as `answer` takes it.
        parts: What it is put together from.

    Raises:
        DeliveryError: There is no such deployment, or going back failed.
    """
    parts = parts or Parts()
    with entered(directory, name, parts.open_namespace, parts.clock) as place:
        top = place.engine.repository.top
        releases = parts.releases(place.engine, place.access, top, place.settings)
        earlier = find_earlier(place.ledger, releases, name, number)
        for line in earlier_lines(earlier):
            print(line, file=sys.stderr if target is not None else sys.stdout)
        if not earlier.revisions:
            return
        with recorded(place, target):
            go_back(
                crew_of(place, parts.mirroring), place.namespace, place.ledger, releases, earlier
            )


def prepare_environment(
    directory: Path, name: str, commit: str, parts: Parts | None = None
) -> None:
    """Make or upgrade what an environment has once; for whoever may make Roles there.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        commit: Name of the commit whose charts and values count; empty means HEAD.
        parts: What it is put together from.

    Raises:
        DeliveryError: Helm does not do what it is asked, or somebody holds the environment.
        UsageError: There is no such environment or commit, or no chart for it.
    """
    parts = parts or Parts()
    with entered(directory, name, parts.open_namespace, parts.clock) as place:
        delivery = place.engine.settings.delivery
        if not delivery.environment_chart:
            raise UsageError("`delivery.environment-chart` is empty: somebody else makes this")
        found = find_commit(place.engine.repository, commit)
        crew = crew_of(place)
        with (
            laid_out(place.engine.repository, delivery, found, name) as tree,
            crew.holding(place.namespace, name),
        ):
            charts = parts.charts(place.engine, tree.top)
            call = environment_call(charts, tree.environment)
            releases = parts.releases(place.engine, place.access, tree.top, place.settings)
            releases.upgrade(call, {}, f"prepared from {found[:12]}")
        print(f"`{name}` has what it needs once, from {found[:12]}")


def _confirm(place: Place, plan: DeployPlan, typed: str, *, is_reviewed: bool) -> None:
    """See that somebody means this very plan.

    Raises:
        DeliveryError: Nobody does.
    """
    if not typed and not place.needs_confirmation:
        return
    if not typed and is_reviewed and sys.stdin.isatty():
        print(_TYPED, end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().strip()
    if typed and is_confirmed(plan, typed):
        return
    wrong = f"`{typed}` is not the hash of this plan, or not enough of it"
    raise DeliveryError(
        wrong if typed else f"`{place.name}` is changed only by a plan that was reviewed",
        code="not-confirmed",
        context=(f"this plan is {plan.hash}",),
        hint="`--plan --out FILE` writes one to review; `--plan-file FILE --confirm HASH` does it "
        f"({LEAST_DIGITS} digits are enough)",
    )


def _request(place: Place, asked: Deploying, saved: SavedPlan | None) -> Request:
    if saved is None:
        return asked.request(find_commit(place.engine.repository, asked.commit))
    if asked.commit or asked.services or asked.prune or asked.migrated:
        raise UsageError(
            "`--plan-file` says itself what is deployed: commit, services, prune, migrated"
        )
    if saved.request.environment != place.name:
        raise UsageError(f"{saved.path} is a plan for `{saved.request.environment}`")
    # What is waived decides whether something may be done, not what: it can still be said.
    before = saved.request
    return replace(
        before,
        allow_older=before.allow_older or asked.allow_older,
        again=before.again or asked.again,
        allow_unclassed=before.allow_unclassed or asked.allow_unclassed,
        allow_downtime=before.allow_downtime or asked.allow_downtime,
    )


def _estimate(place: Place, world: World, plan: DeployPlan, parts: Parts) -> tuple[Estimate, ...]:
    """Return what a plan would take; who only looks at it has the time to ask for that."""
    access = place.access
    capabilities = parts.open_capabilities(access.kubeconfig, access.context, access.namespace)
    try:
        return estimate(world, plan, capabilities)
    finally:
        capabilities.close()


def _tell(place: Place, plan: DeployPlan, asked: Deploying, found: tuple[Estimate, ...]) -> None:
    where = f"{place.access.namespace} by {place.access.context}"
    further = estimate_lines(found, place.settings.max_pause)
    lines = deployment_plan_lines(plan, where, further)
    if asked.target is None or asked.plan_only or plan.is_empty or plan.refusals:
        estimates = [item.to_data() for item in found]
        answer(lines, {**plan.to_data(), "estimates": estimates}, asked.target)
    else:  # one document is enough: that of the deployment
        for line in lines:
            print(line, file=sys.stderr)


def _demand(plan: DeployPlan) -> None:
    if not plan.refusals:
        return
    first = plan.refusals[0]
    raise DeliveryError(
        f"`{plan.request.environment}` cannot be deployed to as asked",
        code=first.code if len(plan.refusals) == 1 else "refused",
        context=tuple(item.message for item in plan.refusals),
        hint=first.hint or None,
    )
