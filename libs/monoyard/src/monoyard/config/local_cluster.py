"""The file of the local cluster: the names it answers to, how its Secrets are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from monoyard.config.documents import parse_toml
from monoyard.config.kinds import (
    Faults,
    Kind,
    choice,
    list_of,
    mapping_of,
    matching,
    table,
    text,
    whole_number,
)
from monoyard.errors import ConfigurationError

# RFC 6761, sections 6.2 and 6.3: nobody else ever answers to these.
_NAME: Final = re.compile(r"^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+(localhost|test)$")
_DATABASE: Final = re.compile(r"^[a-z][a-z0-9_]{0,23}$")
_LEAST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class SecretSource:
    """How one value of a Secret is made; exactly one of these is said.

    Attributes:
        text: It is this, and no secret.
        random: So many random bytes, in the alphabet of base64 for URLs.
        database: The URL of this database, made for the environment with an owner of its own.
        private_key: A new private key of this kind, in PEM (PKCS 8).
    """

    text: str = ""
    random: int = 0
    database: str = ""
    private_key: str = ""


@dataclass(frozen=True, slots=True)
class LocalClusterSettings:
    """What a workspace says of the cluster that `invoke cluster.up` makes.

    Attributes:
        names: Names that the ingress has a certificate for, besides those of localhost.
        secrets: Name of a Secret to its keys, each with how its value is made.
    """

    names: tuple[str, ...] = ()
    secrets: Mapping[str, Mapping[str, SecretSource]] = field(default_factory=dict)


def read_local_cluster(data: bytes, path: str) -> LocalClusterSettings:
    """Read the file; an empty one says nothing.

    Raises:
        ConfigurationError: It has faults; all of them are listed.
    """
    faults: list[str] = []
    found: LocalClusterSettings = _FILE.read(parse_toml(data, path, faults), path, faults)
    if faults:
        raise ConfigurationError("the local cluster's file has faults", context=tuple(faults))
    return found


def local_cluster_json_schema() -> dict[str, Any]:
    """Return the rules of the file as JSON schema."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_FILE.schema}


def _source() -> Kind:
    several = table(SecretSource, _SOURCE_KINDS)

    def read(value: Any, path: str, faults: Faults) -> SecretSource:
        before = len(faults)
        found: SecretSource = several.read(value, path, faults)
        if len(faults) == before and len(value) != 1:
            faults.append(f"{path}: expected one of {', '.join(_SOURCE_KINDS)}")
        return found

    return Kind(read, {**several.schema, "minProperties": 1, "maxProperties": 1})


_SOURCE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "text": (text(), "What stands there; it is no secret."),
    "random": (whole_number(_LEAST_BYTES), "So many random bytes, as text that a URL can hold."),
    "database": (
        matching(_DATABASE, "a name of lower-case letters, digits and `_`"),
        "URL of a database of the cluster's PostgreSQL: one for each environment and name, with an "
        "owner of its own.",
    ),
    "private-key": (choice("ed25519"), "A new private key of this kind, in PEM."),
}

_FILE: Final = table(
    LocalClusterSettings,
    {
        "names": (
            list_of(matching(_NAME, "a name below `.localhost` or `.test`")),
            "Names that the ingress has a certificate for, besides those of `localhost`: below "
            "`.localhost` or `.test`, which lead nowhere else.",
        ),
        "secrets": (
            mapping_of(mapping_of(_source())),
            "Secret to key to how its value is made. An environment gets those that its own "
            "`[secrets]` names; what is there stays as it is.",
        ),
    },
)
