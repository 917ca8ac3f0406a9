"""Whether an environment accepts an image: who signed it, and what is claimed about its origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monoyard.config import EnvironmentPolicy, Policy
from monoyard.errors import RegistryError, VerificationError
from monoyard.supply.origin import PROVENANCE, REUSE, Claim, read_provenance, read_reuse
from monoyard.supply.signing import Signatures
from monoyard.tools.cosign import Signer

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
    """

    signer: str
    claim: Claim
    level: int


class Trust:
    """Judges images for one environment.

    Args:
        signatures: Verifies.
        policy: Who signs.
        environment: Name of the environment.
    """

    def __init__(self, signatures: Signatures, policy: Policy, environment: str) -> None:
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
        refusals: list[VerificationError] = []
        for name in self._accepts.trusts:
            try:
                return self._accept_from(name, reference, expected)
            except VerificationError as refusal:
                refusals.append(refusal)
        raise min(refusals, key=lambda refusal: _TELLING_LEAST.get(refusal.code, 0))

    def _accept_from(self, name: str, reference: str, expected: Expected) -> Accepted:
        signer = self._signatures.signer(self._policy.signers[name])
        try:
            statements = self._signatures.statements(reference, PROVENANCE, signer)
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
        if not statements or not self._signatures.is_signed(reference, signer):
            raise VerificationError(
                f"{reference} is not signed", code="unsigned", hint="`nox -s publish` signs"
            )
        judged = [
            (claim, _fault(reference, claim, expected))
            for claim in map(read_provenance, statements)
        ]
        claims = [claim for claim, fault in judged if fault is None]
        if not claims:
            raise next(fault for _, fault in judged if fault is not None)
        claim = claims[0]
        self._check_commit(reference, claims, expected, signer)
        is_hosted = bool(signer.identity) and claim.builder == signer.identity
        level = _HOSTED_LEVEL if is_hosted else 1
        if level < self._accepts.builder_level:
            raise VerificationError(
                f"{reference} was built at SLSA level {level}, and `{self._name}` demands "
                f"{self._accepts.builder_level}",
                code="builder-level",
                context=(f"its builder is {claim.builder}",),
            )
        return Accepted(name, claim, level)

    def _check_commit(
        self, reference: str, claims: list[Claim], expected: Expected, signer: Signer
    ) -> None:
        if not expected.commit or expected.commit in {claim.commit for claim in claims}:
            return
        statements = self._signatures.statements(reference, REUSE, signer)
        reused = [read_reuse(statement) for statement in statements]
        if not any(
            claim.commit == expected.commit and not _fault(reference, claim, expected)
            for claim in reused
        ):
            raise VerificationError(
                f"nothing signed says that {reference} belongs to commit {expected.commit}",
                code="other-commit",
                context=tuple(f"built from {claim.commit or 'no commit'}" for claim in claims),
            )


def _fault(reference: str, claim: Claim, expected: Expected) -> VerificationError | None:
    for what, claimed, wanted in (
        ("image", claim.image, expected.image),
        ("source", claim.source, expected.source),
        ("key", claim.key, expected.key),
    ):
        if wanted and claimed != wanted:
            return VerificationError(
                f"{reference} was made for another {what}",
                code=f"other-{what}",
                context=(f"signed for {claimed or 'none'}", f"wanted for {wanted}"),
            )
    return None
