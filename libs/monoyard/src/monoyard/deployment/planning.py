"""Makes the plan of a deployment: reads, renders, compares; nothing is changed anywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from monoyard.config import suggest
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import Record
from monoyard.delivery.objects import ENVIRONMENT_LABEL
from monoyard.delivery.workloads import read_workloads
from monoyard.deployment.making import Making
from monoyard.deployment.plan import Base, DeployPlan, Refusal, Request, ServicePlan
from monoyard.deployment.ports import World
from monoyard.deployment.running import Running, read_running
from monoyard.errors import UsageError

_AT_ONCE: Final = 4
_SHOWN: Final = 12


def make_plan(world: World, request: Request) -> DeployPlan:
    """Return what a deployment would do.

    Args:
        world: What is asked.
        request: What is asked for.

    Raises:
        ClusterError: The cluster does not say.
        ConfigurationError: A chart cannot be rendered.
        RegistryError: The registry does not say.
        UsageError: A service is asked for that the environment does not have.
    """
    environment = world.environment
    names = _names(environment, request)

    def read(name: str) -> Running:
        return read_running(world.releases, name, environment.services[name])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = dict(zip(names, pool.map(read, names), strict=True))
    history = world.ledger.history()
    sent_from = {str(item.number): str(item.header.get("commit") or "") for item in history}
    making = Making(world, request, running, _rolled_back(history), sent_from)
    services = [*map(making.service, names), *_orphans(world, request)]
    return DeployPlan(
        request,
        environment.namespace,
        world.cluster,
        tuple(services),
        (
            *_refusals(world, request, history),
            *_unsettled(world, names, history),
            *making.refusals,
        ),
        tuple(_notes(request, environment, history)),
    )


def _names(environment: EnvironmentSettings, request: Request) -> list[str]:
    known = environment.services
    for name in request.services:
        if name not in known:
            raise UsageError(f"`{environment.name}` has no service `{name}`{suggest(name, known)}")
    return [name for name in known if not request.services or name in request.services]


def _orphans(world: World, request: Request) -> Iterator[ServicePlan]:
    """Yield what runs by our hand and the repository no longer has."""
    environment = world.environment
    for release in world.releases.all({ENVIRONMENT_LABEL: environment.name}):
        if release.name in environment.services or release.status == "uninstalled":
            continue
        base = Base(release.revision, release.status)
        cause = "the repository no longer has it"
        if request.prune:
            yield ServicePlan(release.name, "remove", base, (cause,))
        else:
            note = f"{cause}: `--prune` removes it"
            yield ServicePlan(release.name, "keep", base, notes=(note,))


def _refusals(world: World, request: Request, history: Iterable[Record]) -> Iterator[Refusal]:
    running = next((item for item in history if item.outcome == "completed"), None)
    commit = str(running.header.get("commit") or "") if running else ""
    if not commit or request.allow_older:
        return
    is_older = world.commits.is_older(request.commit, commit)
    if is_older is None:
        message = (
            f"what runs was made from {commit[:_SHOWN]}, which is not known here: nobody can say "
            "which is older"
        )
        yield Refusal("unknown-commit", "", message, "`git fetch` it, or say `--allow-older`")
    elif is_older:
        message = f"{request.commit[:_SHOWN]} is older than {commit[:_SHOWN]}, which runs"
        hint = "`invoke rollback` goes back; `--allow-older` deploys it all the same"
        yield Refusal("older", "", message, hint)


def _unsettled(
    world: World, names: Collection[str], history: Sequence[Record]
) -> Iterator[Refusal]:
    """Yield the services that are between two versions: what would be gone back to is not proven.

    So it is after a runner was killed, and after Argo took a version back while nobody looked.
    """
    name = world.environment.name
    hint = f"`invoke rollback --env {name} --to N` brings back what was; `invoke history` has N"
    if history and history[0].outcome == "open":
        hint = f"`invoke deploy --env {name} --resume` goes on with deployment {history[0].number}"
    for item in read_workloads(world.namespace):
        if item.service in names and item.is_between:
            message = f"{item.service} is between two versions: {item.kind} is {item.phase}"
            yield Refusal("unsettled", item.service, message, hint)


def _rolled_back(history: Iterable[Record]) -> frozenset[tuple[str, str]]:
    """Return service and image of each that failed in a deployment which then went back."""
    found = set()
    for record in history:
        if record.outcome not in ("went-back", "failed"):
            continue
        services = record.header.get("services") or {}
        for entry in record.entries:
            verb, _, name = entry.step.partition(":")
            if entry.state != "failed" or verb not in ("rollout", "complete"):
                continue
            # Whoever waits for one service looks on at all: the message begins with the one at
            # fault, where it is that of one.
            blamed = str(entry.facts.get("message") or "").partition(":")[0]
            name = blamed if blamed in services else name
            if name in services:
                found.add((name, str(services[name].get("digest") or "")))
    return frozenset(found)


def _notes(
    request: Request, environment: EnvironmentSettings, history: Sequence[Record]
) -> Iterator[str]:
    left = [name for name in environment.services if name not in request.services]
    if request.services and left:
        yield f"left alone: {', '.join(left)}"
    if request.migrated:
        yield "somebody says that the databases have this commit's migrations"
    if history and history[0].outcome == "open":
        number = history[0].number
        yield f"deployment {number} was not ended: `--resume` goes on with it, this abandons it"
