"""Calls of cosign, and what its answers mean. Keyless and KMS are argv alone: neither is here."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from monoyard.tools import cosign
from monoyard.tools.cosign import Offline, Signer

PROGRAM = Path("/bin/cosign")
IMAGE = "registry.example.org/shop@sha256:1"
OFFLINE = Offline(Path("/s.json"), Path("/r.json"))


def test_key_signs_without_any_service() -> None:
    """A key file or a KMS address is named, with a configuration that names no log."""
    for key in ("/keys/release.key", "awskms:///alias/release"):
        assert cosign.sign(PROGRAM, IMAGE, key, OFFLINE) == (
            "/bin/cosign", "sign", "--yes", f"--key={key}", "--signing-config=/s.json",
            "--trusted-root=/r.json", IMAGE,
        )  # fmt: skip


def test_keyless_signs_with_the_services() -> None:
    """Without a key cosign asks for an identity, and uses the log and time stamps of sigstore."""
    assert cosign.sign(PROGRAM, IMAGE, "", None) == ("/bin/cosign", "sign", "--yes", IMAGE)


def test_statement_is_read_from_a_file() -> None:
    """The predicate goes by its path, so that no size is too large for an argument."""
    assert cosign.attest(PROGRAM, IMAGE, "vuln", Path("/p.json"), "k.key", OFFLINE) == (
        "/bin/cosign", "attest", "--yes", "--key=k.key", "--signing-config=/s.json",
        "--trusted-root=/r.json", "--type=vuln", "--predicate=/p.json", IMAGE,
    )  # fmt: skip


def test_key_and_identity_are_verified_as_a_whole() -> None:
    """A key needs no log; an identity is compared whole, never by a pattern."""
    assert cosign.verify(PROGRAM, IMAGE, Signer(key="k.pub")) == (
        "/bin/cosign", "verify", "--output=json", "--key=k.pub", "--insecure-ignore-tlog=true",
        IMAGE,
    )  # fmt: skip
    signer = Signer(identity="https://ci/job@main", issuer="https://issuer")
    assert cosign.verify_attestation(PROGRAM, IMAGE, "vuln", signer) == (
        "/bin/cosign", "verify-attestation", "--certificate-identity=https://ci/job@main",
        "--certificate-oidc-issuer=https://issuer", "--type=vuln", IMAGE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("Error: no signatures found", "unsigned"),
        ("Error: no matching attestations: \nerror during command execution", "unsigned"),
        ("Error: none of the attestations matched the predicate type: x, found: y", "unsigned"),
        (
            "Error: no matching attestations: failed to verify signature: could not verify "
            "envelope: accepted signatures do not match threshold, Found: 0, Expected 1",
            "untrusted",
        ),
        ("Error: image tag not found: GET ...: MANIFEST_UNKNOWN: manifest unknown", "absent"),
        ("Error: Get https://r/v2/: dial tcp: connection refused", "other"),
        ("", "other"),
    ],
)
def test_refusals_are_told_apart(said: str, means: str) -> None:
    """Unsigned, signed by others, not there and not answered are four different things."""
    assert cosign.refusal(said) == means


def test_attestation_is_no_signature() -> None:
    """What `verify` prints counts only where a plain signature is among it."""

    def said(*kinds: str) -> bytes:
        return json.dumps([{"critical": {"type": kind}} for kind in kinds]).encode()

    assert not cosign.has_signature(said("https://slsa.dev/provenance/v1"))
    assert not cosign.has_signature(b"")
    assert cosign.has_signature(said("https://spdx.dev/Document", cosign.SIGNATURE_TYPE))


def test_statements_are_unwrapped() -> None:
    """Each line is an envelope around one statement."""
    lines = [
        json.dumps({"payload": base64.b64encode(json.dumps({"n": number}).encode()).decode()})
        for number in (1, 2)
    ]
    assert cosign.statements("\n".join(lines).encode()) == ({"n": 1}, {"n": 2})
    assert cosign.statements(b"") == ()


def test_offline_files_are_json() -> None:
    """Both files name no service at all."""
    for text in (cosign.SIGNING_CONFIG, cosign.TRUSTED_ROOT):
        assert "http" not in text
        assert json.loads(text)["mediaType"].startswith("application/vnd.dev.sigstore.")
