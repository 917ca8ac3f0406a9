"""The step that proves a backup: restored into a throwaway PostgreSQL, compared, and migrated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from monoyard.config.environment_values import IDENTITY_KEY
from monoyard.delivery import Object, Record
from monoyard.deployment.backing_up import examine, facts_of, taken_backup, words_of_facts
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_pods import PROGRAM, JobObjects, Pattern
from monoyard.deployment.job_runs import JobRun
from monoyard.deployment.job_steps import JobStep
from monoyard.deployment.jobs import PROVE, TRIAL, Role, Wanted
from monoyard.deployment.migration_objects import Revisions, guarding, migrating
from monoyard.deployment.rendering import has_account, rendered_for, wanted_for
from monoyard.deployment.store_ways import (
    DUMP,
    MANIFEST,
    PLACE,
    fetching,
    holding,
    store_variables,
)
from monoyard.deployment.trials import Trial

COPY: Final[Mapping[str, Any]] = {"name": "monoyard-copy", "emptyDir": {}}
COPY_MOUNT: Final[Mapping[str, Any]] = {"name": "monoyard-copy", "mountPath": "/var/monoyard/copy"}
KEYS: Final[Mapping[str, Any]] = {"name": "monoyard-keys", "mountPath": "/var/monoyard/keys"}
SERVER: Final = "{}://{}@127.0.0.1:5432/postgres"
SUPERUSER: Final = "postgres"
USER: Final = "monoyard"  # as `monoyard_database prove` makes it
_READY: Final = ("pg_isready", "--quiet", "--host=127.0.0.1", "--port=5432")
# As long as an initdb may take on a slow disk.
_SECONDS_TO_START: Final = 120


@dataclass(frozen=True, slots=True)
class Prove(JobStep):
    """Proves the backup that a deployment took of a service."""

    role: ClassVar[Role] = PROVE

    def do(self, record: Record) -> Mapping[str, Any]:
        """Make the Job, or find it, and wait for the proof; errors as of `JobRun.do`."""
        name, said = self.world.environment.name, record.header["services"][self.service]
        backup, key = taken_backup(record, name, self.service)
        wanted = wanted_for(record, self.service, name, PROVE, self.runs.timeouts.prove)

        def make() -> JobObjects:
            examine(self.world, backup, record)
            images = self.world.images
            images.examine(self.service, said["digest"], record.header["commit"]).demand()
            return proof_objects(
                wanted,
                (backup, key),
                rendered_for(self.world, self.service, record),
                has_account(self.world.namespace),
                Revisions.of(said) if said["migrations"] else None,
                facts_of(record, self.service),
                backup.trials,
            )

        log = JobRun(wanted, backup.image, self.runs).do(make)
        proven = log.last("proven")
        facts: dict[str, Any] = {
            fact: proven[fact] for fact in ("tables", "not_compared") if fact in proven
        }
        tried = [event["version"] for event in log.events if event["event"] == "tried"]
        return {"job": wanted.name, "key": key, **facts, **log.migrated, "tried": tried}


def proof_objects(
    wanted: Wanted,
    of: tuple[Backup, str],
    rendered: Iterable[Object],
    accounts: Callable[[str], bool],
    revisions: Revisions | None = None,
    facts: Mapping[str, str] | None = None,
    trials: Iterable[Trial] = (),
) -> JobObjects:
    """Return what is made in the cluster for a proof.

    One pod, one container after the other: what fetches knows the store, what restores has the
    private key, what migrates has neither, and the server beside them ends with them. The pod has
    no way through the network but that to the store: a dump runs code where it is restored.

    Args:
        wanted: The Job.
        of: The backup, and its key.
        rendered: What the chart of the service comes to, with the new image.
        accounts: Says whether there is a ServiceAccount of a name.
        revisions: What is tried on the copy; None for nothing.
        facts: What is written beside the backup of where the proof comes from.
        trials: What versions of the service try there after it.
    """
    backup, key = of
    pattern = Pattern(wanted, rendered)
    pattern.copies.of_store(backup.store.endpoint)
    steps = [
        fetching(pattern, backup, key, "--space", COPY_MOUNT["mountPath"], mounts=(COPY_MOUNT,)),
        serving(pattern, backup, wanted.name),
        restoring(pattern, backup),
        *([_migrating(pattern, backup, wanted, revisions)] if revisions is not None else ()),
        *(_trying(pattern, backup, number, trial) for number, trial in enumerate(trials, 1)),
    ]
    marks = [*PROGRAM, "mark", "--key", key, *words_of_facts(facts or {})]
    last = pattern.tools("prove", backup.image, marks, env=store_variables(backup.store))
    keys = {"name": KEYS["name"], "secret": {"secretName": backup.identity}}
    return pattern.job([last], accounts, first=steps, volumes=[PLACE, COPY, keys], is_isolated=True)


def serving(pattern: Pattern, backup: Backup, name: str) -> dict[str, Any]:
    """Return the container that is a throwaway PostgreSQL as long as those after it run."""
    argv = [*PROGRAM, "serve", "--data", str(COPY_MOUNT["mountPath"]), "--manifest", MANIFEST]
    container = pattern.tools(
        "server", backup.image, [*argv, "--name", name],
        mounts=[holding(read_only=True), COPY_MOUNT],
    )  # fmt: skip
    probe = {"exec": {"command": list(_READY)}, "periodSeconds": 1,
             "failureThreshold": _SECONDS_TO_START}  # fmt: skip
    return {**container, "restartPolicy": "Always", "startupProbe": probe}


def restoring(pattern: Pattern, backup: Backup) -> dict[str, Any]:
    """Return the container that has the private key: it restores into the copy, and proves it."""
    argv = [*PROGRAM, "prove", "--from", DUMP, "--manifest", MANIFEST]
    return pattern.tools(
        "restore", backup.image, [*argv, "--identity", f"{KEYS['mountPath']}/{IDENTITY_KEY}"],
        mounts=[holding(read_only=True), KEYS],
        env=[{"name": "DATABASE_URL", "value": SERVER.format("postgresql", SUPERUSER)}],
    )  # fmt: skip


def _migrating(
    pattern: Pattern, backup: Backup, wanted: Wanted, revisions: Revisions
) -> dict[str, Any]:
    """Return the container that migrates the copy, and refuses to migrate anything else."""
    argv = [*migrating(wanted, revisions), "--cluster", wanted.name]
    if revisions.guards:
        argv += guarding(revisions)
    return pattern.own(
        "migrate", argv, mounts=[holding(read_only=True)],
        env={backup.variable: SERVER.format(backup.scheme, USER)},
    )  # fmt: skip


def _trying(pattern: Pattern, backup: Backup, number: int, trial: Trial) -> dict[str, Any]:
    """Return the container in which a version works with the copy, and has no other database."""
    container = pattern.own(
        f"{TRIAL}-{number}",
        [*PROGRAM, "trial", "--version", trial.version, "--", *trial.words],
        env={backup.variable: SERVER.format(backup.scheme, USER)},
    )
    return {**container, "image": trial.image}
