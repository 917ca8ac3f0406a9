"""Carries a plan out under the environment's Lease, goes on with one, or goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from monoyard.config.environment_values import Timeouts
from monoyard.delivery import Clock, Lease, Ledger, Namespace, Record
from monoyard.delivery.runner import Runner, Step, Told
from monoyard.deployment.backing_up import BackUp
from monoyard.deployment.backups import guards_of
from monoyard.deployment.earlier import Earlier, is_below_floor
from monoyard.deployment.ending import ended
from monoyard.deployment.going_back import Abort, Back, Evidence, NotTakenBack, Stranded
from monoyard.deployment.job_runs import Runs
from monoyard.deployment.migrating import Migrate, NothingSent, failed_before_sending
from monoyard.deployment.migrations import floors_of, only_of
from monoyard.deployment.mirror_settings import (
    HEADER,
    MirrorSettings,
    decide_mirror,
    last_settings,
)
from monoyard.deployment.mirroring import Mirroring, mirrored
from monoyard.deployment.plan import DeployPlan, ServicePlan, differences
from monoyard.deployment.planning import make_plan
from monoyard.deployment.ports import World
from monoyard.deployment.proving import Prove
from monoyard.deployment.releases import Releases
from monoyard.deployment.steps import Complete, Remove, RollOut, Upgrade
from monoyard.deployment.unended import resumable_record
from monoyard.deployment.watching import Watcher
from monoyard.errors import DeliveryError
from monoyard.process import kill_running

_KEPT: Final = ("digest", "repository", "commit", "previous", "smoke", "versions")


@dataclass(frozen=True, slots=True)
class Crew:
    """Who carries something out, and how long that may take.

    Attributes:
        by: Who asked for it, for people.
        holder: Name of this runner, unlike that of any other.
        clock: Says what time it is, and waits.
        timeouts: How long steps may take.
        max_pause: Seconds that an inconclusive gate may hold a rollout.
        tell: Is told what happens to a step.
        say: Is told the rest, in words.
        mirroring: When the ledger is mirrored; None for never.
    """

    by: str
    holder: str
    clock: Clock
    timeouts: Timeouts
    max_pause: float
    tell: Callable[[Told], None]
    say: Callable[[str], None]
    mirroring: Mirroring | None = None

    def mirrored(
        self, namespace: Namespace, ledger: Ledger, name: str, settings: MirrorSettings | None
    ) -> AbstractContextManager[Ledger]:
        """Give a ledger that is mirrored while a block lasts, and to its end after it.

        Args:
            namespace: The environment's objects.
            ledger: What was done to it.
            name: Name of the environment.
            settings: By what, and to where; None where nobody says.
        """
        runs = Runs(namespace, self.clock, lambda: None, self.say, self.timeouts)
        where = (name, self.holder.rpartition("-")[2].lower())
        return mirrored(self.mirroring, settings, ledger, runs, where)

    @contextmanager
    def holding(
        self, namespace: Namespace, environment: str, adopting: str = ""
    ) -> Iterator[Lease]:
        """Hold an environment for the time of a block.

        Raises:
            LockedError: Somebody else holds it for longer than we wait.
        """
        lease = Lease(namespace, environment, self.holder, self.clock)
        token = Ledger(namespace, environment, self.clock).highest_token()
        lease.acquire(self.timeouts.lock, self.say, adopting, token)
        with lease.kept(kill_running):
            yield lease

    def watcher(self, namespace: Namespace, lease: Lease) -> Watcher:
        """Return what looks on under a Lease."""
        return Watcher(
            namespace, self.clock, lease.check, self.say, self.timeouts.rollout, self.max_pause
        )

    def header(self, **said: Any) -> dict[str, Any]:
        """Return the header of a record."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"by": self.by, "at": at, **said}


def carry_out(crew: Crew, world: World, plan: DeployPlan) -> Record:
    """Do what a plan says.

    Args:
        crew: Who does it.
        world: What is asked and changed.
        plan: What is done; it has no refusals.

    Returns:
        The record of the completed deployment.

    Raises:
        DeliveryError: The state is another one by now; or it failed and went back, or did not.
        LeaseLostError: The environment is not ours any more.
        LockedError: Somebody else holds it.
    """
    name = world.environment.name
    mirror = decide_mirror(world, plan)
    with (
        crew.mirrored(world.namespace, world.ledger, name, mirror) as ledger,
        crew.holding(world.namespace, name) as lease,
    ):
        world = replace(world, ledger=ledger)
        _check_again(world, plan)
        header = crew.header(
            commit=plan.request.commit,
            plan=plan.hash,
            request=asdict(plan.request),
            services={item.name: _header(item) for item in plan.changed},
            removed=[item.name for item in plan.removed],
            **({HEADER: mirror.to_header()} if mirror else {}),
        )
        record = world.ledger.begin(lease, header)
        return _run(crew, world, lease, record)


