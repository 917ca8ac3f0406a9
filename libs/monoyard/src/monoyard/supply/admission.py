"""Whether an environment takes an image, all told: what a deployment asks, and `images.verify`."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from monoyard.config.policy import Policy
from monoyard.errors import MachineError, MonoyardError, RegistryError, VerificationError
from monoyard.results import SecurityFinding, Verdict, merge_findings
from monoyard.supply.database import Database
from monoyard.supply.findings import read_young
from monoyard.supply.gate import Judged, judge
from monoyard.supply.origin import FINDINGS, SBOM
from monoyard.supply.registry import Registry
from monoyard.supply.scanning import Scanners
from monoyard.supply.signing import Signatures
from monoyard.supply.trust import Accepted, Expected, Memory, Trust

# In the order in which they are looked at, each with the refusals that it ends in.
_ORIGIN: Final = {
    "signature": {"unsigned"},
    "identity": {"other-signer", "not-verifiable"},
    "provenance": {"other-image", "other-key"},
    "source": {"other-source", "other-commit"},
    "level": {"builder-level"},
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was held against the policy.

    Attributes:
        name: `signature`, `identity`, `provenance`, `source`, `level`, `bytes` or `scan`.
        verdict: How it ended; inconclusive where it was not looked at, which is never a pass.
        reason: Why, in words.
        refusal: The error that stands for it, unless it passed.
    """

    name: str
    verdict: Verdict
    reason: str
    refusal: MonoyardError | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an environment says of an image.

    Attributes:
        reference: The image by digest.
        environment: Name of the environment.
        checks: All checks, in their order.
        accepted: Who signed it and what is claimed; None where nobody who is trusted says.
        findings: What is known to be wrong with it, each with what becomes of it.
    """

    reference: str
    environment: str
    checks: tuple[Check, ...]
    accepted: Accepted | None = None
    findings: tuple[Judged, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fail where something is refused, else error where something could not be looked at."""
        said = {check.verdict for check in self.checks}
        return next((word for word in (Verdict.FAIL, Verdict.ERROR) if word in said), Verdict.PASS)

    @property
    def problem(self) -> str:
        """Why the image is not accepted: the first reason that decides; empty where it is."""
        verdict = self.verdict
        if verdict is Verdict.PASS:
            return ""
        return next(check.reason for check in self.checks if check.verdict is verdict)

    def demand(self) -> Accepted:
        """Return why the image is accepted.

        Raises:
            MachineError: It could not be scanned.
            VerificationError: It is refused; the code says for which reason.
        """
        for verdict in (Verdict.FAIL, Verdict.ERROR):
            for check in self.checks:
                if check.verdict is verdict and check.refusal is not None:
                    raise check.refusal
        if self.accepted is None:
            raise VerificationError(f"nothing says what {self.reference} is")
        return self.accepted


