"""The file of an environment: its cluster, who may deploy there, and by which rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from monoyard.config.data_policy import data_policy, faults_of_store, with_store
from monoyard.config.documents import parse_toml
from monoyard.config.environment_values import (
    LOCAL,
    ClusterPin,
    Deployers,
    EnvironmentSettings,
    ServiceSettings,
    Timeouts,
)
from monoyard.config.kinds import (
    Faults,
    Kind,
    choice,
    duration,
    flag,
    list_of,
    mapping_of,
    matching,
    suggest,
    table,
    text,
    whole_number,
)
from monoyard.errors import ConfigurationError, UsageError

WORDS: Final = (
    "commit", "deployment", "digest", "environment", "reference", "repository", "service",
)  # fmt: skip
"""What a chart can be told of a deployment."""

_LABEL: Final = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_UID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# They stand in the JSON schema as well: no flags.
_REASON: Final = re.compile(r"\S")
_LEAST_RECIPIENTS: Final = 2


@dataclass(frozen=True, slots=True)
class Environments:
    """All environments, in the order in which releases go through them."""

    by_name: Mapping[str, EnvironmentSettings]

    def named(self, name: str) -> EnvironmentSettings:
        """Return an environment.

        Raises:
            UsageError: There is none of that name.
        """
        if name not in self.by_name:
            raise UsageError(f"there is no environment `{name}`{suggest(name, self.by_name)}")
        return self.by_name[name]

    def needs_confirmation(self, name: str) -> bool:
        """Say whether a deployment to an environment goes on only with the hash of its plan."""
        said = self.by_name[name].confirm
        return len(self.by_name) > 1 and name == list(self.by_name)[-1] if said is None else said


def read_environments(files: Mapping[str, tuple[str, bytes]]) -> Environments:
    """Read all environments.

    Args:
        files: Name of an environment to the path and the bytes of its file.

    Raises:
        ConfigurationError: They have faults; all of them are listed.
    """
    faults: list[str] = []
    found = []
    for name, (path, data) in sorted(files.items()):
        environment: EnvironmentSettings = _ENVIRONMENT.read(
            parse_toml(data, path, faults), path, faults
        )
        environment = replace(
            environment, name=name, policy=environment.policy or name, data=with_store(environment)
        )
        faults.extend(_contradictions(environment, path))
        found.append((path, environment))
    faults.extend(_clashes(found))
    if faults:
        raise ConfigurationError("the environments have faults", context=tuple(faults))
    ordered = sorted((item for _, item in found), key=lambda item: item.order)
    return Environments({item.name: item for item in ordered})


def _contradictions(environment: EnvironmentSettings, path: str) -> Faults:
    faults = []
    if not _LABEL.fullmatch(environment.name):
        faults.append(f"{path}: `{environment.name}` is no name of an environment")
    if not environment.namespace:
        faults.append(f"{path}.namespace: missing")
    elif not _LABEL.fullmatch(environment.namespace):
        faults.append(f"{path}.namespace: `{environment.namespace}` is no name of a namespace")
    faults.extend(_faults_of_pin(environment, path))
    faults.extend(faults_of_store(environment.data, path))
    if not environment.services:
        faults.append(f"{path}: it names no service")
    for name, service in environment.services.items():
        where = f"{path}.services.{name}"
        if not _LABEL.fullmatch(name):
            faults.append(f"{where}: `{name}` is no name of a service")
        wanted = service.smoke_image
        if wanted and wanted not in environment.services:
            known = suggest(wanted, environment.services)
            faults.append(f"{where}.smoke-image: no service `{wanted}`{known}")
    return faults


def _faults_of_pin(environment: EnvironmentSettings, path: str) -> Faults:
    faults: list[str] = []
    cluster, recipients = environment.cluster, environment.data.recipients
    if cluster is None:
        faults.append(f"{path}.cluster: missing; a table with `context` and `uid`, or `{LOCAL}`")
        return faults
    if cluster.is_local:
        return faults
    if not cluster.context:
        faults.append(f"{path}.cluster.context: missing")
    if not _UID.fullmatch(cluster.uid or ""):
        faults.append(
            f"{path}.cluster.uid: expected the UID of the cluster's namespace kube-system"
        )
    if len(set(recipients)) < _LEAST_RECIPIENTS:
        faults.append(
            f"{path}.data.recipients: {_LEAST_RECIPIENTS} keys at least, or one lost key is every "
            "backup lost"
        )
    return faults


def _clashes(found: list[tuple[str, EnvironmentSettings]]) -> Faults:
    faults = []
    for position, (path, environment) in enumerate(found):
        for _, other in found[:position]:
            if environment.order == other.order:
                faults.append(f"{path}.order: `{other.name}` has {other.order} as well")
            place = (environment.cluster, environment.namespace)
            if environment.namespace and place == (other.cluster, other.namespace):
                faults.append(f"{path}.namespace: `{other.name}` is there already")
    return faults


def _cluster() -> Kind:
    """`local`, or a table."""
    pin = table(
        ClusterPin,
        {
            "context": (text(), "Context of the kubeconfig."),
            "uid": (text(), "UID of the cluster's namespace `kube-system`."),
        },
    )

    def read(value: Any, path: str, faults: Faults) -> ClusterPin:
        if value == LOCAL:
            return ClusterPin(LOCAL, LOCAL)
        found: ClusterPin = pin.read(value, path, faults)
        return found

    return Kind(read, {"anyOf": [{"const": LOCAL}, dict(pin.schema)]})


_DEPLOYER_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "users": (list_of(text()), "Users, as the API server names them."),
    "groups": (list_of(text()), "Groups, as the API server names them."),
    "service-accounts": (list_of(text()), "Service accounts of the namespace."),
}  # fmt: skip

_TIMEOUT_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "lock": (duration(), "Waiting for another deployment (default: `15m`)."),
    "backup": (duration(), "Taking a backup (default: `15m`)."),
    "prove": (duration(), "Restoring it and trying the migration (default: `30m`)."),
    "migrate": (duration(), "Migrating (default: `30m`)."),
    "helm": (duration(), "One call of Helm (default: `2m`)."),
    "rollout": (duration(), "One service, from its first step to its last (default: `20m`)."),
}  # fmt: skip

_SERVICE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "chart": (text(), "Its own chart, from the root (default: `delivery.chart`)."),
    "values": (
        list_of(text()),
        "Files of values from the root, the last one wins (default: `NAME.yaml` in "
        "`delivery.services`, then `values.yaml` and `NAME.yaml` beside this file).",
    ),
    "smoke-image": (
        text(), "Service of the release whose image its smoke test runs in (default: its own).",
    ),
    "given": (
        mapping_of(choice(*WORDS)),
        "For a chart of its own: path among its values (`\"image.ref\"`) to what stands there. "
        "`reference` is the image with its digest.",
    ),
    "exceptions": (
        mapping_of(matching(_REASON, "a reason")),
        "Rules of `invoke deploy.check` that do not hold for it, with reasons.",
    ),
}  # fmt: skip

_ENVIRONMENT: Final = table(
    EnvironmentSettings,
    {
        "order": (whole_number(), "Releases go through environments by this number."),
        "namespace": (text(), "Namespace of all its objects."),
        "policy": (
            text(),
            "Environment of the policy file (`images.policy`) whose rules hold for images "
            "(default: that of the same name).",
        ),
        "cluster": (
            _cluster(),
            "The one cluster it may be: a table with `context` and `uid`, or `local` for the one "
            "that `invoke cluster.up` makes.",
        ),
        "confirm": (
            flag(),
            "A deployment goes on only with the hash of a plan that was reviewed (default: in the "
            "last of several environments).",
        ),
        "max-pause": (
            duration(), "How long an inconclusive gate may hold a rollout (default: `30m`).",
        ),
        "deployers": (table(Deployers, _DEPLOYER_KINDS), "Who may deploy."),
        "data": (data_policy(), "What happens to data before it is changed."),
        "timeouts": (table(Timeouts, _TIMEOUT_KINDS), "How long steps may take."),
        "services": (mapping_of(table(ServiceSettings, _SERVICE_KINDS)), "Services, by name."),
        "secrets": (
            mapping_of(list_of(text())), "Secrets that have to be there: name to its keys.",
        ),
    },
)  # fmt: skip


def environment_json_schema() -> dict[str, Any]:
    """Return the rules of `environment.toml` as JSON schema."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_ENVIRONMENT.schema}
