"""Parts of pods that go to the store of backups: directory, variables, and what fetches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from monoyard.config.environment_values import ACCESS_KEY, SECRET_KEY, StoreSettings
from monoyard.deployment.backups import Backup
from monoyard.deployment.job_pods import PROGRAM, Pattern

_HERE: Final = "/var/monoyard/backup"
MANIFEST: Final = f"{_HERE}/manifest.json"
DUMP: Final = f"{_HERE}/dump.age"
DIRECTORY: Final = _HERE
PLACE: Final[Mapping[str, Any]] = {"name": "monoyard-backup", "emptyDir": {}}
"""Volume that holds a dump on its way."""


def holding(*, read_only: bool = False) -> dict[str, Any]:
    """Return the mount of that volume."""
    return {"name": PLACE["name"], "mountPath": _HERE, "readOnly": read_only}


def store_variables(store: StoreSettings) -> list[Mapping[str, Any]]:
    """Return the variables by which programs know the store."""

    def secret(key: str) -> dict[str, Any]:
        return {"secretKeyRef": {"name": store.secret, "key": key}}

    return [
        {"name": "MONOYARD_STORE", "value": store.endpoint},
        {"name": "MONOYARD_BUCKET", "value": store.bucket},
        {"name": "AWS_DEFAULT_REGION", "value": store.region},
        {"name": "AWS_ACCESS_KEY_ID", "valueFrom": secret(ACCESS_KEY)},
        {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": secret(SECRET_KEY)},
    ]


def fetching(
    pattern: Pattern, backup: Backup, key: str, *more: str, mounts: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """Return the container that fetches a backup."""
    argv = [*PROGRAM, "fetch", "--key", key, "--to", _HERE, *more]
    return pattern.tools(
        "fetch", backup.image, argv, mounts=[holding(), *mounts], env=store_variables(backup.store)
    )
