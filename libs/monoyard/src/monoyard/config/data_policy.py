"""The part of an environment's file about its data: backups, where they go, who reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from monoyard.config.environment_values import (
    LOCAL_STORE,
    DataPolicy,
    EnvironmentSettings,
    StoreSettings,
)
from monoyard.config.kinds import (
    Faults,
    Kind,
    choice,
    list_of,
    matching,
    table,
    text,
    whole_number,
)

# They stand in the JSON schema as well: no flags.
_RECIPIENT: Final = re.compile(r"^age1[02-9ac-hj-np-z]{58}$")
_ENDPOINT: Final = re.compile(r"^https?://[^/\s]+/?$")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET: Final = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_VARIABLE: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_SCHEME: Final = re.compile(r"^postgres(ql)?(\+[a-z0-9_]+)?$")
_IMAGE: Final = re.compile(r"^([a-z0-9]+([._-][a-z0-9]+)*|\S+@sha256:[0-9a-f]{64})$")


def data_policy() -> Kind:
    """The table `data`."""
    return table(DataPolicy, _DATA_KINDS)


def with_store(environment: EnvironmentSettings) -> DataPolicy:
    """Return what happens to data; the local cluster has a store, with a bucket for each of its."""
    data, cluster = environment.data, environment.cluster
    if data.store is not None or cluster is None or not cluster.is_local:
        return data
    return replace(data, store=StoreSettings(LOCAL_STORE, environment.namespace))


def faults_of_store(data: DataPolicy, path: str) -> Faults:
    """Return what a store lacks."""
    if data.store is None:
        return []
    missing = [name for name in ("endpoint", "bucket") if not getattr(data.store, name)]
    return [f"{path}.data.store.{name}: missing" for name in missing]


_STORE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "endpoint": (
        matching(_ENDPOINT, "the URL of a store"), "URL with the S3 API, as pods reach it.",
    ),
    "bucket": (
        matching(_BUCKET, "the name of a bucket"),
        "A bucket for this environment: keys begin with its name.",
    ),
    "secret": (
        text(),
        "Secret with the keys `access-key` and `secret-key` (default: `backup-store`).",
    ),
    "region": (text(), "As the store calls it (default: `us-east-1`)."),
}  # fmt: skip

_DATA_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "backup": (
        choice("with-migrations", "always", "never"),
        "When a backup is taken: before migrations (default), before every deployment of a service "
        "that has some, or never.",
    ),
    "prove": (
        choice("when-losing", "always"),
        "When a backup is restored before a migration: if that can lose data (default), or always.",
    ),
    "recipients": (
        list_of(matching(_RECIPIENT, "a public key of age")),
        "Public age keys that backups are encrypted to, two at least. The local cluster makes its "
        "own.",
    ),
    "keep": (
        whole_number(),
        "How many backups of a service stay (default: 7); the newest that was proven does anyway.",
    ),
    "image": (
        matching(_IMAGE, "the name of an image, or a reference with its digest"),
        "What backs up and proves: an image of this workspace by its name, whose digest the policy "
        "verifies, or any other as `NAME@sha256:...`. It needs PostgreSQL of the database's major "
        "version, python3, psycopg, pyrage and boto3.",
    ),
    "variable": (
        matching(_VARIABLE, "the name of a variable"),
        "Variable of a service's pods that holds its database's address (default: "
        "`DATABASE_URL`).",
    ),
    "scheme": (
        matching(_SCHEME, "a scheme such as `postgresql+asyncpg`"),
        "How that address begins (default: `postgresql`): the address of the copy, on which "
        "migrations are tried, begins so too.",
    ),
    "store": (
        table(StoreSettings, _STORE_KINDS),
        "Object store that backups go to. The local cluster has its own.",
    ),
    "identity": (
        text(),
        "Secret whose key `identity` is a private age key of one of the recipients; only pods that "
        "restore see it (default: `backup-identity`).",
    ),
}  # fmt: skip
