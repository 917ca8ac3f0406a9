"""Publishes images: push by digest, attest, sign, verify, and only then tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from monoyard.config import Policy
from monoyard.errors import ConfigurationError, VerificationError
from monoyard.images import Layout
from monoyard.plan import Manifest
from monoyard.supply.origin import (
    FINDINGS,
    PROVENANCE,
    REUSE,
    SBOM,
    TEST_RESULT,
    Origin,
    passed_tests,
    provenance,
    read_provenance,
    read_reuse,
    reuse,
)
from monoyard.supply.registry import Registry, branch_tag, version_tags
from monoyard.supply.signing import Attestation, Signatures
from monoyard.supply.trust import Accepted, Expected, Trust

_CONTENT: Final = "in-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to have in the registry.

    Attributes:
        name: Its name, which is that of its package.
        manifest: Its key, with the digests of what it is made from.
        base: What it is built on, in words.
    """

    name: str
    manifest: Manifest
    base: str

    @property
    def tag(self) -> str:
        """Its content tag."""
        return content_tag(self.manifest.key)


@dataclass(frozen=True, slots=True)
class Built:
    """What was built for it here.

    Attributes:
        layout: The image.
        built_at: Unix seconds at which it was ready.
        sbom: What it is made of, as SPDX.
        tests: Tasks of its package that passed, each with its key.
        findings: What scanners found in it, as cosign's `vuln`; None where nobody looked.
    """

    layout: Layout
    built_at: float
    sbom: Mapping[str, Any]
    tests: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an image.

    Attributes:
        name: Its name.
        digest: Digest in the registry.
        is_new: It was pushed now; otherwise it was there, and only tags were added.
        tags: Tags that name it now.
        reason: Why it was not taken from the registry.
    """

    name: str
    digest: str
    is_new: bool
    tags: tuple[str, ...]
    reason: str = ""


class Publisher:
    """Publishes the images of one commit with one key.

    Args:
        registry: Where to.
        signatures: Signs and verifies.
        policy: Says who is trusted where.
        origin: Where the images come from.

    Raises:
        ConfigurationError: No environment trusts the key.
    """

    def __init__(
        self, registry: Registry, signatures: Signatures, policy: Policy, origin: Origin
    ) -> None:
        self._registry = registry
        self._signatures = signatures
        self._origin = origin
        own = signatures.names(policy)
        trusting = [
            name for name, item in policy.environments.items() if own.intersection(item.trusts)
        ]
        if not trusting:
            raise ConfigurationError(
                "no environment trusts the key that images are signed with",
                code="key-not-trusted",
                hint="name its public half as a signer in the policy file, and trust it somewhere",
            )
        # Images in the registry are held against the last environment that trusts the key.
        self._trust = Trust(signatures, policy, trusting[-1])
        self._is_fully_trusted = trusting[-1] == list(policy.environments)[-1]
        self._own = signatures.signer(policy.signers[min(own)])

    def find(self, wanted: Wanted) -> tuple[str, Accepted | None, str]:
        """Look for an image that need not be built.

        Returns:
            Its digest, why it is accepted (None: it has to be built), and why it is not.

        Raises:
            RegistryError: The registry does not say.
        """
        digest = self._registry.digest(wanted.name, wanted.tag)
        if digest is None:
            return "", None, "the registry does not have it"
        reference = self._registry.reference(wanted.name, digest)
        try:
            return digest, self._trust.accept(reference, self._expected(wanted)), ""
        except VerificationError as refusal:
            return digest, None, refusal.message

    def reuse(self, wanted: Wanted, digest: str) -> Published:
        """Give an image that is there the tags of this commit.

        Raises:
            ImageError: A tag is taken, or the registry does not do what it is asked.
        """
        self._attach(wanted, digest, ())
        return Published(wanted.name, digest, False, self._tag(wanted, digest))

    def publish(self, wanted: Wanted, built: Built, reason: str) -> Published:
        """Push an image, attach what is known of it, and tag it.

        Raises:
            ImageError: It cannot be signed, a tag is taken, or the registry does not do what it
                is asked. No tag names the image then.
            VerificationError: What was pushed is not accepted.
        """
        digest = built.layout.digest
        self._registry.push(wanted.name, built.layout.path, digest)
        attestations = [self._provenance(wanted, built), Attestation(SBOM, built.sbom)]
        if built.findings is not None:
            attestations.append(Attestation(FINDINGS, built.findings))
        if built.tests:
            said = passed_tests(built.tests)
            attestations.append(
                Attestation(TEST_RESULT, said, lambda statement: statement.get("predicate") == said)
            )
        self._attach(wanted, digest, tuple(attestations))
        reference = self._registry.reference(wanted.name, digest)
        self._trust.accept(reference, self._expected(wanted))
        first, accepted, _ = self.find(wanted)
        if accepted is not None and first != digest:
            # Another publisher was quicker with other bytes of the same key: the first stays.
            return replace(self.reuse(wanted, first), reason=reason)
        return Published(wanted.name, digest, True, self._tag(wanted, digest), reason)

    def _attach(self, wanted: Wanted, digest: str, known: tuple[Attestation, ...]) -> None:
        reference = self._registry.reference(wanted.name, digest)
        if known:
            self._signatures.attach(reference, known, self._own)
        if not self._origin.is_clean or self._names_commit(reference):
            return
        said = reuse(self._origin, wanted.name, wanted.manifest.key)
        commit = self._origin.commit
        again = Attestation(REUSE, said, lambda item: read_reuse(item).commit == commit)
        self._signatures.attach(reference, (again,), self._own)

    def _names_commit(self, reference: str) -> bool:
        """Say whether the image was built from this very commit, by our own word."""
        try:
            found = self._signatures.statements(reference, PROVENANCE, self._own)
        except VerificationError:
            return False
        return any(read_provenance(item).commit == self._origin.commit for item in found)

    def _provenance(self, wanted: Wanted, built: Built) -> Attestation:
        said = provenance(self._origin, wanted.name, wanted.manifest, wanted.base, built.built_at)
        return Attestation(
            PROVENANCE,
            said,
            lambda statement: (
                read_provenance(statement).key == wanted.manifest.key
                and read_provenance(statement).source == self._origin.source
            ),
        )

    def _tag(self, wanted: Wanted, digest: str) -> tuple[str, ...]:
        """Set the tags; the content tag last, because it says that all else is there."""
        name = wanted.name
        kept: list[str] = []
        if self._origin.is_clean and self._is_fully_trusted:
            kept = [self._origin.commit, *version_tags(name, self._origin.tags)]
        for tag in kept:
            self._registry.tag_for_good(name, digest, tag)
        if self._origin.is_clean and self._origin.branch:
            kept.append(branch_tag(self._origin.branch))
            self._registry.tag(name, digest, kept[-1])
        if self._registry.digest(name, wanted.tag) != digest:
            self._registry.tag(name, digest, wanted.tag)
        return (wanted.tag, *kept)

    def _expected(self, wanted: Wanted) -> Expected:
        return Expected(wanted.name, self._origin.source, wanted.manifest.key)


def content_tag(key: str) -> str:
    """Return the tag of a key."""
    return f"{_CONTENT}{key}"


def key_of_tag(tag: str) -> str:
    """Return the key of a content tag; nothing for another tag."""
    return tag.removeprefix(_CONTENT) if tag.startswith(_CONTENT) else ""
