"""What is asked of backups between deployments: what there is, whether it is good, bring it back.

The ledger says by what and to where backups were taken; neither repository nor registry is asked,
and the store is reached by Jobs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import Lease, Ledger, Object, Record
from monoyard.delivery.ledger import RESTORE, Entry
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_log import Log
from monoyard.deployment.job_pods import PROGRAM, JobObjects, Pattern
from monoyard.deployment.job_runs import JobRun, Runs
from monoyard.deployment.jobs import BACKUP, LIST, MIGRATE, RECOVER, REPLACE, VERIFY, Role, Wanted
from monoyard.deployment.proving import proof_objects
from monoyard.deployment.releases import Releases
from monoyard.deployment.rendering import has_account
from monoyard.deployment.restoring import (
    Replacement,
    recovery_objects,
    replacement_objects,
    saving_words,
)
from monoyard.deployment.running import read_running
from monoyard.deployment.secrets import read_versions
from monoyard.deployment.store_ways import store_variables
from monoyard.deployment.tidying import sweep
from monoyard.errors import DeliveryError, MonoyardError


@dataclass(frozen=True, slots=True)
class Kept:
    """The backups of an environment.

    Attributes:
        environment: Its settings.
        ledger: What was done to it.
        releases: What Helm sent.
        runs: Under what Jobs run.
        run: Tells the Jobs of this call from others.
        by: Who asks, for people.
        lease: The environment's, under which alone databases are changed.
    """

    environment: EnvironmentSettings
    ledger: Ledger
    releases: Releases
    runs: Runs
    run: str
    by: str = ""
    lease: Lease | None = None

    def list(self) -> Sequence[Mapping[str, Any]]:
        """Return what is told of every backup in the store, the newest first.

        Raises:
            DeliveryError: The store does not say, or no deployment ever took one.
        """
        service, backup = self._newest()
        argv = [*PROGRAM, "backups", "--prefix", f"{self.environment.name}/"]

        def make(wanted: Wanted, objects: Sequence[Object]) -> JobObjects:
            pattern = Pattern(wanted, objects)
            pattern.copies.of_store(backup.store.endpoint)
            env = store_variables(backup.store)
            asked = pattern.tools("list", backup.image, argv, env=env)
            return pattern.job([asked], has_account(self.runs.namespace), is_isolated=True)

        log = self._do(LIST, service, backup, self.runs.timeouts.backup, make)
        return [event for event in log.events if event["event"] == "backup"]

    def verify(self, key: str) -> Mapping[str, Any]:
        """Have a backup fetched, restored into a throwaway PostgreSQL, and compared.

        Args:
            key: Of the backup.

        Returns:
            `key`, `tables` and `not_compared`; beside the backup it is written that it is proven.

        Raises:
            DeliveryError: It is not good, or that cannot be found out.
        """
        service = self._service_of(key)
        _, backup = self._newest(service)

        def make(wanted: Wanted, objects: Sequence[Object]) -> JobObjects:
            accounts = has_account(self.runs.namespace)
            return proof_objects(wanted, (backup, key), objects, accounts)

        log = self._do(VERIFY, service, backup, self.runs.timeouts.prove, make)
        proven = log.last("proven")
        return {"key": key, **{name: proven.get(name) for name in ("tables", "not_compared")}}

    def recover(self, key: str, *, is_planned: bool) -> Sequence[Mapping[str, Any]]:
        """Bring back the tables and columns that a backup has and the database has not.

        Args:
            key: Of the backup.
            is_planned: Only tell what is lost.

        Returns:
            The events of `monoyard_database recover`.

        Raises:
            DeliveryError: Nothing, or not all, was brought back.
        """
        service = self._service_of(key)
        _, backup = self._newest(service)

        def make(wanted: Wanted, objects: Sequence[Object]) -> JobObjects:
            accounts = has_account(self.runs.namespace)
            return recovery_objects(wanted, (backup, key), objects, accounts, is_planned=is_planned)

        def ask(*, is_guarded: bool) -> Sequence[Mapping[str, Any]]:
            seconds = self.runs.timeouts.prove
            log = self._do(RECOVER, service, backup, seconds, make, is_guarded=is_guarded)
            return [event for event in log.events if event["event"] not in ("fetched", "restored")]

        if is_planned:
            return ask(is_guarded=False)
        with self._recorded(service, key, whole=False) as found:
            events = ask(is_guarded=True)
            found["objects"] = [
                event["name"] for event in events if event["event"] in ("table", "column")
            ]
        return events

    def replace(self, key: str, lose: int | None) -> Replacement:
        """Put a backup in the place of a whole database, or tell what that would lose.

        Args:
            key: Of the backup.
            lose: Rows that are new or changed since the backup; None only tells.

        Raises:
            DeliveryError: The database is as it was; or it cannot be seen whether it is.
        """
        service = self._service_of(key)
        _, backup = self._newest(service)
        if lose is not None:
            self._check_ended()
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        saved = f"{self.environment.name}/{service}/restore-{at}-{self.run}"
        facts = {"service": service, "by": self.by, "before": f"restore of {key}"}

        def make(wanted: Wanted, objects: Sequence[Object]) -> JobObjects:
            accounts = has_account(self.runs.namespace)
            words = saving_words(backup, saved, lose, facts) if lose is not None else ["--plan"]
            return replacement_objects(wanted, (backup, key), objects, accounts, words)

        def ask(*, is_guarded: bool) -> Replacement:
            timeouts = self.runs.timeouts
            seconds = timeouts.prove + timeouts.backup
            log = self._do(REPLACE, service, backup, seconds, make, is_guarded=is_guarded)
            return Replacement.of_events(key, log.events)

        if lose is None:
            return ask(is_guarded=False)
        with self._recorded(service, key, whole=True, saved=saved) as found:
            done = ask(is_guarded=True)
            if replaced := done.first("replaced"):
                found["lost"] = replaced["lost"]
        return done

    def newest_of(self, service: str) -> str:
        """Return the key of the backup that was taken last of a service.

        Raises:
            DeliveryError: There is none.
        """
        for record in self.ledger.history():
            taken = record.done(f"{BACKUP.name}:{service}")
            if taken is not None:
                return str(taken.facts["key"])
        raise self._none(service)

    def before_backup(self, key: str) -> int:
        """Return the completed deployment before the one that took a backup; 0 for none known."""
        history = self.ledger.history()
        steps = f"{BACKUP.name}:{key.split('/')[1]}"
        number = next(
            (
                record.number
                for record in history
                if (taken := record.done(steps)) is not None and taken.facts["key"] == key
            ),
            0,
        )
        earlier = (
            record.number
            for record in history
            if record.number < number and record.outcome == "completed"
        )
        return next(earlier, 0)

    def newest_before_migration(self, service: str) -> str:
        """Return the key of the backup that was taken before a service was migrated last.

        Raises:
            DeliveryError: There is none.
        """
        for record in self.ledger.history():
            migrated = record.last(f"{MIGRATE.name}:{service}")
            taken = record.done(f"{BACKUP.name}:{service}")
            if migrated is not None and taken is not None and not _is_idle(migrated):
                return str(taken.facts["key"])
        raise DeliveryError(
            f"no deployment that backed {service} up has migrated it",
            code="no-backup",
            hint="`invoke backup.list` shows what there is; `--key` names one",
        )

    def newest(self) -> str:
        """Return the key of the backup that was taken last, of whichever service.

        Raises:
            DeliveryError: There is none.
        """
        for record in self.ledger.history():
            for entry in reversed(record.entries):
                verb, _, name = entry.step.partition(":")
                is_taken = verb == BACKUP.name and entry.state == "done"
                if is_taken and name in self.environment.services:
                    return str(entry.facts["key"])
        raise self._none()

    def _do(
        self,
        role: Role,
        service: str,
        backup: Backup,
        seconds: float,
        make: Callable[[Wanted, Sequence[Object]], JobObjects],
        *,
        is_guarded: bool = False,
    ) -> Log:
        """Run a Job as what runs of a service, and leave nothing of it."""
        now = read_running(self.releases, service, self.environment.services[service])
        if not now.revision:
            raise DeliveryError(
                f"{service} does not run in `{self.environment.name}`: its database is reached as "
                "its pods reach it",
                code="not-running",
                hint="docs/how-to/back-up-a-database.md has the same by hand",
            )
        wanted_secrets = backup.secrets(restores=role is not LIST)
        _, missing = read_versions(self.runs.namespace, wanted_secrets)
        if missing:
            # A pod would wait for it for as long as the Job may take.
            raise DeliveryError(
                missing[0],
                code="missing-secret",
                hint="a person puts it there; `data` of the environment only names it",
            )
        image = f"{now.repository}@{now.digest}"
        name = self.environment.name
        wanted = Wanted(name, service, 0, image, seconds, role, self.run, is_guarded)
        try:
            return JobRun(wanted, backup.image, self.runs).do(lambda: make(wanted, now.objects))
        finally:
            sweep(self.runs.namespace, wanted)

    @contextmanager
    def _recorded(self, service: str, key: str, **said: Any) -> Iterator[dict[str, Any]]:
        """Have the ledger say before and after a block what it does to a service's database.

        It stands with the newest deployment: that is what runs while it is done.

        Args:
            service: The service.
            key: Of the backup.
            **said: What else is known before.

        Yields:
            Takes what is known afterwards.
        """
        if self.lease is None:
            raise ValueError("a database is changed under the environment's Lease")
        step, facts = f"{RESTORE}:{service}", {"key": key, "by": self.by, **said}
        record = self.ledger.history()[0]
        record = self.ledger.append(self.lease, record, step, "intent", facts)
        found: dict[str, Any] = {}
        try:
            yield found
        except MonoyardError as error:
            with suppress(MonoyardError):  # what ended the block is what is told
                told = {**facts, "message": error.message}
                self.ledger.append(self.lease, record, step, "failed", told)
            raise
        self.ledger.append(self.lease, record, step, "done", {**facts, **found})

    def _check_ended(self) -> None:
        history = self.ledger.history()
        if history and history[0].outcome == "open":
            name = self.environment.name
            raise DeliveryError(
                f"deployment {history[0].number} of `{name}` has not ended",
                code="deployment-open",
                hint=f"`invoke deploy --env {name} --resume` goes on with it",
            )

    def _newest(self, service: str = "") -> tuple[str, Backup]:
        """Return how backups were taken last, of one service or of any."""
        for record in self.ledger.history():
            for name, said in self._taken(record):
                if service in ("", name):
                    return name, Backup.of_header(said)
        raise self._none()

    def _taken(self, record: Record) -> Sequence[tuple[str, Mapping[str, Any]]]:
        services = record.header.get("services") or {}
        return [
            (name, said["backup"])
            for name, said in services.items()
            if said.get("backup") and name in self.environment.services
        ]

    def _service_of(self, key: str) -> str:
        parts = key.split("/")
        if len(parts) != 3 or parts[0] != self.environment.name:  # noqa: PLR2004  as `key_of` makes it
            raise DeliveryError(
                f"`{key}` is no backup of `{self.environment.name}`",
                code="no-backup",
                hint=f"`invoke backup.list --env {self.environment.name}` shows what there is",
            )
        if parts[1] not in self.environment.services:
            raise DeliveryError(
                f"`{self.environment.name}` has no service `{parts[1]}`", code="no-backup"
            )
        return parts[1]

    def _none(self, service: str = "") -> DeliveryError:
        of = f" of {service}" if service else ""
        return DeliveryError(
            f"no deployment to `{self.environment.name}` took a backup{of}",
            code="no-backup",
            hint="`data` of the environment says when that is; `invoke history --json` has the "
            "steps of each",
        )


def _is_idle(migrated: Entry) -> bool:
    """Say whether a migration found nothing left to apply; one whose log was lost is not idle."""
    facts = migrated.facts
    return migrated.state == "done" and "head" in facts and not facts.get("applied")
