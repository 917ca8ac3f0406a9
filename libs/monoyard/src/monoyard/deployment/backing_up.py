"""The step that backs a database up: a Job that holds public keys, before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from monoyard.delivery import Object, Record
from monoyard.deployment.backups import Backup, key_of, keys_to_spare
from monoyard.deployment.job_pods import PROGRAM, JobObjects, Pattern
from monoyard.deployment.job_runs import JobRun
from monoyard.deployment.job_steps import JobStep
from monoyard.deployment.jobs import BACKUP, Role, Wanted
from monoyard.deployment.ports import World
from monoyard.deployment.rendering import has_account, rendered_for, wanted_for
from monoyard.deployment.store_ways import DIRECTORY, PLACE, holding, store_variables
from monoyard.errors import DeliveryError

_FACTS: Final = (
    "taken_at", "bytes", "database_bytes", "tables", "rows", "revisions", "sha256",
    "largest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BackUp(JobStep):
    """Backs up the database of a service."""

    role: ClassVar[Role] = BACKUP

    def do(self, record: Record) -> Mapping[str, Any]:
        """Make the Job, or find it, and wait till the backup is whole.

        Raises:
            DeliveryError: What was taken is another backup; else errors as of `JobRun.do`.
        """
        name = self.world.environment.name
        backup, key = taken_backup(record, name, self.service)
        wanted = wanted_for(record, self.service, name, BACKUP, self.runs.timeouts.backup)

        def make() -> JobObjects:
            examine(self.world, backup, record)
            rendered = rendered_for(self.world, self.service, record)
            spared = keys_to_spare(self.world.ledger.history(), self.service)
            words = saving(backup, key, spared, facts_of(record, self.service))
            accounts = has_account(self.world.namespace)
            return backup_objects(wanted, backup, words, rendered, accounts)

        done = JobRun(wanted, backup.image, self.runs).do(make).last("done")
        if done.get("key", key) != key:
            raise DeliveryError(
                f"Job {wanted.name} took another backup than was wanted",
                code=f"{BACKUP.code}-vanished",
                context=(f"it took {done['key']}", f"wanted is {key}"),
                hint="somebody else made a Job of that name: remove it, and deploy again",
            )
        facts: dict[str, Any] = {fact: done[fact] for fact in _FACTS if fact in done}
        return {"job": wanted.name, "key": key, **facts}


def taken_backup(record: Record, environment: str, service: str) -> tuple[Backup, str]:
    """Return what a deployment that backs a service up backs up of it, and its key."""
    said = record.header["services"][service]["backup"]
    return Backup.of_header(said), key_of(record, environment, service)


def words_of_facts(facts: Mapping[str, str]) -> list[str]:
    """Return the words that have facts written beside a backup."""
    return [word for name, value in facts.items() for word in ("--fact", f"{name}={value}")]


def examine(world: World, backup: Backup, record: Record) -> None:
    """See that the image with the programs is one that the environment accepts.

    Raises:
        VerificationError: It is not.
    """
    if backup.package:
        digest = backup.image.rpartition("@")[2]
        world.images.examine(backup.package, digest, record.header["commit"]).demand()


def facts_of(record: Record, service: str) -> Mapping[str, str]:
    """Return what the manifest says of where a backup comes from."""
    return {
        "service": service,
        "deployment": str(record.number),
        "commit": str(record.header["commit"]),
        "by": str(record.header.get("by") or ""),
    }


def saving(backup: Backup, key: str, spared: Iterable[str], facts: Mapping[str, str]) -> list[str]:
    """Return the words of `monoyard_database save`."""
    argv = [*PROGRAM, "save", "--key", key, "--directory", DIRECTORY, "--keep", str(backup.keep)]
    for recipient in backup.recipients:
        argv += ["--recipient", recipient]
    for other in spared:
        argv += ["--spare", other]
    return [*argv, *words_of_facts(facts)]


def backup_objects(
    wanted: Wanted,
    backup: Backup,
    words: Iterable[str],
    rendered: Iterable[Object],
    accounts: Callable[[str], bool],
) -> JobObjects:
    """Return what is made in the cluster for a backup.

    Args:
        wanted: The Job.
        backup: What is backed up.
        words: What is run.
        rendered: What the chart of the service comes to.
        accounts: Says whether there is a ServiceAccount of a name.

    Raises:
        DeliveryError: No pod is rendered that it could run as, or none knows the database.
    """
    pattern = Pattern(wanted, rendered)
    env, env_from = pattern.address(backup.variable)
    pattern.copies.of_store(backup.store.endpoint)
    container = pattern.tools(
        "backup", backup.image, list(words), mounts=[holding()],
        env=[*env, *store_variables(backup.store)], env_from=env_from,
    )  # fmt: skip
    return pattern.job([container], accounts, volumes=[PLACE])
