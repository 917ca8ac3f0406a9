"""What the environments find in the cluster: namespaces, deployers' accounts, databases, Secrets.

A Secret that is there stays as it is, and no value is ever shown: it goes from here to the API
server by standard input.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monoyard.cluster.client import Client
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.local_cluster import LocalClusterSettings, SecretSource
from monoyard.errors import ToolError
from monoyard.process import Command, capture, clean
from monoyard.tools import kubectl
from monoyard.tools.kubectl import Trouble

_SERVER: Final = "postgres.platform.svc.cluster.local:5432"
_PSQL: Final = (
    "exec", "--stdin", "--namespace=platform", "deployment/postgres", "--container=postgres", "--",
    "psql", "--host=/tmp", "--username=postgres", "--no-psqlrc", "--quiet",
    "--set=ON_ERROR_STOP=1",
)  # fmt: skip
# Names are of letters, digits and `_`, passwords of the alphabet of base64 for URLs.
_DATABASE: Final = """\
SELECT 'CREATE ROLE {name} LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE {name} PASSWORD '{password}';
SELECT 'CREATE DATABASE {name} OWNER {name}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
"""

_Kept = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The environments' places in a cluster of ours.

    Attributes:
        client: Asks it.
        environments: Those that are there.
        settings: How values of Secrets are made.
        password: Returns a password that is made once for each name.
    """

    client: Client
    environments: Sequence[EnvironmentSettings]
    settings: LocalClusterSettings
    password: Callable[[str], str]

    def provide(self) -> None:
        """Make the keys of Secrets that are expected, not there, and of which is said how.

        Raises:
            ToolError: A database or a key cannot be made, or the API server refuses.
        """
        kept = self._kept()
        made = []
        for (namespace, name), keys in _missing(self.environments, kept).items():
            sources = self.settings.secrets.get(name, {})
            values = {
                key: _encoded(self._value(sources[key], namespace))
                for key in keys
                if key in sources
            }
            if values:
                before = kept.get((namespace, name), {})
                made.append(_object("Secret", name, namespace, data={**before, **values}))
        if made:
            self.client.apply(_list(made))

    def missing(self) -> tuple[Trouble, ...]:
        """Return the Secrets that are not what the environments expect.

        Raises:
            ToolError: The cluster does not answer.
        """
        return tuple(
            Trouble(f"{namespace}/secret {name}", f"it lacks {', '.join(keys)}")
            for (namespace, name), keys in _missing(self.environments, self._kept()).items()
        )

    def _kept(self) -> _Kept:
        if not any(environment.secrets for environment in self.environments):
            return {}
        items = json.loads(self.client.run(kubectl.get(self.client.target, ("secrets",))))["items"]
        return {
            (item["metadata"]["namespace"], item["metadata"]["name"]): item.get("data", {})
            for item in items
        }

    def _value(self, source: SecretSource, namespace: str) -> str:
        if source.random:
            return secrets.token_urlsafe(source.random)
        if source.private_key:
            return _private_key(source.private_key)
        if source.database:
            name = f"{namespace}_{source.database}".replace("-", "_")
            password = self.password(f"database-{name}")
            said = _DATABASE.format(name=name, password=password)
            self.client.run(self.client.target.argv(*_PSQL), said)
            return f"postgresql://{name}:{password}@{_SERVER}/{name}"
        return source.text


def namespace_manifest(environments: Sequence[EnvironmentSettings]) -> str:
    """Return the namespaces and the service accounts of those who deploy, as one manifest."""
    return _list([thing for item in environments for thing in _objects_of(item)])


def _objects_of(environment: EnvironmentSettings) -> Iterator[dict[str, Any]]:
    labels = {"monoyard.dev/environment": environment.name}
    yield _object("Namespace", environment.namespace, labels=labels)
    for name in environment.deployers.service_accounts:
        yield _object("ServiceAccount", name, environment.namespace, labels=labels)


def _object(
    kind: str,
    name: str,
    namespace: str = "",
    labels: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def _list(things: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(things)})


def _missing(
    environments: Sequence[EnvironmentSettings], kept: _Kept
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what is expected and not there: (namespace, Secret) to the keys that it lacks."""
    found = {}
    for environment in environments:
        for name, keys in environment.secrets.items():
            place = (environment.namespace, name)
            if lacking := tuple(key for key in keys if key not in kept.get(place, {})):
                found[place] = lacking
    return found


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _private_key(kind: str) -> str:
    argv = ("openssl", "genpkey", "-algorithm", kind)
    done = capture(Command(argv, Path("/"), clean(), timeout=60))
    if done.status != 0:
        raise ToolError("openssl failed", context=done.last_lines)
    return done.text
