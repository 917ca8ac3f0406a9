"""Files by the SHA-256 of their bytes.

A blob is written under another name and renamed, so that its own name never shows half of it.
Nothing is flushed to the disk: a blob that a power cut tore has another digest, every read checks
the digest, and what fails the check is removed and counts as a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from monoyard.cache._tar import Readable
from monoyard.cache._values import StoredFile, is_digest, require_digest

Source = bytes | Path

_CHUNK: Final = 1 << 20
_INCOMING: Final = "incoming"
_PREFIX: Final = 2


class ChangedSourceError(OSError):
    """The bytes to store are not the bytes that were described."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A blob that is complete on disk under a temporary name, its digest checked."""

    digest: str
    size: int
    path: Path


class BlobDirectory:
    """Blobs below one directory; raises OSError where the file system does."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, digest: str) -> Path:
        """Return where the blob is or would be."""
        require_digest(digest)
        return self._directory / digest[:_PREFIX] / digest

    def has(self, digest: str, size: int) -> bool:
        """Say whether a blob of that name and length is there; its bytes are not read."""
        try:
            return self.path(digest).stat().st_size == size
        except OSError:
            return False

    def stage(self, file: StoredFile, source: Source) -> Staged:
        """Copy `source` below the directory without showing it yet.

        Raises:
            ChangedSourceError: the source cannot be read, or is not what `file` describes.
            OSError: the blob cannot be written.

        """
        with _open_source(source) as reader:
            return self.stage_stream(file, reader)

    def stage_stream(self, file: StoredFile, reader: Readable) -> Staged:
        """Copy all that `reader` has, like `stage`."""
        temporary = self.temporary_path()
        try:
            _copy_checked(reader, temporary, file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Staged(file.digest, file.size, temporary)

    def temporary_path(self) -> Path:
        """Return a fresh name on the same file system; its directory exists."""
        incoming = self._directory / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        return incoming / f"{os.getpid()}-{os.urandom(8).hex()}"

    def adopt(self, staged: Staged) -> None:
        """Give a staged blob its name."""
        target = self.path(staged.digest)
        try:
            staged.path.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(exist_ok=True)
            staged.path.replace(target)

    def read(self, digest: str) -> bytes | None:
        """Return the blob's bytes, or None when it is missing, damaged or out of reach."""
        if not is_digest(digest):
            return None
        try:
            data = self.path(digest).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == digest else None

    def copy(self, file: StoredFile, target: Path) -> bool:
        """Copy a blob to `target`; False when it is missing or damaged, the target then kept.

        Raises:
            OSError: the target cannot be written.

        """
        try:
            reader = self.path(file.digest).open("rb")
        except OSError:
            return False
        temporary = target.with_name(f".{os.getpid()}-{os.urandom(8).hex()}.partial")
        with reader:
            try:
                _copy_checked(reader, temporary, file)
                if file.is_executable:
                    temporary.chmod(temporary.stat().st_mode | 0o111)
                temporary.replace(target)
            except ChangedSourceError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
        return True

    def remove(self, digest: str) -> None:
        """Remove a blob if it is there; a name that is no digest has none."""
        if is_digest(digest):
            self.path(digest).unlink(missing_ok=True)

    def sizes(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the digest and status of every blob on disk, named in the database or not."""
        for entry in _scan(self._directory):
            if len(entry.name) == _PREFIX:
                for blob in _scan(Path(entry.path)):
                    if is_digest(blob.name):
                        with contextlib.suppress(FileNotFoundError):
                            yield blob.name, blob.stat(follow_symlinks=False)

    def remove_abandoned(self, before: float) -> None:
        """Remove what killed writers left under temporary names before that Unix second."""
        for entry in _scan(self._directory / _INCOMING):
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    Path(entry.path).unlink()


def discard(staged: Mapping[str, Staged]) -> None:
    """Remove staged blobs that nobody adopted."""
    for blob in staged.values():
        with contextlib.suppress(OSError):
            blob.path.unlink()


def _scan(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _open_source(source: Source) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return source.open("rb")
    except OSError as error:
        raise ChangedSourceError(f"{source.name} cannot be read: {error.strerror}") from error


def _copy_checked(reader: Readable, target: Path, file: StoredFile) -> None:
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as writer:
        # A source that is longer than promised is another one; the rest of it need not be copied.
        while size <= file.size and (chunk := reader.read(_CHUNK)):
            size += len(chunk)
            digest.update(chunk)
            writer.write(chunk)
    if size != file.size or digest.hexdigest() != file.digest:
        raise ChangedSourceError(f"{file.path} changed while it was being stored")
