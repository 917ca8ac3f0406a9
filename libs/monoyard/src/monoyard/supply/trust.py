"""Whether an environment accepts an image: who signed it, and what is claimed about its origin."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from typing import Final, Protocol

from monoyard.config.policy import EnvironmentPolicy, Policy
from monoyard.errors import RegistryError, VerificationError
from monoyard.supply.origin import PROVENANCE, REUSE, Claim, read_provenance, read_reuse
from monoyard.supply.signing import Signatures, Statement

_HOSTED_LEVEL: Final = 2
# What is wrong with an image that somebody signed says more than that another one did not sign it.
_TELLING_LEAST: Final = {"other-signer": 1, "not-verifiable": 2, "unsigned": 3}


@dataclass(frozen=True, slots=True)
class Expected:
    """What an image has to be; an empty string is not looked at.

    Attributes:
        image: Its name.
        source: Address of the repository that it comes from.
        key: Its key.
        commit: A commit that it was built from, or reused for.
    """

    image: str
    source: str
    key: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Why an image is accepted.

    Attributes:
        signer: Name of the signer in the policy.
        claim: What its provenance says.
        level: SLSA build level that this signer and builder amount to.
        teller: Name of the signer who says that it belongs to the wanted commit.
    """

    signer: str
    claim: Claim
    level: int
    teller: str = ""


class Memory(Protocol):
    """Remembers what was accepted, as long as nothing that it rests on is another."""

    def key(self, reference: str, basis: Mapping[str, object]) -> str:
        """Return what an acceptance is kept under; nothing where it is not to be kept."""

    def recall(self, key: str) -> Accepted | None:
        """Return why an image was accepted before."""

    def remember(self, key: str, accepted: Accepted) -> None:
        """Keep why an image is accepted."""


