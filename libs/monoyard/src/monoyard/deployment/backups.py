"""Backups of a plan: what is backed up before a service changes, where to, and what is proven."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from monoyard.config.environment_values import (
    ACCESS_KEY,
    IDENTITY_KEY,
    SECRET_KEY,
    DataPolicy,
    StoreSettings,
)
from monoyard.delivery import Record
from monoyard.deployment.migrations import Migration
from monoyard.deployment.trials import Trial
from monoyard.migrations import Effect

NEVER: Final = "never"
ALWAYS: Final = "always"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is taken before a service changes.

    Attributes:
        why: Why it is taken, in words.
        image: What takes it, by digest.
        package: The package of this workspace that the image is of; empty for another one.
        store: Where it goes.
        recipients: Public keys that it is encrypted to.
        keep: How many of the service's backups stay.
        variable: Of the service's pods, with the database's address.
        scheme: How that address begins.
        identity: Secret with the key that restores it.
        proves: Why it is proven, in words; empty where it is not.
        trials: What is tried on the migrated copy where it is proven.
    """

    why: str
    image: str
    package: str
    store: StoreSettings
    recipients: tuple[str, ...]
    keep: int
    variable: str
    scheme: str
    identity: str
    proves: str = ""
    trials: tuple[Trial, ...] = ()

    def decisions(self) -> dict[str, Any]:
        """Return what the hash of a plan knows of it: what is done, and no words on it."""
        said = {key: value for key, value in asdict(self).items() if key not in ("why", "proves")}
        trials = [{**item, "words": list(item["words"])} for item in said["trials"]]
        return {**said, "recipients": list(self.recipients), "trials": trials,
                "proves": bool(self.proves)}  # fmt: skip

    def secrets(self, *, restores: bool) -> dict[str, frozenset[str]]:
        """Return name and keys of the Secrets that its Jobs need.

        Args:
            restores: The backup is restored, not only written or listed.
        """
        wanted = {self.store.secret: frozenset({ACCESS_KEY, SECRET_KEY})}
        return {**wanted, self.identity: frozenset({IDENTITY_KEY})} if restores else wanted

    def to_header(self) -> dict[str, Any]:
        """Return it for a record."""
        return asdict(self)

    @classmethod
    def of_header(cls, said: Mapping[str, Any]) -> Backup:
        """Read what `to_header` made."""
        store, recipients = StoreSettings(**said["store"]), tuple(said["recipients"])
        trials = tuple(Trial.of_header(item) for item in said.get("trials") or ())
        return cls(**{**said, "store": store, "recipients": recipients, "trials": trials})


def reason_to_back_up(policy: DataPolicy, *, has_database: bool, migrates: bool) -> str:
    """Return why the database of a service is backed up; empty where it is not."""
    if policy.backup == NEVER:
        return ""
    if migrates:
        return "it is migrated"
    return "`data.backup` says always" if policy.backup == ALWAYS and has_database else ""


def reason_to_prove(policy: DataPolicy, migrations: Iterable[Migration]) -> str:
    """Return why a backup is proven; empty where it is not."""
    for item in migrations:
        if not item.is_classed:
            return f"nobody can say what {item.name} does"
        if Effect.LOSES.value in item.effects:
            return f"{item.name} loses {', '.join(item.loses) or 'data'}"
        if Effect.OPAQUE.value in item.effects:
            return f"nobody can tell whether {item.name} loses data"
    return "`data.prove` says always" if policy.prove == ALWAYS else ""


def guards_of(found: Iterable[Migration]) -> dict[str, list[str]]:
    """Return the revisions that lose data to what of it is compared with the backup first."""
    return {item.revision: list(item.loses) for item in found if item.revision and item.loses}


def key_of(record: Record, environment: str, service: str) -> str:
    """Return the key of the backup that a deployment takes.

    It has the time beside the number: a store outlives a ledger, and numbers may begin anew.
    """
    return f"{environment}/{service}/{name_of_record(record)}"


def name_of_record(record: Record) -> str:
    """Return what a deployment is called in a store: its number, and the time when it began."""
    said = str(record.header.get("at") or "")
    at = "".join(letter for letter in said if letter.isalnum())
    return f"{record.number}-{at}"


def keys_to_spare(history: Collection[Record], service: str) -> tuple[str, ...]:
    """Return the keys that deployments name which were not completed, since the last that was."""
    found = []
    for record in sorted(history, key=lambda item: item.number, reverse=True):
        if record.outcome == "completed":
            break
        entry = record.done(f"backup:{service}")
        if entry is not None and entry.facts.get("key"):
            found.append(str(entry.facts["key"]))
    return tuple(found)
