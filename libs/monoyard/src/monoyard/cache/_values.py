"""The values that go into the store and come out of it, and their encoding as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Self

_match_digest = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch
_SCOPE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_READ_SIZE = 1 << 20
_FILE_FIELDS = 4


class MalformedEntryError(ValueError):
    """Stored data does not have the shape that this version writes."""


def is_digest(text: object) -> bool:
    """Say whether `text` is a SHA-256 in 64 lower-case hexadecimal digits."""
    return isinstance(text, str) and _match_digest(text) is not None


def require_digest(text: str) -> bytes:
    """Return the 32 bytes of a digest written in hexadecimal.

    Raises:
        ValueError: `text` is not 64 lower-case hexadecimal digits.

    """
    if not is_digest(text):
        raise ValueError(f"not a SHA-256 in hexadecimal: {text!r}")
    return bytes.fromhex(text)


def require_scope(name: str) -> str:
    """Return `name` when it can name a scope.

    Raises:
        ValueError: it is empty, too long, or has characters other than `a-z0-9._-`.

    """
    if _SCOPE.fullmatch(name) is None:
        raise ValueError(f"not a name for a cache scope: {name!r}")
    return name


def is_safe_path(path: str) -> bool:
    """Say whether a stored path stays below the directory that it is restored into."""
    if not path or "\0" in path:
        return False
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and str(pure) == path and path != "."


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a result.

    Args:
        path: Where it belongs, relative, with forward slashes.
        digest: SHA-256 of its bytes, in hexadecimal.
        size: Its length in bytes.
        is_executable: Whether its owner may execute it; no other mode bit is kept.

    """

    path: str
    digest: str
    size: int
    is_executable: bool = False

    @classmethod
    def of_bytes(cls, path: str, data: bytes, *, is_executable: bool = False) -> Self:
        """Describe a file that holds `data`."""
        return cls(path, hashlib.sha256(data).hexdigest(), len(data), is_executable)

    @classmethod
    def of_file(cls, path: str, source: Path) -> Self:
        """Describe the file at `source` as it is now; raises OSError when it cannot be read."""
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as stream:
            mode = source.stat().st_mode
            while chunk := stream.read(_READ_SIZE):
                digest.update(chunk)
                size += len(chunk)
        return cls(path, digest.hexdigest(), size, bool(mode & 0o100))


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The result of a task under one key.

    Args:
        key: The task's key, 64 hexadecimal digits.
        task: The task, as in `api:unit`.
        payload: The outcome record; anything that JSON can hold.
        outputs: Declared outputs, restored into the package on a hit.
        artifacts: Files kept for replay and reports (log, JUnit, coverage), never restored.
        duration_seconds: How long the task took when it ran.
        created_at: When it ended, in Unix seconds.
        engine_version: The engine that wrote it.

    """

    key: str
    task: str
    payload: dict[str, Any]
    outputs: tuple[StoredFile, ...] = ()
    artifacts: tuple[StoredFile, ...] = ()
    duration_seconds: float = 0.0
    created_at: float = 0.0
    engine_version: str = ""

    def files(self) -> tuple[StoredFile, ...]:
        """Return every file whose bytes must be present for this result to be one."""
        return self.outputs + self.artifacts


@dataclass(frozen=True, slots=True)
class Flaky:
    """A task that passed and failed under one and the same key.

    Args:
        task: The task, as in `api:unit`.
        key: The key that had both outcomes.
        passed: How often it passed, as far as it is remembered.
        failed: How often it failed.
        last_run: The run that saw it last.
        last_at: When that was, in Unix seconds.

    """

    task: str
    key: str
    passed: int
    failed: int
    last_run: str
    last_at: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the store holds, over all scopes; sizes in bytes."""

    results: int = 0
    results_by_scope: dict[str, int] = field(default_factory=dict)
    blobs: int = 0
    blob_bytes: int = 0
    database_bytes: int = 0
    memo_entries: int = 0
    memo_bytes: int = 0
    limit_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Eviction:
    """What an eviction removed; `freed_bytes` counts the blobs' bytes."""

    results: int = 0
    blobs: int = 0
    freed_bytes: int = 0


def encode_json(value: object) -> bytes:
    """Return compact JSON in ASCII, which also carries file names that are not UTF-8.

    Raises:
        TypeError, ValueError: `value` is not something that JSON can hold.

    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def encode_result(result: StoredResult) -> bytes:
    """Return the document that is stored behind the result's key.

    Raises:
        TypeError, ValueError: the payload is not JSON, or a digest or path is not one.

    """
    require_digest(result.key)
    for file in result.files():
        require_digest(file.digest)
        if not is_safe_path(file.path):
            raise ValueError(f"not a path below a package: {file.path!r}")
    return encode_json(
        [
            result.task,
            result.payload,
            [_file_fields(file) for file in result.outputs],
            [_file_fields(file) for file in result.artifacts],
            result.duration_seconds,
            result.created_at,
            result.engine_version,
        ]
    )


def _file_fields(file: StoredFile) -> list[object]:
    return [file.path, file.digest, file.size, file.is_executable]


def decode_result(key: str, fields: object) -> StoredResult:
    """Return the result of a parsed document.

    Raises:
        MalformedEntryError: the document has another shape.

    """
    # Plain `type` checks: this runs for thousands of results in every plan, and structural
    # pattern matching was measured at four times the price.
    if type(fields) is list and len(fields) == 7:  # noqa: PLR2004 (the document's own length)
        task, payload, outputs, artifacts, duration, created, engine = fields
        if (
            type(task) is str
            and type(payload) is dict
            and type(outputs) is list
            and type(artifacts) is list
            and type(duration) in (float, int)
            and type(created) in (float, int)
            and type(engine) is str
        ):
            files, kept = _decode_files(outputs), _decode_files(artifacts)
            return StoredResult(key, task, payload, files, kept, duration, created, engine)
    raise MalformedEntryError("the result has an unknown shape")


def _decode_files(rows: Sequence[object]) -> tuple[StoredFile, ...]:
    return tuple([_decode_file(row) for row in rows])


def _decode_file(row: object) -> StoredFile:
    if type(row) is list and len(row) == _FILE_FIELDS:
        path, digest, size, is_executable = row
        if (
            type(path) is str
            and type(digest) is str
            and type(size) is int
            and type(is_executable) is bool
            and len(digest) == 64  # noqa: PLR2004 (the digits of SHA-256)
            and size >= 0
        ):
            return StoredFile(path, digest, size, is_executable)
    raise MalformedEntryError("a file of the result has an unknown shape")
