"""Makes the part of a plan that says what is backed up, where to, and what of it is proven."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from monoyard.config.environment_values import DataPolicy
from monoyard.delivery import Object
from monoyard.deployment.backing_up import backup_objects, saving
from monoyard.deployment.backups import Backup, reason_to_back_up, reason_to_prove
from monoyard.deployment.job_pods import JobObjects
from monoyard.deployment.jobs import BACKUP, PROVE, Wanted
from monoyard.deployment.migrations import Migration, floors_of
from monoyard.deployment.plan import Request
from monoyard.deployment.ports import World
from monoyard.deployment.proving import proof_objects
from monoyard.deployment.rendering import has_account
from monoyard.deployment.secrets import read_versions
from monoyard.deployment.trials import trials_of
from monoyard.errors import DeliveryError

_SHOWN: Final = 12
_LEAST_RECIPIENTS: Final = 2
_NEVER: Final = "or `data.backup` says `never`"

Refuse = Callable[[str, str, str, str], None]
"""Takes a code, a service, a sentence, and what helps."""


@dataclass(frozen=True, slots=True)
class BackupMaking:
    """Decides on the backup of one service.

    Attributes:
        world: What is asked.
        request: What is asked for.
        service: Its name.
        refuse: Takes what forbids the plan.
    """

    world: World
    request: Request
    service: str
    refuse: Refuse

    def decide(self, migrations: Collection[Migration]) -> Backup | None:
        """Return what is backed up; None for nothing.

        Args:
            migrations: Those that the deployment applies.
        """
        policy = self.world.environment.data
        known = self.world.commits.new_migrations(self.service, "", self.request.commit)
        why = reason_to_back_up(policy, has_database=bool(list(known)), migrates=bool(migrations))
        if not why:
            return None
        found = self._image(policy)
        if policy.store is None:
            self._refuse("no-store", "nobody says where backups go",
                         f"`[data.store]` in environment.toml does, {_NEVER}")  # fmt: skip
        if len({*policy.recipients}) < _LEAST_RECIPIENTS:
            self._refuse("no-recipients", "nobody says to whom backups are encrypted",
                         "`data.recipients` has two public age keys at least; `invoke cluster.up` "
                         "makes those of the local cluster")  # fmt: skip
        if found is None or policy.store is None or len({*policy.recipients}) < _LEAST_RECIPIENTS:
            return None
        image, package = found
        backup = Backup(
            why=why,
            image=image,
            package=package,
            store=policy.store,
            recipients=policy.recipients,
            keep=policy.keep,
            variable=policy.variable,
            scheme=policy.scheme,
            identity=policy.identity,
            proves=reason_to_prove(policy, migrations),
        )
        self._check_secrets(backup)
        return backup

    def with_trials(
        self,
        backup: Backup,
        running: tuple[str, Sequence[Object]],
        new: tuple[str, Sequence[Object]],
        migrations: Collection[Migration],
    ) -> Backup:
        """Return the backup with what is tried on its migrated copy; arguments of `trials_of`."""
        if not backup.proves:
            return backup
        try:
            trials = trials_of(running, new, is_broken=bool(floors_of(migrations)))
        except DeliveryError as error:
            self._refuse(error.code, error.message, error.hint or "")
            return backup
        return replace(backup, trials=trials)

    def jobs(
        self, backup: Backup, image: str, objects: Sequence[Object]
    ) -> Iterator[Callable[[], JobObjects]]:
        """Yield what makes the Jobs, to be tried.

        Args:
            backup: What is backed up.
            image: The service's new image.
            objects: What the chart of the service comes to.
        """
        name = self.world.environment.name
        accounts = has_account(self.world.namespace)
        key = f"{name}/{self.service}/0"
        wanted = Wanted(name, self.service, 0, image, 1, BACKUP)
        words = saving(backup, key, (), {})
        yield partial(backup_objects, wanted, backup, words, objects, accounts)
        if backup.proves:
            proof = Wanted(name, self.service, 0, image, 1, PROVE)
            yield partial(
                proof_objects, proof, (backup, key), objects, accounts, trials=backup.trials
            )

    def _image(self, policy: DataPolicy) -> tuple[str, str] | None:
        """Return the reference of the image with the programs, and its package."""
        if "@" in policy.image:
            return policy.image, ""
        if not policy.image:
            self._refuse("no-backup-image", "nobody says which image takes backups",
                         "`data.image` names one of this workspace, or any other by its digest, "
                         f"{_NEVER}")  # fmt: skip
            return None
        images, commit = self.world.images, self.request.commit
        digest = images.digest(policy.image, commit)
        if digest is None:
            self._refuse("no-image", f"backups are taken by the image of {policy.image}, which has "
                         f"none for {commit[:_SHOWN]}",
                         "`nox -s publish` at that commit, with nothing uncommitted, puts it into "
                         "the registry; `data.image` may also name one by its digest")  # fmt: skip
            return None
        if problem := images.examine(policy.image, digest, commit).problem:
            self._refuse("not-accepted", f"backups are taken by the image of {policy.image}, which "
                         f"is refused: {problem}",
                         f"`invoke images.verify {policy.image}@{digest} --env ENV` shows every "
                         "check")  # fmt: skip
        return f"{images.repository(policy.image)}@{digest}", policy.image

    def _check_secrets(self, backup: Backup) -> None:
        wanted = backup.secrets(restores=bool(backup.proves))
        _, missing = read_versions(self.world.namespace, wanted)
        for message in missing:
            self._refuse("missing-secret", f"backups need it: {message}",
                         "a person puts it there; environment.toml only names it")  # fmt: skip

    def _refuse(self, code: str, message: str, hint: str) -> None:
        self.refuse(code, self.service, message, hint)
