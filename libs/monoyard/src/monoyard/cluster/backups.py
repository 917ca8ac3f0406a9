"""What backups find in a cluster of ours: a bucket for each environment, its Secrets, two keys.

One key is in the cluster, so that a backup can be proven there; the other one lies in the state
directory, so that a lost cluster is not every backup lost. Both were made here: whoever keeps
backups that matter makes the second one elsewhere.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage  # type: ignore[import-untyped]  # a compiled module

from monoyard.cluster.client import Client
from monoyard.config.environment_values import (
    ACCESS_KEY,
    IDENTITY_KEY,
    LOCAL_STORE,
    SECRET_KEY,
    EnvironmentSettings,
    StoreSettings,
)
from monoyard.tools import kubectl

OUTSIDE: Final = "backup-outside.key"
"""Name of the file with the private key that is not in the cluster."""
_RECIPIENT: Final = "recipient"
_USER: Final = "monoyard"  # of the store, as its manifest says
_OWNER: Final = 65532  # whom the store runs as


@dataclass(frozen=True, slots=True)
class Backups:
    """The environments' places for backups.

    Attributes:
        client: Asks the cluster.
        directory: The state directory.
        environments: Those that are in the cluster.
        password: Returns a password that is made once for each name.
    """

    client: Client
    directory: Path
    environments: Sequence[EnvironmentSettings]
    password: Callable[[str], str]

    def make_buckets(self) -> None:
        """Make the buckets that are not there: to the store, directories are buckets."""
        for _, store in self._places():
            bucket = self.directory / "volumes" / "object-store" / store.bucket
            if not bucket.is_dir():
                bucket.mkdir()
                os.chown(bucket, _OWNER, _OWNER)

    def provide(self) -> Mapping[str, tuple[str, ...]]:
        """Make the Secrets and keys that are not there.

        Returns:
            Namespace to the public keys that its backups are encrypted to: its own, and that of the
            state directory.

        Raises:
            ToolError: The API server refuses.
        """
        places = list(self._places())
        if not places:
            return {}
        kept, made, found = self._kept(), [], {}
        outside = self._outside()
        for environment, store in places:
            space, identity = environment.namespace, environment.data.identity
            if (space, store.secret) not in kept:
                values = {ACCESS_KEY: _USER, SECRET_KEY: self.password("object-store")}
                made.append(_secret(space, store.secret, values))
            there = kept.get((space, identity))
            if there is None:
                key = pyrage.x25519.Identity.generate()
                there = {IDENTITY_KEY: f"{key}\n", _RECIPIENT: str(key.to_public())}
                made.append(_secret(space, identity, there))
            found[space] = tuple(key for key in (there.get(_RECIPIENT), outside) if key)
        if made:
            self.client.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
        return found

    def _places(self) -> Iterator[tuple[EnvironmentSettings, StoreSettings]]:
        for item in self.environments:
            if item.data.store is not None and item.data.store.endpoint == LOCAL_STORE:
                yield item, item.data.store

    def _outside(self) -> str:
        """Return the public key of the state directory, made when it is first asked for."""
        path = self.directory / OUTSIDE
        if not path.is_file():
            key = pyrage.x25519.Identity.generate()
            made = path.with_suffix(".new")
            made.touch(mode=0o600)
            made.write_text(f"# public key: {key.to_public()}\n{key}\n", "utf-8")
            made.rename(path)
        (line,) = [line for line in path.read_text("utf-8").splitlines() if line[:1] not in "# "]
        return str(pyrage.x25519.Identity.from_str(line).to_public())

    def _kept(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        said = json.loads(self.client.run(kubectl.get(self.client.target, ("secrets",))))
        return {
            (item["metadata"]["namespace"], item["metadata"]["name"]): {
                key: base64.b64decode(value).decode("utf-8", "replace")
                for key, value in (item.get("data") or {}).items()
            }
            for item in said["items"]
        }


def _secret(namespace: str, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
