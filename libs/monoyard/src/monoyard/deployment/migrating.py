"""The step that migrates: one Job for each service, before anything of the release is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from monoyard.delivery import Record
from monoyard.deployment.backing_up import taken_backup
from monoyard.deployment.job_pods import JobObjects
from monoyard.deployment.job_runs import JobRun
from monoyard.deployment.job_steps import JobStep
from monoyard.deployment.jobs import BACKUP, MIGRATE, PROVE, Role, Wanted
from monoyard.deployment.migration_objects import Revisions, migration_objects
from monoyard.deployment.rendering import has_account, rendered_for, wanted_for


@dataclass(frozen=True, slots=True)
class Migrate(JobStep):
    """Applies the migrations of a service's new image, in that image."""

    role: ClassVar[Role] = MIGRATE

    def do(self, record: Record) -> Mapping[str, Any]:
        """Make the Job, or find it, and wait for its end; errors as of `JobRun.do`."""
        name, seconds = self.world.environment.name, self.runs.timeouts.migrate
        wanted = wanted_for(record, self.service, name, MIGRATE, seconds)
        log = JobRun(wanted, wanted.image, self.runs).do(lambda: self._objects(wanted, record))
        return {"job": wanted.name, **log.migrated}

    def _objects(self, wanted: Wanted, record: Record) -> JobObjects:
        said = record.header["services"][self.service]
        name, images = self.world.environment.name, self.world.images
        images.examine(self.service, said["digest"], record.header["commit"]).demand()
        return migration_objects(
            wanted,
            Revisions.of(said),
            rendered_for(self.world, self.service, record),
            has_account(self.world.namespace),
            taken_backup(record, name, self.service) if said.get("backup") else None,
        )


@dataclass(frozen=True, slots=True)
class NothingSent:
    """The way back where a step before the first rollout failed: what was applied stays."""

    name: str = "nothing-sent"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Say what stays; the failed step itself says how far it came."""
        applied = {
            entry.step.partition(":")[2]: entry.facts.get("applied") or []
            for entry in record.entries
            if entry.step.startswith(f"{MIGRATE.name}:") and entry.state == "done"
        }
        return {"message": "every service runs what it ran", "applied": applied}


def failed_before_sending(record: Record) -> bool:
    """Say whether a deployment failed in a step that comes before anything is sent."""
    verb = str(record.failure).partition(":")[0]
    return verb in (BACKUP.name, PROVE.name, MIGRATE.name)
