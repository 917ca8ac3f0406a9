"""By what, and to where, a ledger is mirrored, and how a record is read from there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from monoyard.config.environment_values import StoreSettings
from monoyard.delivery import Entry, Record
from monoyard.deployment.plan import DeployPlan
from monoyard.deployment.ports import World
from monoyard.errors import MonoyardError

HEADER: Final = "mirror"
"""Where a record's header says by what, and to where, it is mirrored."""
DIRECTORY: Final = "ledger"
"""Between the environment's name and that of a record in the store."""


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """By what, and to where, a ledger is mirrored.

    Attributes:
        image: Has the programs, by digest.
        store: Where backups go as well.
    """

    image: str
    store: StoreSettings

    def to_header(self) -> dict[str, Any]:
        """Return it for a record."""
        return asdict(self)

    @classmethod
    def of_header(cls, said: Mapping[str, Any]) -> MirrorSettings:
        """Read what `to_header` made."""
        return cls(str(said["image"]), StoreSettings(**said["store"]))


def last_settings(history: Collection[Record]) -> MirrorSettings | None:
    """Return how a ledger was mirrored last, or backups were taken; None where neither was."""
    for record in sorted(history, key=lambda item: item.number, reverse=True):
        services = (record.header.get("services") or {}).values()
        for said in (record.header.get(HEADER), *(item.get("backup") for item in services)):
            if said:
                return MirrorSettings.of_header(said)
    return None


def decide_mirror(world: World, plan: DeployPlan) -> MirrorSettings | None:
    """Return how a deployment's record is mirrored; None where nobody says, or nothing could do it.

    The image is held to the policy as that of a backup is, and one that is not accepted, or cannot
    be asked for now, leaves it to the one that did it last.
    """
    policy, commit = world.environment.data, plan.request.commit
    if policy.store is None:
        return None
    found = [item.backup.image for item in plan.changed if item.backup]
    if "@" in policy.image:
        found.append(policy.image)
    elif policy.image and not found:
        with suppress(MonoyardError):
            digest = world.images.digest(policy.image, commit)
            if digest and not world.images.examine(policy.image, digest, commit).problem:
                found.append(f"{world.images.repository(policy.image)}@{digest}")
    if found:
        return MirrorSettings(found[0], policy.store)
    last = last_settings(world.ledger.history())
    return replace(last, store=policy.store) if last else None


def record_of(said: Mapping[str, Any]) -> Record:
    """Read a record as the mirror keeps it.

    Raises:
        ValueError: It is none.
    """
    try:
        entries = tuple(Entry(**item) for item in said["entries"])
        number, header = int(said["number"]), dict(said["header"])
        token = max((entry.token for entry in entries), default=0)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no record of a deployment: {error}") from error
    return Record(number, header, entries, "", token)
