"""cosign: signs, attests and verifies. Tested with 3.1.

Keys are named, never handed over: a file, a KMS address, or nothing for keyless. A key that is
used without a transparency log needs a signing configuration that names none, and an empty trusted
root so that nothing is asked of the network (sigstore/cosign#4778, #4831).

`cosign verify` takes every attestation for a signature as well, so what it prints is read.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SIGNING_CONFIG: Final = (
    '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",'
    '"rekorTlogConfig":{},"tsaConfig":{}}'
)
"""Signs without a log and without a time stamp."""
TRUSTED_ROOT: Final = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
"""Trusts no service."""
SIGNATURE_TYPE: Final = "https://sigstore.dev/cosign/sign/v1"

_UNSIGNED: Final = re.compile(
    r"no signatures found|no matching attestations: *$|none of the attestations matched",
    re.MULTILINE,
)
_UNTRUSTED: Final = re.compile(
    r"accepted signatures do not match threshold|invalid signature|none of the expected identities"
    r"|no matching signatures|no matching attestations"
)
_ABSENT: Final = re.compile(r"MANIFEST_UNKNOWN|image tag not found|NAME_UNKNOWN")
_CREDENTIALS: Final = re.compile(
    r"\b(UNAUTHORIZED|DENIED|401 Unauthorized|403 Forbidden)\b|unexpected status code 40[13]\b"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature it is.

    Attributes:
        key: Public key file or KMS address; empty for keyless.
        identity: Identity in a keyless certificate, whole.
        issuer: Who vouches for that identity.
    """

    key: str = ""
    identity: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Offline:
    """Files with the two constants above; they stand for signing without any service."""

    signing_config: Path
    trusted_root: Path


def generate_key_pair(program: Path, prefix: Path) -> tuple[str, ...]:
    """Return the call that writes `PREFIX.key` and `PREFIX.pub`; `COSIGN_PASSWORD` locks it."""
    return (str(program), "generate-key-pair", f"--output-key-prefix={prefix}")


def public_key(program: Path, key: str) -> tuple[str, ...]:
    """Return the call that prints the public half of a key."""
    return (str(program), "public-key", f"--key={key}")


def sign(program: Path, reference: str, key: str, offline: Offline | None) -> tuple[str, ...]:
    """Return the call that signs an image by digest; an empty key means keyless."""
    return (str(program), "sign", "--yes", *_by(key, offline), reference)


def attest(
    program: Path, reference: str, kind: str, predicate: Path, key: str, offline: Offline | None
) -> tuple[str, ...]:
    """Return the call that attaches a signed statement of a predicate type to an image."""
    return (
        str(program), "attest", "--yes", *_by(key, offline), f"--type={kind}",
        f"--predicate={predicate}", reference,
    )  # fmt: skip


def verify(program: Path, reference: str, signer: Signer) -> tuple[str, ...]:
    """Return the call that prints what of an image's bundles a signer signed."""
    return (str(program), "verify", "--output=json", *_for(signer), reference)


def verify_attestation(program: Path, reference: str, kind: str, signer: Signer) -> tuple[str, ...]:
    """Return the call that prints the statements of a type that a signer signed."""
    return (str(program), "verify-attestation", *_for(signer), f"--type={kind}", reference)


def has_signature(said: bytes) -> bool:
    """Say whether what `verify` printed has a plain signature among the bundles."""
    found = json.loads(said or b"[]")
    return any(item["critical"]["type"] == SIGNATURE_TYPE for item in found)


def statements(said: bytes) -> tuple[Mapping[str, Any], ...]:
    """Return the in-toto statements that `verify-attestation` printed, an envelope a line.

    Raises:
        ValueError: They are no statements.
    """
    found = []
    for line in said.decode("utf-8", "replace").splitlines():
        if line.strip():
            statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
            if not isinstance(statement, dict):
                raise ValueError("no statement")
            found.append(statement)
    return tuple(found)


def refusal(said: str) -> str:
    """Return why nothing was verified or signed.

    It is `unsigned`, `untrusted`, `absent`, `credentials` or `other`.
    """
    if _CREDENTIALS.search(said):
        return "credentials"
    if _ABSENT.search(said):
        return "absent"
    if _UNSIGNED.search(said):
        return "unsigned"
    return "untrusted" if _UNTRUSTED.search(said) else "other"


def _by(key: str, offline: Offline | None) -> tuple[str, ...]:
    named = (f"--key={key}",) if key else ()
    if offline is None:
        return named
    return (
        *named, f"--signing-config={offline.signing_config}",
        f"--trusted-root={offline.trusted_root}",
    )  # fmt: skip


def _for(signer: Signer) -> tuple[str, ...]:
    if signer.key:
        return (f"--key={signer.key}", "--insecure-ignore-tlog=true")
    return (
        f"--certificate-identity={signer.identity}",
        f"--certificate-oidc-issuer={signer.issuer}",
    )
