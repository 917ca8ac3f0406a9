"""The policy file: whose images each environment accepts, and what a scan may find in them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from monoyard.config.documents import parse_toml
from monoyard.config.kinds import (
    Faults,
    Kind,
    choice,
    duration,
    flag,
    list_of,
    mapping_of,
    suggest,
    table,
    text,
    whole_number,
)
from monoyard.errors import ConfigurationError, UsageError
from monoyard.results import SEVERITIES

GENERATED: Final = "generated"

_LEVELS: Final = 3
_DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class SignerSettings:
    """Who signs: a public key, or an identity that an issuer vouches for."""

    key: str = ""
    identity: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentPolicy:
    """What one environment accepts.

    Attributes:
        trusts: Names of signers.
        builder_level: SLSA build level that the provenance has to claim at least.
        fail_at: Findings of this severity or a higher one are refused; None accepts all.
        only_fixable: Findings that no version fixes are accepted.
        max_scan_age: Seconds after which findings, and the vulnerabilities that are known here, are
            too old to go by.
    """

    trusts: tuple[str, ...] = ()
    builder_level: int = 1
    fail_at: str | None = None
    only_fixable: bool = False
    max_scan_age: float = _DAY_SECONDS


@dataclass(frozen=True, slots=True)
class PolicyException:
    """A finding that is accepted for a while.

    Attributes:
        advisory: Its id, or one of its aliases.
        owner: Who answers for that.
        reason: Why.
        expires: Last day on which it counts.
        package: Only in this package; empty means all.
        images: Only in these images; empty means all.
    """

    advisory: str = ""
    owner: str = ""
    reason: str = ""
    expires: datetime.date | None = None
    package: str = ""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole file.

    Attributes:
        signers: By name.
        environments: By name, in the order in which releases go through them.
        exceptions: What is accepted for a while.
    """

    signers: Mapping[str, SignerSettings] = field(default_factory=dict)
    environments: Mapping[str, EnvironmentPolicy] = field(default_factory=dict)
    exceptions: tuple[PolicyException, ...] = ()

    def environment(self, name: str) -> EnvironmentPolicy:
        """Return what an environment accepts.

        Raises:
            UsageError: There is no such environment.
        """
        if name not in self.environments:
            raise UsageError(f"there is no environment `{name}`{suggest(name, self.environments)}")
        return self.environments[name]


def read_policy(data: bytes | None, path: str) -> Policy:
    """Read a policy; without one there is `dev`, which trusts this machine's generated key.

    Raises:
        ConfigurationError: It has faults.
    """
    if data is None:
        return Policy(
            {GENERATED: SignerSettings(key=GENERATED)}, {"dev": EnvironmentPolicy((GENERATED,))}
        )
    faults: list[str] = []
    raw = parse_toml(data, path, faults)
    policy: Policy = _POLICY.read(raw, path, faults)
    faults.extend(_contradictions(policy, path))
    if faults:
        raise ConfigurationError(f"{path} has faults", context=tuple(faults))
    return policy


def _contradictions(policy: Policy, path: str) -> Faults:
    faults = []
    for name, signer in policy.signers.items():
        if bool(signer.key) is bool(signer.identity and signer.issuer):
            faults.append(f"{path}.signers.{name}: either `key`, or `identity` and `issuer`")
    if not policy.environments:
        faults.append(f"{path}: it names no environment")
    for name, environment in policy.environments.items():
        if not environment.trusts:
            faults.append(f"{path}.environments.{name}: `trusts` names nobody")
        for signer_name in environment.trusts:
            if signer_name not in policy.signers:
                meant = suggest(signer_name, policy.signers)
                faults.append(
                    f"{path}.environments.{name}.trusts: no signer `{signer_name}`{meant}"
                )
        if environment.builder_level > _LEVELS:
            faults.append(f"{path}.environments.{name}.builder-level: SLSA ends at {_LEVELS}")
    for number, item in enumerate(policy.exceptions):
        said = {"advisory": item.advisory, "owner": item.owner, "reason": item.reason,
                "expires": item.expires}  # fmt: skip
        missing = [name for name, value in said.items() if not value]
        if missing:
            faults.append(f"{path}.exceptions[{number}]: {', '.join(missing)} missing")
    return faults


def _day() -> Kind:
    """A day, as TOML writes one."""

    def read(value: Any, path: str, faults: Faults) -> datetime.date | None:
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return value
        faults.append(f"{path}: expected a day such as 2027-01-31, not {value!r}")
        return None

    return Kind(read, {"type": "string", "format": "date"})


_SIGNER_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "key": (
        text(),
        "Public key file from the root, a KMS address, or `generated` for the key that this "
        "machine made itself.",
    ),
    "identity": (text(), "Identity in the certificate of a keyless signature, whole."),
    "issuer": (text(), "Address of the service that vouches for the identity."),
}  # fmt: skip

_ENVIRONMENT_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "trusts": (list_of(text()), "Signers whose images it accepts."),
    "builder-level": (
        whole_number(), "SLSA build level that provenance has to claim (default: 1).",
    ),
    "fail-at": (
        choice(*SEVERITIES), "Lowest severity of findings that it refuses (default: none).",
    ),
    "only-fixable": (flag(), "Accept findings that no version fixes."),
    "max-scan-age": (
        duration(),
        "Age up to which attested findings spare a scan, and a database of vulnerabilities is good "
        "enough for one (default: `24h`).",
    ),
}  # fmt: skip

_EXCEPTION_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "advisory": (text(), "Id of the advisory, or one of its aliases."),
    "owner": (text(), "Who answers for the exception."),
    "reason": (text(), "Why it is acceptable."),
    "expires": (_day(), "Last day on which it counts."),
    "package": (text(), "Only findings in this package."),
    "images": (list_of(text()), "Only findings in these images."),
}  # fmt: skip

_POLICY: Final = table(
    Policy,
    {
        "signers": (mapping_of(table(SignerSettings, _SIGNER_KINDS)), "Who may sign, by name."),
        "environments": (
            mapping_of(table(EnvironmentPolicy, _ENVIRONMENT_KINDS)),
            "What each environment accepts, in the order in which releases go through them.",
        ),
        "exceptions": (
            list_of(table(PolicyException, _EXCEPTION_KINDS)), "Findings accepted for a while.",
        ),
    },
)  # fmt: skip


def policy_json_schema() -> dict[str, Any]:
    """Return the rules of the policy file as JSON schema."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_POLICY.schema}
