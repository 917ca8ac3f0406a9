"""What a migration needs in the cluster: a Job of the new image, as its service would run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from monoyard.delivery import Object
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_pods import PROGRAM, JobObjects, Pattern
from monoyard.deployment.jobs import Wanted
from monoyard.deployment.store_ways import MANIFEST, PLACE, fetching, holding

CONTAINER: Final = "migrate"


@dataclass(frozen=True, slots=True)
class Revisions:
    """What a migration may apply.

    Attributes:
        only: The revisions that may be applied; empty where nobody knows their names.
        floors: Revisions that older versions cannot live with, and why.
        guards: Revisions that lose data to tables, and columns as `TABLE.COLUMN`, that have to be
            as they are in the backup.
    """

    only: tuple[str, ...] = ()
    floors: Mapping[str, str] = field(default_factory=dict)
    guards: Mapping[str, Iterable[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Revisions:
        """Return them from what a record says of a service."""
        return cls(
            tuple(said.get("only") or ()), said.get("floors") or {}, said.get("guards") or {}
        )


def migration_objects(
    wanted: Wanted,
    revisions: Revisions,
    rendered: Iterable[Object],
    has_account: Callable[[str], bool],
    backup: tuple[Backup, str] | None = None,
) -> JobObjects:
    """Return what is made in the cluster for a migration.

    Args:
        wanted: The migration.
        revisions: What it may apply.
        rendered: What the chart of its service comes to, with the new image.
        has_account: As `Pattern.job` takes it.
        backup: What was backed up, and its key, where the migration is to be compared with it.

    Raises:
        DeliveryError: As of `Pattern`.
    """
    is_guarded = backup is not None and bool(revisions.guards)
    pattern = Pattern(wanted, rendered, own_user=not is_guarded)
    if backup is None or not is_guarded:
        command = migrating(wanted, revisions)
        return pattern.job([pattern.own(CONTAINER, command)], has_account)
    pattern.copies.of_store(backup[0].store.endpoint)
    command = [*migrating(wanted, revisions), *guarding(revisions)]
    return pattern.job(
        [pattern.own(CONTAINER, command, mounts=[holding(read_only=True)])],
        has_account,
        first=[fetching(pattern, *backup, "--only-manifest")],
        volumes=[PLACE],
    )


def migrating(wanted: Wanted, revisions: Revisions) -> list[str]:
    """Return the words of `monoyard_database migrate`; docs/how-to/write-a-migration.md has them.

    CONCURRENTLY ends by itself before the Job is ended, so that it can say what happened.
    """
    argv = [*PROGRAM, "migrate", "--deployment", str(wanted.deployment)]
    argv += ["--directory", ".", "--deadline", str(max(1, int(wanted.seconds * 0.9)))]
    for revision in revisions.only:
        argv += ["--only", revision]
    for revision, why in revisions.floors.items():
        argv += ["--floor", f"{revision}={why}"]
    return argv


def guarding(revisions: Revisions) -> list[str]:
    """Return the words that have what is lost compared with the backup first."""
    argv = ["--manifest", MANIFEST]
    for revision, objects in revisions.guards.items():
        for name in objects:
            argv += ["--guard", f"{revision}={name}"]
    return argv