def resume(crew: Crew, world: World, record: Record) -> Record:
    """Go on with a deployment whose runner is gone; arguments and errors as of `carry_out`."""
    name, number = world.environment.name, record.number
    mirror = last_settings(world.ledger.history())
    with (
        crew.mirrored(world.namespace, world.ledger, name, mirror) as ledger,
        crew.holding(world.namespace, name, str(number)) as lease,
    ):
        world = replace(world, ledger=ledger)
        record = resumable_record(world.ledger, name)
        if record.number != number:  # what is known of the world is that of another commit
            raise DeliveryError(
                f"deployment {record.number} was begun meanwhile",
                code="overtaken",
                hint="`--resume` again goes on with that one",
            )
        return _run(crew, world, lease, record)


def go_back(
    crew: Crew, namespace: Namespace, ledger: Ledger, releases: Releases, earlier: Earlier
) -> Record:
    """Make an environment be what it was after an earlier deployment.

    Neither the registry nor the repository is asked: Helm's own record of then is sent again.

    Args:
        crew: Who does it.
        namespace: The environment's objects.
        ledger: What was done to it.
        releases: What Helm sent.
        earlier: What it was then.

    Raises:
        DeliveryError: It failed; nothing is taken back.
        LeaseLostError: The environment is not ours any more.
        LockedError: Somebody else holds it.
    """
    name, mirror = earlier.environment, last_settings(ledger.history())
    with (
        crew.mirrored(namespace, ledger, name, mirror) as mirrored_ledger,
        crew.holding(namespace, name) as lease,
    ):
        ledger = mirrored_ledger
        header = crew.header(
            to=earlier.number,
            commit=earlier.commit,
            services={item: {"revision": number} for item, number in earlier.revisions.items()},
            **({HEADER: mirror.to_header()} if mirror else {}),
        )
        record = ledger.begin(lease, header)
        watcher = crew.watcher(namespace, lease)
        steps = _steps_back(record, releases, watcher)
        runner = Runner(ledger, lease, crew.tell, crew.clock)
        return ended(runner.run(record, steps, lambda _: [NotTakenBack()]))


def _check_again(world: World, plan: DeployPlan) -> None:
    """See, now that nobody else may change it, that the environment is what the plan starts from.

    That is where a deployment ends that waited while another one went by.
    """
    now = make_plan(world, plan.request)
    if now.hash != plan.hash:
        raise DeliveryError(
            f"`{world.environment.name}` changed after the plan was made",
            code="base-changed",
            context=differences(plan.decisions(), now.decisions()),
            hint="look at a new plan: `invoke deploy --plan`",
        )
    if now.refusals:
        raise DeliveryError(
            now.refusals[0].message, code=now.refusals[0].code, hint=now.refusals[0].hint or None
        )


def _run(crew: Crew, world: World, lease: Lease, record: Record) -> Record:
    watcher = crew.watcher(world.namespace, lease)
    names = list(record.header["services"])
    services = record.header["services"]
    steps: list[Step] = [
        *_steps_before(crew, world, lease, services),
        *(Upgrade(name, world) for name in names),
        *(RollOut(name, names, watcher) for name in names),
        Complete(names, watcher),
        *(Remove(name, world.releases) for name in record.header["removed"]),
    ]

    def back(name: str) -> Back:
        return Back(name, int(services[name]["base"]), world.releases, watcher)

    def way_back(failed: Record) -> Sequence[Step]:
        begun = [name for name in names if failed.last(f"upgrade:{name}") is not None]
        stranded = [name for name in begun if is_below_floor(failed, name)]
        if failed_before_sending(failed):
            return [NothingSent()]
        return [
            # All traffic goes nowhere else than to a version that its database fits.
            Abort([name for name in begun if name not in stranded], watcher),
            Evidence(begun, watcher),
            *(back(name) for name in reversed(begun) if name not in stranded),
            *(Stranded(name, watcher) for name in stranded),
        ]

    runner = Runner(world.ledger, lease, crew.tell, crew.clock)
    return ended(runner.run(record, steps, way_back))


def _steps_before(
    crew: Crew, world: World, lease: Lease, services: Mapping[str, Mapping[str, Any]]
) -> Iterator[Step]:
    """Yield what comes before anything is sent: each kind for all services before the next one."""
    runs = Runs(world.namespace, crew.clock, lease.check, crew.say, crew.timeouts)
    backed_up = {name: said["backup"] for name, said in services.items() if said.get("backup")}
    yield from (BackUp(name, world, runs) for name in backed_up)
    yield from (Prove(name, world, runs) for name, said in backed_up.items() if said["proves"])
    migrated = [name for name, said in services.items() if said.get("migrations")]
    yield from (Migrate(name, world, runs) for name in migrated)


def _steps_back(record: Record, releases: Releases, watcher: Watcher) -> Sequence[Step]:
    services: Mapping[str, Mapping[str, int]] = record.header["services"]
    return [Back(name, said["revision"], releases, watcher) for name, said in services.items()]


def _header(item: ServicePlan) -> dict[str, Any]:
    said = asdict(item)
    migrations = item.migrations if item.migrates else ()
    return {
        **{name: said[name] for name in _KEPT},
        "base": item.base.revision,
        "migrations": [each.name for each in migrations],
        "only": list(only_of(migrations)),
        "floors": dict(floors_of(migrations)),
        "guards": guards_of(migrations) if item.backup else {},
        "backup": item.backup.to_header() if item.backup else None,
    }
