"""The Jobs of a deployment: what each is called in the cluster, and how it is told of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monoyard.delivery.objects import (
    CONFIG_MAP,
    DEPLOYMENT_LABEL,
    ENVIRONMENT_LABEL,
    SERVICE_LABEL,
    Kind,
)

ACCOUNT: Final = Kind("", "v1", "ServiceAccount", "serviceaccounts")
POLICY: Final = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
AHEAD: Final = (CONFIG_MAP, ACCOUNT, POLICY)
"""Kinds of what is made ahead of a Job."""
ROLE_LABEL: Final = "monoyard.dev/role"
"""Label of pods by what they are for: `serving`, `smoke`, or the name of a Job's role."""
RUN_LABEL: Final = "monoyard.dev/run"
"""Label of what belongs to a Job of no deployment."""
BEGAN: Final = "monoyard.dev/began"
"""Annotation of a Job: when its deployment began, as the record's header has it."""
TRIAL: Final = "trial"
"""First word of the names of containers in which versions try the copy."""
_LONGEST_NAME: Final = 63
_DIGITS: Final = 8
_OF_STORE: Final = {
    8: "look at the Secret with the database's address, and at what may reach the database",
    9: "the node's disk has no room for it: the pod's directories are on it",
    11: "`data.store.endpoint` of the environment is its address, as pods reach it",
    12: "`data.store.bucket` of the environment names it; somebody has to make it",
    13: "look at the Secret that `data.store.secret` of the environment names",
    14: "make room in the store, or keep fewer (`data.keep`)",
    15: "`invoke backup.list` shows what there is",
}


@dataclass(frozen=True, slots=True)
class Role:
    """What a Job is for.

    Attributes:
        name: First word of its name and of its step in the ledger, and its pods' label.
        noun: What it does, in words.
        code: First word of its errors' codes.
        setting: How long it may take.
        containers: Those of its pod that tell something, in the order in which they run.
        hints: What helps, by exit status.
        is_kept: What it applied stays when it fails.
    """

    name: str
    noun: str
    code: str
    setting: str
    containers: tuple[str, ...]
    hints: Mapping[int, str]
    is_kept: bool = False


MIGRATE: Final = Role(
    "migrate",
    "the migration",
    "migration",
    "timeouts.migrate",
    ("fetch", "migrate"),
    {
        **{status: _OF_STORE[status] for status in (11, 12, 13, 15)},
        3: "another migration holds the lock of this database: deploy again when it has ended",
        4: "the database is not where the plan starts from: have it at what the running commit has",
        5: "no attempt got its table lock, and nobody was kept waiting: deploy again in a calmer "
        "hour",
        6: "the revisions before it stay applied; mend the revision, and deploy that commit",
        7: "what it removes was written to after the backup: deploy again, which takes another "
        "backup, while nobody writes there",
        8: "look at the Secret with the database's address, and at `alembic.ini` in the image",
        9: "the models of this commit are not those of its migrations",
        143: "it was stopped, and what it was at was taken back: deploy again",
    },
    is_kept=True,
)
BACKUP: Final = Role(
    "backup",
    "the backup",
    "backup",
    "timeouts.backup",
    ("backup",),
    {
        **_OF_STORE,
        2: "`data.recipients` of the environment are the public keys",
        6: "nothing was touched: deploy again when what it says is mended",
        143: "it was stopped before the backup was whole: deploy again",
    },
)
PROVE: Final = Role(
    "prove",
    "the proof of the backup",
    "proof",
    "timeouts.prove",
    ("fetch", "restore", "migrate", *(f"{TRIAL}-{number}" for number in (1, 2)), "prove"),
    {
        **MIGRATE.hints,
        **_OF_STORE,
        2: "the Secret that `data.identity` of the environment names has no private age key, or "
        "the backup's manifest cannot be read",
        3: "the store does not give back what was put there: look at its disks",
        5: "the Secret that `data.identity` of the environment names holds the key of none of the "
        "recipients: that backup can be read with the other keys alone",
        6: "on the copy it failed as it would have on the database, which was not touched",
        7: "the copy is not what was backed up: the backup is not good",
        10: "`data.image` of the environment has to be of the database's major version",
        16: "the database was not touched: expand first and contract in a later release, or mend "
        "the version",
    },
)

LIST: Final = Role("list", "the list of backups", "list", "timeouts.backup", ("list",), _OF_STORE)
VERIFY: Final = Role(
    "verify", "the proof of the backup", "proof", "timeouts.prove", ("fetch", "restore", "prove"),
    PROVE.hints,
)  # fmt: skip
RECOVER: Final = Role(
    "recover",
    "bringing back",
    "recovery",
    "timeouts.prove",
    ("fetch", "recover"),
    {
        **PROVE.hints,
        6: "what it says was brought back is there; mend the rest, and run it again",
        10: "a table without a primary key is mended by hand; or `data.image` is of another major "
        "version than the backup",
    },
)
REPLACE: Final = Role(
    "replace",
    "restoring the whole database",
    "replacement",
    "timeouts.prove` plus `timeouts.backup",
    ("fetch", "restore", "heads", "replace"),
    {
        **PROVE.hints,
        6: "the database is as it was: mend what it says, and begin with `--plan` again",
        7: "the database is as it was; `invoke backup.list` shows other backups",
        8: "the database is as it was: look at the Secret with its address, and at `alembic.ini` "
        "in the image that runs",
        17: "somebody wrote meanwhile: stop who writes, and `--plan` tells what is lost by then",
        18: "`invoke rollback` has the version run that the backup is of, or `--key` names a newer "
        "backup",
        19: "whoever administers the server gives the right, or restores by hand: "
        "docs/how-to/back-up-a-database.md",
        143: "it was stopped, and the database is as it was: begin with `--plan` again",
    },
)
MIRROR: Final = Role(
    "mirror", "mirroring the ledger", "mirror", "timeouts.backup", ("mirror",), _OF_STORE
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Job that is to run.

    Attributes:
        environment: Name of the environment.
        service: The service; empty where it is for the whole environment.
        deployment: Number of the deployment.
        image: Reference of the service's new image, by digest.
        seconds: How long it may take.
        role: What it is for.
        run: Tells it from others where it belongs to no deployment.
        is_guarded: It changes the environment although it belongs to no deployment: whoever takes
            the Lease waits for it.
        began: When the deployment began, as the record's header has it: numbers begin anew where
            a ledger was removed. Empty where nobody asks.
    """

    environment: str
    service: str
    deployment: int
    image: str
    seconds: float
    role: Role = MIGRATE
    run: str = ""
    is_guarded: bool = False
    began: str = ""

    @property
    def name(self) -> str:
        """Name of the Job, which is the same for whoever resumes."""
        words = (self.role.name, self.run or str(self.deployment), self.service)
        said = "-".join(word for word in words if word)
        if len(said) <= _LONGEST_NAME:
            return said
        digest = hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]
        return f"{said[: _LONGEST_NAME - _DIGITS - 1]}-{digest}"

    @property
    def labels(self) -> dict[str, str]:
        """Labels of all that belongs to it; those of environment and deployment guard the Lease."""
        own = {ROLE_LABEL: self.role.name}
        if self.service:
            own[SERVICE_LABEL] = self.service
        if self.run:
            own[RUN_LABEL] = self.run
            if not self.is_guarded:
                return own
        belonging = f"run-{self.run}" if self.run else str(self.deployment)
        return {ENVIRONMENT_LABEL: self.environment, DEPLOYMENT_LABEL: belonging, **own}
