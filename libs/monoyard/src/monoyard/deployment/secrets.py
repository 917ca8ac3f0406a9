"""Secrets by name: whether they are there, and whether they changed; never what they hold."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Final

from monoyard.charts import Object, named_secrets
from monoyard.delivery import Namespace
from monoyard.delivery.objects import SECRET

_DIGITS: Final = 16


def wanted_secrets(
    objects: Iterable[Object], expected: Mapping[str, Iterable[str]]
) -> dict[str, frozenset[str]]:
    """Return name and keys of the Secrets that a service needs.

    Args:
        objects: What its chart renders.
        expected: What the environment says of the keys of each.
    """
    found: dict[str, set[str]] = {}
    for thing in objects:
        for _, name, keys in named_secrets(thing):
            found.setdefault(name, set()).update(keys)
    return {
        name: frozenset(keys | set(expected.get(name, ()))) for name, keys in sorted(found.items())
    }


def read_versions(
    namespace: Namespace, wanted: Mapping[str, frozenset[str]]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what names the content of each Secret, and what is missing.

    A version is a hash of names and contents under the object's UID, so that it is the same until
    the content changes, whatever else was written to the object, and nobody without access to the
    cluster can try contents out against a plan.

    Args:
        namespace: Where they are.
        wanted: Name to the keys that it has to hold.

    Returns:
        Name to version, and a sentence for each that is missing or lacks a key.

    Raises:
        ClusterError: The cluster does not say.
    """
    versions, missing = {}, []
    for name, keys in wanted.items():
        found = namespace.get(SECRET, name)
        if found is None:
            missing.append(f"there is no Secret `{name}`")
            continue
        data = found.get("data") or {}
        lacking = sorted(keys - data.keys())
        if lacking:
            missing.append(f"the Secret `{name}` has no `{'`, `'.join(lacking)}`")
        said = json.dumps(data, sort_keys=True).encode()
        uid = str(found["metadata"].get("uid") or "")
        versions[name] = hmac.new(uid.encode(), said, hashlib.sha256).hexdigest()[:_DIGITS]
    return versions, tuple(missing)
