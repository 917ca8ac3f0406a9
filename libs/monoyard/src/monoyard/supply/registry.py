"""A registry: what is in it, and how something gets there.

Everything goes through crane, but for the one question that is asked all the time.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from monoyard.errors import ImageError, RegistryError, ToolError
from monoyard.process import PROXIES, Command, Completed, capture, clean
from monoyard.supply.probing import Probe, UnansweredError
from monoyard.supply.progress import telling
from monoyard.tools import crane

CREDENTIALS: Final = (
    "AWS_*", "AZURE_*", "DOCKER_*", "GOOGLE_*", "GITHUB_TOKEN", "REGISTRY_AUTH_FILE",
    "XDG_RUNTIME_DIR", *PROXIES,
)  # fmt: skip
"""Variables that credentials for registries are found by."""

LATEST: Final = "latest"
"""The tag of the default branch's newest image that the last environment trusts."""

_SECONDS: Final = 60.0
_PUSH_SECONDS: Final = 1800.0
_DIGEST: Final = re.compile(r"^sha256:[0-9a-f]{64}$")
HINTS: Final = {
    "credentials": "`docker login` stores credentials for a registry",
    "down": "`invoke tools.start registry` starts one on this machine; "
    "`[tool.monoyard.images] registry` or MONOYARD_REGISTRY names another",
    "unsupported": "the registry's own settings say whether it removes images: for a distribution "
    "registry it is `storage.delete.enabled`",
    "too-many-requests": "wait a minute and repeat: what is there already is not done again",
    "broken": "repeat it later: what is there already is not done again",
}


