"""Bytes on their way: counted, hashed, encrypted to age recipients, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pyrage  # type: ignore[import-untyped]  # a compiled module

LEAST_RECIPIENTS: Final = 2
_BLOCK: Final = 1 << 20


class CipherError(Exception):
    """It could not be encrypted or decrypted, or a stream of either failed."""


class Tally:
    """A stream that counts and hashes what is read from it or written to it.

    Args:
        stream: The stream.

    Attributes:
        size: Bytes so far.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        data = self._stream.read(size)
        self._count(data)
        return data

    def write(self, data: bytes) -> int:
        """Write all of it."""
        self._stream.write(data)
        self._count(data)
        return len(data)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def told(self) -> dict[str, Any]:
        """Return the number of bytes, and their SHA-256."""
        return {"bytes": self.size, "sha256": self._hash.hexdigest()}

    def _count(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)


def recipients(words: Sequence[str]) -> list[Any]:
    """Read public keys.

    Raises:
        ValueError: One is none, or there are fewer than two: one lost key would lose the backup.
    """
    if len({*words}) < LEAST_RECIPIENTS:
        raise ValueError(f"a backup is encrypted to {LEAST_RECIPIENTS} recipients at least")
    found = []
    for word in words:
        try:
            found.append(pyrage.x25519.Recipient.from_str(word))
        except pyrage.RecipientError as error:
            raise ValueError(f"{word} is no age recipient: {error}") from error
    return found


def identities(text: str) -> list[Any]:
    """Read private keys, as age-keygen writes them.

    Raises:
        ValueError: One is none, or there is none. It does not say what stands there.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    try:
        keys = [pyrage.x25519.Identity.from_str(line) for line in found]
    except pyrage.IdentityError as error:
        raise ValueError("the identity file has a line that is no age identity") from error
    if not keys:
        raise ValueError("the identity file has no age identity")
    return keys


def encrypt(source: Tally, target: Tally, keys: Sequence[Any]) -> None:
    """Encrypt all of a stream.

    Raises:
        CipherError: It failed.
    """
    try:
        pyrage.encrypt_io(source, target, keys)
    except pyrage.EncryptError as error:
        raise CipherError(str(error)) from error


def decrypt(source: IO[bytes], target: Tally, keys: Sequence[Any]) -> None:
    """Decrypt all of a stream; where it begins no key may fit.

    Raises:
        CipherError: It failed.
        OSError: A stream failed, or the bytes are not those that were encrypted.
    """
    try:
        pyrage.decrypt_io(source, target, keys)
    except pyrage.DecryptError as error:
        raise CipherError(str(error)) from error


def file_digest(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file, as `Tally` tells them."""
    with path.open("rb") as file:
        tally = Tally(file)
        while tally.read(_BLOCK):
            pass
    return tally.told()


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that is there with all of its bytes on the disk, or not at all."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            unfinished.chmod(0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