class Trust:
    """Judges images for one environment.

    Args:
        signatures: Verifies.
        policy: Who signs.
        environment: Name of the environment.
        memory: Spares the same question; without it everything is verified anew.
    """

    def __init__(
        self,
        signatures: Signatures,
        policy: Policy,
        environment: str,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory
        self._signatures = signatures
        self._policy = policy
        self._name = environment
        self._accepts: EnvironmentPolicy = policy.environment(environment)

    def accept(self, reference: str, expected: Expected) -> Accepted:
        """Return why an image is accepted.

        Args:
            reference: The image by digest: a tag could move meanwhile.
            expected: What it has to be.

        Raises:
            RegistryError: The registry does not say.
            VerificationError: It is not accepted; the code says for which reason.
        """
        if self._memory is None:
            return self._accept(reference, expected)
        basis = self._basis | {"expected": asdict(expected)}
        key = self._memory.key(reference, basis)
        known = self._memory.recall(key) if key else None
        if known is not None:
            return known
        accepted = self._accept(reference, expected)
        # Certificates and keys elsewhere can be revoked where nobody here would notice.
        is_here = all(self._keys[name] for name in {accepted.signer, accepted.teller} if name)
        if key and is_here and self._memory.key(reference, basis) == key:
            self._memory.remember(key, accepted)
        return accepted

    def _accept(self, reference: str, expected: Expected) -> Accepted:
        refusals: list[VerificationError] = []
        for name in self._accepts.trusts:
            try:
                return self._accept_from(name, reference, expected)
            except VerificationError as refusal:
                refusals.append(refusal)
        raise min(refusals, key=lambda refusal: _TELLING_LEAST.get(refusal.code, 0))

    @property
    def credible(self) -> tuple[str, ...]:
        """Those who are trusted and could reach the level that is demanded.

        What they say of an image beside its origin counts, whoever made the image.
        """
        return tuple(
            name for name in self._accepts.trusts
            if (_HOSTED_LEVEL if self._policy.signers[name].identity else 1)
            >= self._accepts.builder_level
        )  # fmt: skip

    def statements(self, reference: str, kind: str) -> Iterator[Statement]:
        """Yield the statements of a kind that count, in the order in which signers are trusted.

        Raises:
            RegistryError: The registry does not say.
        """
        for name in self.credible:
            with contextlib.suppress(VerificationError):  # only others signed such statements
                yield from self._statements(name, reference, kind)

    @cached_property
    def _keys(self) -> dict[str, str]:
        """The digests of the public keys of those who are trusted; empty where none is at hand."""
        signers = {name: self._policy.signers[name] for name in self._accepts.trusts}
        keys = {name: self._signatures.key_bytes(item) for name, item in signers.items()}
        return {name: hashlib.sha256(key).hexdigest() if key else "" for name, key in keys.items()}

    @cached_property
    def _basis(self) -> dict[str, object]:
        """All that an acceptance rests on beside the image: who is trusted, how, and by what."""
        return {
            "signers": [
                [name, self._keys[name], *astuple(self._policy.signers[name])]
                for name in self._accepts.trusts
            ],
            "level": self._accepts.builder_level,
            "verifier": self._signatures.verifier,
        }

    def _accept_from(self, name: str, reference: str, expected: Expected) -> Accepted:
        statements = self._statements(name, reference, PROVENANCE)
        signer = self._signatures.signer(self._policy.signers[name])
        if not statements or not self._signatures.is_signed(reference, signer):
            raise VerificationError(
                f"{reference} has no statement of its origin that is signed by anybody whom "
                f"`{self._name}` trusts",
                code="unsigned",
                hint="`nox -s publish` signs",
            )
        judged = [
            (claim, _fault(reference, claim, expected))
            for claim in map(read_provenance, statements)
        ]
        claims = [claim for claim, fault in judged if fault is None]
        if not claims:
            raise next(fault for _, fault in judged if fault is not None)
        claim = claims[0]
        teller = self._teller(name, reference, claims, expected)
        is_hosted = bool(signer.identity) and claim.builder == signer.identity
        level = _HOSTED_LEVEL if is_hosted else 1
        if level < self._accepts.builder_level:
            raise VerificationError(
                f"{reference} was built at SLSA level {level}, and `{self._name}` demands "
                f"{self._accepts.builder_level}",
                code="builder-level",
                context=(f"its builder is {claim.builder}",),
            )
        return Accepted(name, claim, level, teller)

    def _statements(self, name: str, reference: str, kind: str) -> tuple[Statement, ...]:
        """Return the statements of a kind that somebody signed who is trusted."""
        signer = self._signatures.signer(self._policy.signers[name])
        try:
            return self._signatures.statements(reference, kind, signer)
        except RegistryError as error:
            if signer.key:
                raise
            # Certificates are verified with what a service says. Without it nobody is trusted.
            raise VerificationError(
                f"signatures of `{name}` cannot be verified here",
                code="not-verifiable",
                context=error.context,
            ) from error
        except VerificationError as error:
            trusted = ", ".join(self._accepts.trusts)
            raise VerificationError(
                f"{reference} is signed, but by nobody whom `{self._name}` trusts",
                code="other-signer",
                hint=f"it trusts {trusted}; `nox -s publish` there builds and signs it anew",
            ) from error

    def _teller(self, name: str, reference: str, claims: list[Claim], expected: Expected) -> str:
        """Return who says that an image belongs to the wanted commit; empty where none is wanted.

        That a later commit has the same image may be said by another signer than the one of the
        provenance: who is trusted to say what an image was built from is trusted to say this, as
        long as its own provenance could reach the level that is demanded.
        """
        if not expected.commit:
            return ""
        if expected.commit in {claim.commit for claim in claims}:
            return name
        for other in sorted(self.credible, key=lambda item: item != name):
            with contextlib.suppress(VerificationError):  # it is not this one who says so
                reused = map(read_reuse, self._statements(other, reference, REUSE))
                if any(
                    claim.commit == expected.commit and not _fault(reference, claim, expected)
                    for claim in reused
                ):
                    return other
        raise VerificationError(
            f"nothing signed says that {reference} belongs to commit {expected.commit}",
            code="other-commit",
            context=tuple(f"built from {claim.commit or 'no commit'}" for claim in claims),
        )


def _fault(reference: str, claim: Claim, expected: Expected) -> VerificationError | None:
    for what, claimed, wanted in (
        ("image", claim.image, expected.image),
        ("key", claim.key, expected.key),
        ("source", claim.source, expected.source),
    ):
        if wanted and claimed != wanted:
            return VerificationError(
                f"{reference} was made for another {what}",
                code=f"other-{what}",
                context=(f"signed for {claimed or 'none'}", f"wanted for {wanted}"),
            )
    return None