@dataclass(frozen=True)
class Registry:
    """The images of a workspace in one registry.

    Attributes:
        program: crane's program.
        address: `HOST[:PORT][/PREFIX]`, in front of an image's name.
        push_seconds: Seconds after which a push has failed.
        announce: Says how a push gets on.
    """

    program: Path
    address: str
    push_seconds: float = _PUSH_SECONDS
    announce: Callable[[str], None] = field(default=lambda _: None, compare=False)

    @cached_property
    def _probe(self) -> Probe:
        def ask(words: tuple[str, ...]) -> str:
            done = self._call((str(self.program), *words))
            return "" if done.status else done.text

        return Probe(self.address.partition("/")[0], ask)

    def repository(self, image: str) -> str:
        """Return what stands in front of `:` and `@` in references to an image."""
        return f"{self.address.rstrip('/')}/{image}"

    def reference(self, image: str, digest: str) -> str:
        """Return a reference by digest."""
        return f"{self.repository(image)}@{digest}"

    def digest(self, image: str, tag: str) -> str | None:
        """Return what a tag names, or None where there is no such tag.

        Raises:
            RegistryError: The registry does not say.
        """
        path = self.repository(image).partition("/")[2]
        with contextlib.suppress(UnansweredError):
            return self._probe.digest(path, tag)
        done = self._call(crane.digest(self.program, f"{self.repository(image)}:{tag}"))
        if done.status == 0 and _DIGEST.match(found := done.text.strip()):
            return found
        if done.status and self._refusal(done).kind == "absent":
            return None
        raise self._error(f"{self.repository(image)}:{tag} cannot be looked up", done)

    def push(self, image: str, layout: Path, digest: str) -> None:
        """Upload a layout under its digest; what the registry has already is not sent.

        Raises:
            RegistryError: It was not taken.
        """
        reference = self.reference(image, digest)
        with telling(self.announce, f"pushing {reference}"):
            done = self._call(crane.push(self.program, layout, reference), self.push_seconds)
        if done.status:
            raise self._error(f"{reference} cannot be pushed", done)

    def tag(self, image: str, digest: str, tag: str) -> None:
        """Give an image a tag, wherever that pointed before.

        Raises:
            RegistryError: It was not set.
        """
        done = self._call(crane.tag(self.program, self.reference(image, digest), tag))
        if done.status:
            raise self._error(f"{self.repository(image)}:{tag} cannot be set", done)

    def tag_unless_set(self, image: str, digest: str, tag: str) -> bool:
        """Give an image a tag, wherever that pointed before; say whether that was necessary.

        Raises:
            RegistryError: It was not set.
        """
        is_missing = self.digest(image, tag) != digest
        if is_missing:
            self.tag(image, digest, tag)
        return is_missing

    def tag_for_good(self, image: str, digest: str, tag: str) -> bool:
        """Give an image a tag that never moves; say whether that was necessary.

        Raises:
            ImageError: It names another image.
            RegistryError: The registry does not do what it is asked.
        """
        taken = self.digest(image, tag)
        if taken not in {None, digest}:
            raise ImageError(
                f"{self.repository(image)}:{tag} names another image, and such a tag never moves",
                code="tag-taken",
                context=(f"it names {taken}", f"this image is {digest}"),
                hint="`invoke images.verify` says where that one comes from",
            )
        if taken is None:
            self.tag(image, digest, tag)
        return taken is None

    def tags(self, image: str) -> tuple[str, ...]:
        """Return the tags of an image; none where the registry does not know it.

        Raises:
            RegistryError: The registry does not say.
        """
        done = self._call(crane.list_tags(self.program, self.repository(image)))
        if done.status == 0:
            return tuple(sorted(done.text.split()))
        if self._refusal(done).kind == "absent":
            return ()
        raise self._error(f"the tags of {self.repository(image)} cannot be listed", done)

    def manifest(self, image: str, name: str) -> bytes | None:
        """Return the bytes of a manifest, or None where there is none.

        Args:
            image: Name of the image.
            name: A tag, or a digest.

        Raises:
            RegistryError: The registry does not say.
        """
        is_digest = _DIGEST.match(name) is not None
        reference = f"{self.repository(image)}{'@' if is_digest else ':'}{name}"
        done = self._call(crane.manifest(self.program, reference))
        if done.status == 0:
            return done.stdout
        if self._refusal(done).kind == "absent":
            return None
        raise self._error(f"{reference} cannot be read", done)

    def blob(self, image: str, digest: str) -> bytes:
        """Return the bytes of a blob; it is meant for small ones.

        Raises:
            RegistryError: The registry does not have it, or does not hand it out.
        """
        done = self._call(crane.blob(self.program, self.reference(image, digest)))
        if done.status:
            raise self._error(f"the blob {self.reference(image, digest)} cannot be read", done)
        return done.stdout

    def delete(self, image: str, digest: str) -> None:
        """Remove a manifest with all its tags; one that is gone already is no fault.

        Raises:
            RegistryError: It was not removed.
        """
        done = self._call(crane.delete(self.program, self.reference(image, digest)))
        if done.status and self._refusal(done).kind != "absent":
            raise self._error(f"{self.reference(image, digest)} cannot be removed", done)

    def problem_of_layers(self, image: str, digest: str) -> str:
        """Fetch an image whole; return what is wrong with its bytes, or nothing.

        Raises:
            RegistryError: It cannot be fetched.
        """
        done = self._call(
            crane.validate(self.program, self.reference(image, digest)), self.push_seconds
        )
        if done.status == 0:
            return ""
        refusal = self._refusal(done)
        if refusal.kind in HINTS:
            raise self._error(f"{self.reference(image, digest)} cannot be fetched", done)
        return refusal.line

    def _call(self, argv: tuple[str, ...], seconds: float = _SECONDS) -> Completed:
        environment = clean(CREDENTIALS, os.environ)
        command = Command(argv, Path("/"), environment, timeout=seconds, dies_with_parent=True)
        try:
            return capture(command)
        except ToolError as error:
            if error.code != "tool-timeout":
                raise
            raise slow(self.address, seconds) from error

    def _refusal(self, done: Completed) -> crane.Refusal:
        return crane.refusal(done.stderr.decode("utf-8", "replace"))

    def _error(self, message: str, done: Completed) -> RegistryError:
        refusal = self._refusal(done)
        return RegistryError(
            message,
            code=f"registry-{refusal.kind}",
            context=(refusal.line,),
            hint=HINTS.get(refusal.kind),
        )


def slow(what: str, seconds: float) -> RegistryError:
    """Return the error for a registry that takes too long."""
    return RegistryError(
        f"{what} did not do within {seconds:g} s what it was asked",
        code="registry-slow",
        hint="repeat it: what is there already is not done again; a push may take as long as "
        "`[tool.monoyard.images] push-limit` says",
    )


def is_commit(word: str) -> bool:
    """Say whether a word is a whole commit id."""
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", word) is not None


def version_tags(image: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the versions that git tags give an image: `v1.2` all, `api-v1.2` or `api/v1.2` one."""
    pattern = re.compile(rf"(?:{re.escape(image)}[-/@])?v?(\d+(?:\.\d+)+[A-Za-z0-9.-]*)")
    found = (pattern.fullmatch(name) for name in names)
    return tuple(sorted({match[1] for match in found if match}))
