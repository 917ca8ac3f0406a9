"""The Jobs that bring something of a backup back: what a database lost, or all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monoyard.config.environment_values import IDENTITY_KEY
from monoyard.delivery import Object
from monoyard.deployment.backing_up import words_of_facts
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_pods import PROGRAM, JobObjects, Pattern
from monoyard.deployment.jobs import Wanted
from monoyard.deployment.proving import (
    COPY,
    COPY_MOUNT,
    KEYS,
    SERVER,
    SUPERUSER,
    USER,
    restoring,
    serving,
)
from monoyard.deployment.store_ways import (
    DIRECTORY,
    DUMP,
    MANIFEST,
    PLACE,
    fetching,
    holding,
    store_variables,
)

_SCRATCH: Final = {"name": "SCRATCH_URL", "value": SERVER.format("postgresql", SUPERUSER)}
_VERSION: Final = {"name": "monoyard-version", "emptyDir": {}}
_VERSION_MOUNT: Final = {"name": "monoyard-version", "mountPath": "/var/monoyard/version"}
_VERSION_FILE: Final = "/var/monoyard/version/version.json"


@dataclass(frozen=True, slots=True)
class Replacement:
    """What putting a backup in the place of a database comes to.

    Attributes:
        key: Of the backup.
        backup: What is told of it, as `monoyard_database backups` does.
        events: Those of `monoyard_database replace`.
    """

    key: str
    backup: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]

    @classmethod
    def of_events(cls, key: str, events: Iterable[Mapping[str, Any]]) -> Replacement:
        """Read what the Job said."""
        found = list(events)
        backup = next((item for item in found if item["event"] == "fetched"), {})
        quiet = ("fetched", "restored", "proven", "version")
        return cls(key, backup, tuple(item for item in found if item["event"] not in quiet))

    def first(self, name: str) -> Mapping[str, Any]:
        """Return the first event of a name; empty where there is none."""
        return next((item for item in self.events if item["event"] == name), {})

    @property
    def refused(self) -> tuple[Mapping[str, Any], ...]:
        """What forbids it."""
        return tuple(item for item in self.events if item["event"] == "refused")


def recovery_objects(
    wanted: Wanted,
    of: tuple[Backup, str],
    rendered: Iterable[Object],
    accounts: Callable[[str], bool],
    *,
    is_planned: bool,
) -> JobObjects:
    """Return what is made in the cluster to bring back what a database lost.

    Args:
        wanted: The Job.
        of: The backup, and its key.
        rendered: What the chart of the service comes to.
        accounts: Says whether there is a ServiceAccount of a name.
        is_planned: Only what is lost is told.
    """
    backup, key = of
    pattern = Pattern(wanted, rendered)
    env, env_from = pattern.address(backup.variable)
    pattern.copies.of_store(backup.store.endpoint)
    argv = [*PROGRAM, "recover", "--from", DUMP, "--manifest", MANIFEST]
    argv += ["--identity", f"{KEYS['mountPath']}/{IDENTITY_KEY}"]
    last = pattern.tools(
        "recover", backup.image, [*argv, *(["--plan"] if is_planned else [])],
        mounts=[holding(read_only=True), KEYS], env=[*env, _SCRATCH], env_from=env_from,
    )  # fmt: skip
    more = ("--only-manifest",) if is_planned else ("--space", str(COPY_MOUNT["mountPath"]))
    first = [fetching(pattern, backup, key, *more, mounts=(COPY_MOUNT,))]
    if not is_planned:
        first.append(serving(pattern, backup, wanted.name))
    return pattern.job([last], accounts, first=first, volumes=[PLACE, COPY, _keys(backup)])


def saving_words(backup: Backup, key: str, lose: int, facts: Mapping[str, str]) -> list[str]:
    """Return the words that have a database replaced: what is lost, and where it is kept."""
    words = [f"--lose={lose}", "--key", key, "--directory", DIRECTORY]
    for recipient in backup.recipients:
        words += ["--recipient", recipient]
    return [*words, *words_of_facts(facts)]


def replacement_objects(
    wanted: Wanted,
    of: tuple[Backup, str],
    rendered: Iterable[Object],
    accounts: Callable[[str], bool],
    words: Sequence[str],
) -> JobObjects:
    """Return what is made in the cluster to put a backup in the place of a database.

    The backup is restored and proven in a throwaway PostgreSQL first, by the one container that
    has the private key. The version that runs says what it was made for, in its own image. Then
    the last one has the database's address and the copy; and the store, where it changes anything.

    Args:
        wanted: The Job.
        of: The backup, and its key.
        rendered: What the chart of the service comes to.
        accounts: Says whether there is a ServiceAccount of a name.
        words: `--plan`, or `saving_words`.
    """
    backup, key = of
    pattern = Pattern(wanted, rendered)
    env, env_from = pattern.address(backup.variable)
    pattern.copies.of_store(backup.store.endpoint)
    store = [] if "--plan" in words else store_variables(backup.store)
    files = ["--manifest", MANIFEST, "--version", _VERSION_FILE]
    last = pattern.tools(
        "replace", backup.image, [*PROGRAM, "replace", *files, *words],
        mounts=[holding(), {**_VERSION_MOUNT, "readOnly": True}],
        env=[*env, _SCRATCH, *store], env_from=env_from,
    )  # fmt: skip
    first = [
        fetching(pattern, backup, key, "--space", COPY_MOUNT["mountPath"], mounts=(COPY_MOUNT,)),
        serving(pattern, backup, wanted.name),
        restoring(pattern, backup),
        _asking_version(pattern, backup),
    ]
    volumes = [PLACE, COPY, _VERSION, _keys(backup)]
    return pattern.job([last], accounts, first=first, volumes=volumes)


def _asking_version(pattern: Pattern, backup: Backup) -> dict[str, Any]:
    """Return the container that says what the version that runs was made for."""
    return pattern.own(
        "heads", [*PROGRAM, "heads", "--to", _VERSION_FILE], mounts=[_VERSION_MOUNT],
        # An `env.py` may connect although nobody asks for it.
        env={backup.variable: SERVER.format(backup.scheme, USER)},
    )  # fmt: skip


def _keys(backup: Backup) -> dict[str, Any]:
    return {"name": KEYS["name"], "secret": {"secretName": backup.identity}}
