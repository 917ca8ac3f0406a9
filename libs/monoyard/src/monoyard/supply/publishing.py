"""Publishes images: push by digest, attest, sign, verify, and only then tag."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from monoyard.changes import branch_tag
from monoyard.config.policy import Policy, SignerSettings
from monoyard.errors import ConfigurationError, RegistryError, VerificationError
from monoyard.images import Layout
from monoyard.plan import Manifest
from monoyard.supply.moving import Line
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
from monoyard.supply.registry import LATEST, Registry, version_tags
from monoyard.supply.signing import Attestation, Signatures
from monoyard.supply.trust import Accepted, Expected, Memory, Trust

_CONTENT: Final = "in-"
_ATTEMPTS: Final = 3


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
        left: Tags that stay where they are, with the reason.
    """

    name: str
    digest: str
    is_new: bool
    tags: tuple[str, ...]
    reason: str = ""
    left: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of an image: those that name it, those left where they are, and if any was set."""

    names: tuple[str, ...]
    left: Mapping[str, str]
    is_changed: bool


class Publisher:
    """Publishes the images of one commit with one key.

    Args:
        registry: Where to.
        signatures: Signs and verifies.
        policy: Says who is trusted where.
        origin: Where the images come from.
        line: Says whether the tags of the branch may move to that commit.
        memory: Spares verifications that were passed before.

    Raises:
        ConfigurationError: No environment trusts the key.
    """

    def __init__(
        self,
        registry: Registry,
        signatures: Signatures,
        policy: Policy,
        origin: Origin,
        line: Line,
        memory: Memory | None = None,
    ) -> None:
        self._registry = registry
        self._signatures = signatures
        self._policy = policy
        self._origin = origin
        self._line = line
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
        self._trust = Trust(signatures, policy, trusting[-1], memory)
        self._trust_anew = Trust(signatures, policy, trusting[-1])
        # Images by digest that were found to be said to belong to the commit.
        self._told: set[str] = set()
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
        commit = self._origin.commit if self._origin.is_clean else ""
        if commit:
            with contextlib.suppress(VerificationError):
                accepted = self._trust.accept(reference, self._expected(wanted, commit))
                self._told.add(reference)
                return digest, accepted, ""
        try:
            return digest, self._trust.accept(reference, self._expected(wanted)), ""
        except VerificationError as refusal:
            return digest, None, refusal.message

    def reuse(self, wanted: Wanted, digest: str) -> Published:
        """Give an image that is there the tags of this commit.

        Raises:
            ImageError: A tag is taken, or the registry does not do what it is asked.
            VerificationError: It is not accepted any more.
        """
        is_told = self._tell_commit(wanted, digest)
        tags = self._tag(wanted, digest, is_found=True)
        if (is_told or tags.is_changed) and not self._is_there(wanted, digest):
            raise RegistryError(
                f"{self._registry.reference(wanted.name, digest)} was removed while it was tagged",
                code="removed-meanwhile",
                hint="`nox -s publish` again builds it; `invoke images.prune` spares what is young",
            )
        return Published(wanted.name, digest, False, tags.names, left=tags.left)

    def publish(self, wanted: Wanted, built: Built, reason: str) -> Published:
        """Push an image, attach what is known of it, and tag it.

        Raises:
            ImageError: It cannot be signed, a tag is taken, or the registry does not do what it
                is asked. No tag names the image then.
            VerificationError: What was pushed is not accepted.
        """
        digest = built.layout.digest
        for _ in range(_ATTEMPTS):
            self._registry.push(wanted.name, built.layout.path, digest)
            self._attest(wanted, built)
            reference = self._registry.reference(wanted.name, digest)
            self._trust_anew.accept(reference, self._expected(wanted))
            first, accepted, _ = self.find(wanted)
            if accepted is not None and first != digest:
                # Another publisher was quicker with other bytes of the same key: the first stays.
                return replace(self.reuse(wanted, first), reason=reason)
            tags = self._tag(wanted, digest)
            if self._is_there(wanted, digest):
                return Published(wanted.name, digest, True, tags.names, reason, tags.left)
        raise RegistryError(
            f"{self._registry.reference(wanted.name, digest)} does not stay in the registry",
            code="removed-meanwhile",
            hint="something removes it all the time; publish again when that has ended",
        )

    def _is_there(self, wanted: Wanted, digest: str) -> bool:
        """Read back what was tagged: somebody may have removed it, or what was attached to it."""
        if self._registry.digest(wanted.name, wanted.tag) is None:
            return False
        try:
            self._trust_anew.accept(
                self._registry.reference(wanted.name, digest), self._expected(wanted)
            )
        except VerificationError:
            return False
        return True

    def _attest(self, wanted: Wanted, built: Built) -> None:
        attestations = [self._provenance(wanted, built), Attestation(SBOM, built.sbom)]
        if built.findings is not None:
            attestations.append(Attestation(FINDINGS, built.findings))
        if built.tests:
            said = passed_tests(built.tests)
            attestations.append(
                Attestation(TEST_RESULT, said, lambda statement: statement.get("predicate") == said)
            )
        reference = self._registry.reference(wanted.name, built.layout.digest)
        self._signatures.attach(reference, attestations, self._own)
        self._tell_commit(wanted, built.layout.digest)

    def _tell_commit(self, wanted: Wanted, digest: str) -> bool:
        """State that this commit has the image, unless somebody who is trusted says so already."""
        if not self._origin.is_clean:
            return False
        commit = self._origin.commit
        reference = self._registry.reference(wanted.name, digest)
        if reference in self._told:
            return False
        try:
            self._trust.accept(reference, self._expected(wanted, commit))
        except VerificationError:
            said = reuse(self._origin, wanted.name, wanted.manifest.key)
            again = Attestation(REUSE, said, lambda item: read_reuse(item).commit == commit)
            self._signatures.attach(reference, (again,), self._own)
            return True
        return False

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

    def _tag(self, wanted: Wanted, digest: str, *, is_found: bool = False) -> _Tags:
        """Set the tags; the content tag is the last, because it says that all else is there.

        Args:
            wanted: The image.
            digest: Its digest.
            is_found: It was found by its content tag: that is looked at again only where another
                one had to be set.
        """
        name, origin = wanted.name, self._origin
        for_good: tuple[str, ...] = ()
        moving: list[str] = []
        if origin.is_clean and self._is_fully_trusted:
            for_good = (origin.commit, *version_tags(name, origin.tags))
        if origin.is_clean and origin.branch:
            moving.append(branch_tag(origin.branch))
        if origin.is_clean and self._is_fully_trusted and origin.is_default_branch:
            moving.append(LATEST)
        was_set = {tag: self._registry.tag_for_good(name, digest, tag) for tag in for_good}
        left: dict[str, str] = {}
        for tag in moving:
            there = self._registry.digest(name, tag)
            if reason := self._reason_to_stay(name, there) if there not in {None, digest} else "":
                left[tag] = reason
                continue
            was_set[tag] = there != digest
            if was_set[tag]:
                self._registry.tag(name, digest, tag)
        if any(was_set.values()) or not is_found:
            was_set[wanted.tag] = self._registry.tag_unless_set(name, digest, wanted.tag)
        # Read back what was set: somebody else may have set it as well, with another image.
        for tag in for_good:
            if was_set[tag]:
                self._registry.tag_for_good(name, digest, tag)
        return _Tags((wanted.tag, *(tag for tag in was_set if tag != wanted.tag)), left,
                     any(was_set.values()))  # fmt: skip

    def _reason_to_stay(self, name: str, there: str) -> str:
        """Return why a tag stays on the image that it names; nothing where it may move."""
        reference = self._registry.reference(name, there)
        commits = {
            claim.commit
            for settings in self._policy.signers.values()
            for kind, read in ((PROVENANCE, read_provenance), (REUSE, read_reuse))
            for claim in map(read, self._said(reference, kind, settings))
            if claim.commit and (claim.image, claim.source) == (name, self._origin.source)
        }
        return self._line.reason_to_stay(commits)

    def _said(
        self, reference: str, kind: str, settings: SignerSettings
    ) -> tuple[Mapping[str, Any], ...]:
        """Return what a signer says of an image; nothing where that cannot be verified."""
        with contextlib.suppress(ConfigurationError, RegistryError, VerificationError):
            return self._signatures.statements(reference, kind, self._signatures.signer(settings))
        return ()

    def _expected(self, wanted: Wanted, commit: str = "") -> Expected:
        return Expected(wanted.name, self._origin.source, wanted.manifest.key, commit)


def content_tag(key: str) -> str:
    """Return the tag of a key."""
    return f"{_CONTENT}{key}"


def key_of_tag(tag: str) -> str:
    """Return the key of a content tag; nothing for another tag."""
    return tag.removeprefix(_CONTENT) if tag.startswith(_CONTENT) else ""
