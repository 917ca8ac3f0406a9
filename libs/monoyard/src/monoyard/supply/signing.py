"""Signing and verifying, with cosign; a signature without a statement of origin counts nothing."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from monoyard.config.policy import GENERATED, Policy, SignerSettings
from monoyard.errors import (
    ConfigurationError,
    ImageError,
    RegistryError,
    ToolError,
    VerificationError,
)
from monoyard.install import exclusive
from monoyard.process import Command, Completed, capture, clean
from monoyard.supply.registry import CREDENTIALS, HINTS, slow
from monoyard.tools import cosign
from monoyard.tools.cosign import Offline, Signer

KEYLESS: Final = "keyless"

_SECONDS: Final = 180.0
_ATTEMPTS: Final = 5
_LOCKS: Final = 64
_VARIABLES: Final = (
    *CREDENTIALS, "ACTIONS_ID_TOKEN_*", "COSIGN_*", "SIGSTORE_*", "VAULT_*", "TUF_ROOT",
)  # fmt: skip

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attestation:
    """Something to attach to an image, unless it is there.

    Attributes:
        kind: Predicate type, as cosign takes it.
        predicate: What is stated.
        is_same: Says of a statement that it already states this.
    """

    kind: str
    predicate: Mapping[str, Any]
    is_same: Callable[[Statement], bool] = lambda _: True


class Signatures:
    """Signs with one key, and verifies by any.

    Args:
        program: cosign's program.
        place: Directory for the generated key and for locks.
        top: Root of the work tree, which key files are named from.
        key: Private key file, KMS address, `keyless` or `generated`.
    """

    def __init__(self, program: Path, place: Path, top: Path, key: str) -> None:
        self._program = program
        self._place = place
        self._top = top
        self._key = key

    @property
    def is_keyless(self) -> bool:
        """Whether the signing identity is that of the running job or person."""
        return self._key == KEYLESS

    @cached_property
    def public_key(self) -> bytes:
        """The public half of the key, in PEM; empty for keyless.

        Raises:
            ConfigurationError: There is no such key, or the password is wrong.
        """
        if self.is_keyless:
            return b""
        if self._key == GENERATED:
            return _read_key(self._generated.with_suffix(".pub"))
        done = self._call(cosign.public_key(self._program, self._private))
        if done.status:
            raise ConfigurationError(
                f"the key `{self._key}` cannot be used",
                context=_errors(done),
                hint="COSIGN_PASSWORD unlocks it; MONOYARD_COSIGN_KEY names another",
            )
        return done.stdout

    def names(self, policy: Policy) -> frozenset[str]:
        """Return the signers of a policy that this key is.

        Raises:
            ConfigurationError: A key of the policy is not there.
        """
        if self.is_keyless:
            return frozenset(
                name for name, item in policy.signers.items() if item.identity == own_identity()
            )
        return frozenset(
            name for name, item in policy.signers.items() if item.key and self._is_own(item)
        )

    def signer(self, settings: SignerSettings) -> Signer:
        """Return what cosign needs to know of a signer of the policy.

        Raises:
            ConfigurationError: Its key is not there.
        """
        if not settings.key:
            return Signer(identity=settings.identity, issuer=settings.issuer)
        if settings.key == GENERATED:
            return Signer(key=str(self._generated.with_suffix(".pub")))
        if "://" in settings.key:
            return Signer(key=settings.key)
        path = self._top / settings.key
        if not path.is_file():
            raise ConfigurationError(f"the policy names the key `{settings.key}`: no such file")
        return Signer(key=str(path))

    def key_bytes(self, settings: SignerSettings) -> bytes:
        """Return the public key of a signer; nothing where it is not a file on this machine.

        Raises:
            ConfigurationError: Its key is not there.
        """
        named = self.signer(settings).key
        return _read_key(Path(named)) if named and "://" not in named else b""

    @cached_property
    def verifier(self) -> tuple[str, int, int]:
        """What tells this cosign from another one: its file, with size and change time."""
        place = self._program.resolve()
        found = place.stat()
        return str(place), found.st_size, found.st_mtime_ns

    def attach(self, reference: str, wanted: Iterable[Attestation], signer: Signer) -> None:
        """Sign an image and attach statements to it, until all of them are there.

        A registry without the referrers API keeps the list of what is attached under a tag, which
        concurrent writers overwrite. So it is read back, and what was lost is attached again.

        Args:
            reference: The image by digest.
            wanted: The statements; one that is there already is not attached twice.
            signer: Verifies what this key signs.

        Raises:
            ImageError: It cannot be signed, or what is attached does not stay.
        """
        wanted = tuple(wanted)
        # One of so many files: images that share one wait for each other, and nothing heaps up.
        number = int(reference.rpartition(":")[2][:8], 16) % _LOCKS
        with exclusive(self._place / "attaching" / f"{number}.lock"):
            for _ in range(_ATTEMPTS):
                is_signed, missing = self._missing(reference, wanted, signer)
                if is_signed and not missing:
                    return
                for item in missing:
                    self._attest(reference, item)
                if not is_signed:
                    self._demand(
                        cosign.sign(self._program, reference, self._private, self._offline),
                        f"{reference} cannot be signed",
                    )
        raise ImageError(
            f"what is attached to {reference} does not stay there",
            code="attestations-lost",
            hint="something else writes to the same image all the time; publish again",
        )

    def statements(self, reference: str, kind: str, signer: Signer) -> tuple[Statement, ...]:
        """Return the statements of a kind about an image that a signer signed.

        Raises:
            RegistryError: The registry does not say.
            VerificationError: There are statements, but none that the signer signed.
        """
        done = self._call(cosign.verify_attestation(self._program, reference, kind, signer))
        if done.status == 0:
            return cosign.statements(done.stdout)
        why = cosign.refusal(done.stderr.decode("utf-8", "replace"))
        if why in {"absent", "unsigned"}:
            return ()
        if why == "untrusted":
            raise VerificationError(f"{reference} is signed by somebody else", code="other-signer")
        raise self._broken(f"{reference} cannot be verified", done)

    def is_signed(self, reference: str, signer: Signer) -> bool:
        """Say whether an image has a plain signature of a signer.

        Raises:
            RegistryError: The registry does not say.
        """
        done = self._call(cosign.verify(self._program, reference, signer))
        if done.status == 0:
            return cosign.has_signature(done.stdout)
        if cosign.refusal(done.stderr.decode("utf-8", "replace")) in {"credentials", "other"}:
            raise self._broken(f"{reference} cannot be verified", done)
        return False

    def _missing(
        self, reference: str, wanted: tuple[Attestation, ...], signer: Signer
    ) -> tuple[bool, list[Attestation]]:
        missing = []
        for item in wanted:
            found: tuple[Statement, ...] = ()
            with contextlib.suppress(VerificationError):
                found = self.statements(reference, item.kind, signer)
            if not any(item.is_same(statement) for statement in found):
                missing.append(item)
        return self.is_signed(reference, signer), missing

    def _attest(self, reference: str, item: Attestation) -> None:
        with tempfile.TemporaryDirectory(prefix="monoyard-") as directory:
            path = Path(directory) / "predicate.json"
            path.write_text(json.dumps(item.predicate), encoding="utf-8")
            self._demand(
                cosign.attest(
                    self._program, reference, item.kind, path, self._private, self._offline
                ),
                f"{item.kind} cannot be attached to {reference}",
            )

    @property
    def _private(self) -> str:
        if self.is_keyless:
            return ""
        if self._key == GENERATED:
            return str(self._generated)
        return self._key if "://" in self._key else str(self._top / self._key)

    @property
    def _offline(self) -> Offline | None:
        """Return the files that name no service; keyless cannot do without services."""
        if self.is_keyless:
            return None
        offline = Offline(self._place / "signing-config.json", self._place / "trusted-root.json")
        for path, text in (
            (offline.signing_config, cosign.SIGNING_CONFIG),
            (offline.trusted_root, cosign.TRUSTED_ROOT),
        ):
            if not path.is_file() or path.read_text("utf-8", "replace") != text:
                _write_whole(path, text)
        return offline

    @cached_property
    def _generated(self) -> Path:
        """The key of this machine, made now if there is none; only its user can read it."""
        path = self._place / "generated.key"
        public = path.with_suffix(".pub")
        with exclusive(self._place / "generated.lock"):
            if not (path.is_file() or public.is_file()):
                self._place.chmod(0o700)
                self._demand(
                    cosign.generate_key_pair(self._program, path.with_suffix("")),
                    "a key cannot be made",
                )
        if not path.is_file():
            raise _lost_half(
                "private", path,
                f"put it back, or remove {public} as well: a new key is made then, and what this "
                "one signed is built and signed anew",
            )  # fmt: skip
        if not public.is_file():
            raise _lost_half(
                "public", public, f"COSIGN_PASSWORD= cosign public-key --key {path} > {public}"
            )
        return path

    def _is_own(self, item: SignerSettings) -> bool:
        if "://" in item.key:
            return item.key == self._key
        return self.key_bytes(item).split() == self.public_key.split()

    def _demand(self, argv: tuple[str, ...], message: str) -> None:
        done = self._call(argv)
        if done.status and cosign.refusal(done.stderr.decode("utf-8", "replace")) == "credentials":
            raise self._broken(message, done)
        if done.status:
            raise ImageError(message, code="signing-failed", context=_errors(done))

    def _broken(self, message: str, done: Completed) -> RegistryError:
        if cosign.refusal(done.stderr.decode("utf-8", "replace")) != "credentials":
            return RegistryError(message, context=_errors(done))
        hint = HINTS["credentials"]
        return RegistryError(message, code="registry-credentials", context=_errors(done), hint=hint)

    def _call(self, argv: tuple[str, ...]) -> Completed:
        environment = clean(_VARIABLES, os.environ)
        if self._key == GENERATED:
            environment["COSIGN_PASSWORD"] = ""
        environment.setdefault("COSIGN_PASSWORD", "")  # without it cosign would ask
        command = Command(argv, Path("/"), environment, timeout=_SECONDS, dies_with_parent=True)
        try:
            return capture(command)
        except ToolError as error:
            if error.code != "tool-timeout":
                raise
            raise slow(f"`cosign {argv[1]}`", _SECONDS) from error


def own_identity(environment: Mapping[str, str] | None = None) -> str:
    """Return the identity that a keyless signature of this job has; empty where none is known.

    GitHub's certificates name the workflow file with its ref.
    """
    known = os.environ if environment is None else environment
    server, workflow = known.get("GITHUB_SERVER_URL"), known.get("GITHUB_WORKFLOW_REF")
    return f"{server}/{workflow}" if server and workflow else ""


def _read_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key {path} cannot be read", code="key-unreadable", context=(str(error),)
        ) from error


def _lost_half(which: str, path: Path, hint: str) -> ConfigurationError:
    return ConfigurationError(
        f"the key of this machine has lost its {which} half",
        code="half-a-key", context=(f"{path} is not there",), hint=hint,
    )  # fmt: skip


def _errors(done: Completed) -> tuple[str, ...]:
    """Return what cosign said, without what it says twice."""
    noise = ("WARNING", "error during command execution")
    return tuple(line for line in done.last_lines if not line.startswith(noise))[:4]


def _write_whole(path: Path, text: str) -> None:
    """Write a file of which nobody ever sees a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