class Admission:
    """Says what environments think of images, today.

    Args:
        registry: Where the images are.
        signatures: Verifies.
        policy: What each environment accepts.
        scanners: Scan an SBOM whose findings are too old.
        database: Returns the known vulnerabilities; asked only where a scan is needed.
        memory: Spares verifications that were passed before.
        clock: Gives Unix seconds.
    """

    def __init__(
        self,
        registry: Registry,
        signatures: Signatures,
        policy: Policy,
        scanners: Scanners,
        database: Callable[[], Database],
        memory: Memory | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry = registry
        self._signatures = signatures
        self._policy = policy
        self._scanners = scanners
        self._database = database
        self._memory = memory
        self._clock = clock

    def examine(
        self, reference: str, expected: Expected, environment: str, *, reads_bytes: bool = False
    ) -> Ruling:
        """Return what an environment says of an image, with every check.

        Args:
            reference: The image by digest.
            expected: What it has to be.
            environment: Name of the environment.
            reads_bytes: Fetch the image whole, and hold its bytes against its digests. Whatever
                runs an image does that as well.

        Raises:
            RegistryError: The registry does not say.
            UsageError: There is no such environment.
        """
        try:
            trust = Trust(self._signatures, self._policy, environment, self._memory)
            accepted = trust.accept(reference, expected)
        except VerificationError as refusal:
            return Ruling(reference, environment, tuple(_refused(refusal)))
        checks = list(_passed(accepted, expected))
        if reads_bytes:
            checks.append(self._check_bytes(reference, expected.image))
        check, findings = self._check_findings(reference, expected.image, environment)
        return Ruling(reference, environment, (*checks, check), accepted, findings)

    def sbom(self, reference: str, environment: str) -> Mapping[str, Any]:
        """Return what an image is made of, by the word of somebody who is trusted.

        Raises:
            RegistryError: The registry does not say.
            VerificationError: Nobody who is trusted says so.
        """
        trust = Trust(self._signatures, self._policy, environment)
        for statement in trust.statements(reference, SBOM):
            predicate: Mapping[str, Any] = statement["predicate"]
            return predicate
        raise VerificationError(
            f"{reference} has no SBOM", code="no-sbom", hint="`nox -s publish` attests one"
        )

    def _findings(
        self, reference: str, image: str, environment: str
    ) -> tuple[tuple[SecurityFinding, ...], str]:
        """Return what is known to be wrong with an image, and how that is known."""
        trust = Trust(self._signatures, self._policy, environment)
        limit = self._policy.environment(environment).max_scan_age
        attested = [
            read_young(statement, image, limit, self._clock())
            for statement in trust.statements(reference, FINDINGS)
        ]
        young = max((item for item in attested if item), key=lambda item: item.at, default=None)
        if young is not None:
            return young.found, f"by what was attested at {young.at.isoformat()}"
        database = self._database()
        database.check_age(limit, self._clock())
        found = self._scanners.image(database, image, self.sbom(reference, environment))
        return found, "by a scan of the attested SBOM now"

    def _check_bytes(self, reference: str, image: str) -> Check:
        problem = self._registry.problem_of_layers(image, reference.partition("@")[2])
        if not problem:
            return Check("bytes", Verdict.PASS, "they are what their digests say")
        refusal = VerificationError(
            f"the bytes of {reference} are not what it says", code="altered", context=(problem,)
        )
        return Check("bytes", Verdict.FAIL, refusal.message, refusal)

    def _check_findings(
        self, reference: str, image: str, environment: str
    ) -> tuple[Check, tuple[Judged, ...]]:
        accepts = self._policy.environment(environment)
        if accepts.fail_at is None:
            reason = f"nobody looked: `{environment}` refuses no finding"
            return Check("scan", Verdict.INCONCLUSIVE, reason), ()
        try:
            found, how = self._findings(reference, image, environment)
        except RegistryError:
            raise
        except (MachineError, VerificationError) as error:
            return Check("scan", Verdict.ERROR, f"not scanned: {error.message}", error), ()
        today = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC).date()
        judged = judge(merge_findings(found), accepts, self._policy.exceptions, today)
        refused = [item for item in judged if item.is_refused]
        said = f"{len(judged)} findings, {len(refused)} refused, {how}"
        if not refused:
            return Check("scan", Verdict.PASS, said), judged
        refusal = VerificationError(
            f"`{environment}` refuses {len(refused)} findings in {reference}",
            code="refused-findings",
            context=tuple(
                f"{item.finding.name} in {item.finding.package} {item.finding.version}: "
                f"{item.reason}"
                for item in refused
            ),
            hint="mend them, or add an exception with an owner and a last day to the policy",
        )
        return Check("scan", Verdict.FAIL, said, refusal), judged


def _passed(accepted: Accepted, expected: Expected) -> Iterator[Check]:
    claim = accepted.claim
    made = claim.commit or "no commit (there were uncommitted changes)"
    if expected.commit and expected.commit != claim.commit:
        made += f", and the same for {expected.commit} by the word of {accepted.teller}"
    for name, reason in (
        ("signature", "it is signed, with a statement of its origin"),
        ("identity", f"signed by {accepted.signer}"),
        ("provenance", f"made as {claim.image} with the key {claim.key}"),
        ("source", f"from {claim.source} at {made}"),
        ("level", f"SLSA level {accepted.level}, by {claim.builder}"),
    ):
        yield Check(name, Verdict.PASS, reason)


def _refused(refusal: VerificationError) -> Iterator[Check]:
    failed = next((name for name, codes in _ORIGIN.items() if refusal.code in codes), "signature")
    is_before = True
    for name in (*_ORIGIN, "scan"):
        if name == failed:
            is_before = False
            yield Check(name, Verdict.FAIL, refusal.message, refusal)
        elif is_before:
            yield Check(name, Verdict.PASS, "nothing against it")
        else:
            yield Check(name, Verdict.INCONCLUSIVE, f"not looked at after {failed}")
