"""One file that carries a scope from one machine to another.

A gzipped tar: `cache.json` first, then the blobs, then the tables. Nothing in it is believed:
every digest, path, shape and size is checked before the first row becomes visible.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from monoyard.cache._access import Access
from monoyard.cache._blobs import BlobDirectory, ChangedSourceError, Staged, discard
from monoyard.cache._errors import ArchiveError
from monoyard.cache._import import Import
from monoyard.cache._rows import Scopes
from monoyard.cache._sections import (
    NAMES,
    Sections,
    decode_rows,
    encode_rows,
    export_sections,
    result_of,
)
from monoyard.cache._tar import (
    Member,
    Readable,
    TarShapeError,
    read_members,
    write_end,
    write_member,
)
from monoyard.cache._values import (
    MalformedEntryError,
    StoredFile,
    encode_json,
    is_digest,
    require_scope,
)

_FORMAT: Final = 1
_HEADER: Final = "cache.json"
_BLOBS: Final = "blobs/"
_LARGEST_HEADER: Final = 1 << 16
_LARGEST_SECTION: Final = 1 << 28
_LEAST_LIMIT: Final = 1 << 24
_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Archiver:
    """Packs and unpacks.

    Args:
        access: The rows.
        blobs: The bytes.
        limit_bytes: The store's limit; an archive may hold twice as much, unpacked.

    """

    access: Access
    blobs: BlobDirectory
    limit_bytes: int

    def pack(self, file: Path, scope: str, keys: Collection[str] | None) -> int:
        """Write the archive of a scope and return how many results it holds."""
        if scope not in self.access.scopes.readable:
            raise ArchiveError(f"results of scope {scope} are not readable here")
        empty: Sections = {name: [] for name in NAMES}
        sections = self.access.database.read(
            lambda connection: export_sections(connection, scope, keys), empty
        )
        temporary = file.with_name(f".{file.name}.{os.getpid()}.partial")
        try:
            with temporary.open("xb") as raw:
                with gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as stream:
                    self._write(cast("BinaryIO", stream), scope, sections)
                raw.flush()
                os.fsync(raw.fileno())  # it is about to leave this machine
            temporary.replace(file)
        except OSError as error:
            raise ArchiveError(f"{file} could not be written: {error.strerror}") from error
        finally:
            temporary.unlink(missing_ok=True)
        return len(sections["results"])

    def _write(self, stream: BinaryIO, scope: str, sections: Sections) -> None:
        write_member(stream, _HEADER, encode_json({"format": _FORMAT, "scope": scope}))
        results = [result_of(row) for row in sections["results"]]
        damaged: set[str] = set()
        for digest in sorted({file.digest for one in results for file in one.files()}):
            data = self.blobs.read(digest)
            if data is None:
                damaged.add(digest)
            else:
                write_member(stream, f"{_BLOBS}{digest}", data)
        if damaged:
            self.access.notes.add("results with missing or damaged files were not packed")
            sections["results"] = [
                row
                for row, one in zip(sections["results"], results, strict=True)
                if not any(file.digest in damaged for file in one.files())
            ]
        for name in NAMES:
            write_member(stream, f"{name}.jsonl", encode_rows(sections[name]))
        write_end(stream)

    def unpack(self, file: Path, scope: str) -> int:
        """Import an archive into a scope and return how many results are new."""
        target = self._target(scope)
        if not self.access.database.is_writable:
            return 0
        staged: dict[str, Staged] = {}
        try:
            with file.open("rb") as raw, _malformed_as_error(file):
                sections = self._read(_Bounded(raw, self._limit()), target, staged)
        except OSError as error:
            raise ArchiveError(f"{file} could not be unpacked: {error.strerror}") from error
        else:
            contents = Import(sections, staged, target, self.access.clock())
            return self.access.database.write(
                lambda connection: contents.insert(connection, self.blobs), 0
            )
        finally:
            discard(staged)

    def _limit(self) -> int:
        return max(2 * self.limit_bytes, _LEAST_LIMIT)

    def _target(self, scope: str) -> Scopes:
        if not self.access.scopes.is_trusted and scope != self.access.scopes.own:
            raise ArchiveError(
                f"scope {self.access.scopes.own} may not write results of scope {scope}"
            )
        return Scopes(require_scope(scope))

    def _read(self, stream: Readable, target: Scopes, staged: dict[str, Staged]) -> Sections:
        members = read_members(stream)
        _check_header(next(members, None), target)
        sections: Sections = {}
        for member in members:
            if member.name.startswith(_BLOBS):
                self._stage(member, staged)
            else:
                name = member.name.removesuffix(".jsonl")
                if name not in NAMES or name in sections:
                    raise MalformedEntryError(f"{member.name!r} does not belong there")
                sections[name] = decode_rows(name, _read_all(member, _LARGEST_SECTION))
        _check_complete(sections, staged)
        return sections

    def _stage(self, member: Member, staged: dict[str, Staged]) -> None:
        digest = member.name.removeprefix(_BLOBS)
        if not is_digest(digest) or digest in staged:
            raise MalformedEntryError(f"{member.name!r} does not belong there")
        file = StoredFile(member.name, digest, member.size)
        staged[digest] = self.blobs.stage_stream(file, member)


def _check_header(member: Member | None, target: Scopes) -> None:
    if member is None or member.name != _HEADER:
        raise MalformedEntryError("it is not an archive of the cache")
    header = json.loads(_read_all(member, _LARGEST_HEADER))
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise MalformedEntryError("it has a format of another version")
    scope = header.get("scope")
    if target.is_trusted and scope != target.own:
        raise ArchiveError(
            f"the archive holds results of scope {scope!r}, which must not become trusted",
            hint="unpack it into its own scope",
        )


def _check_complete(sections: Sections, staged: dict[str, Staged]) -> None:
    if missing := [name for name in NAMES if name not in sections]:
        raise MalformedEntryError(f"the {missing[0]} are missing")
    needed = set()
    for row in sections["results"]:
        for file in result_of(row).files():
            needed.add(file.digest)
            if file.digest not in staged or staged[file.digest].size != file.size:
                raise MalformedEntryError(f"the bytes of {file.path!r} are missing")
    if needed != staged.keys():
        raise MalformedEntryError("it holds bytes that no result needs")


def _read_all(member: Member, limit: int) -> bytes:
    if member.size > limit:
        raise MalformedEntryError(f"{member.name} is too large")
    parts = []
    while part := member.read(1 << 20):
        parts.append(part)
    return b"".join(parts)


class _Bounded:
    """The unpacked bytes of a gzip file, up to a limit."""

    def __init__(self, raw: BinaryIO, limit: int) -> None:
        self._stream = gzip.GzipFile(fileobj=raw, mode="rb")
        self._left = limit

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; raises TarShapeError past the limit."""
        data = self._stream.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise TarShapeError("it unpacks to more than the cache may hold")
        return data


@contextlib.contextmanager
def _malformed_as_error(file: Path) -> Iterator[None]:
    """Turn whatever hostile or damaged bytes can cause into one error."""
    try:
        yield
    except (
        MalformedEntryError,
        ChangedSourceError,
        TarShapeError,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        ValueError,
        RecursionError,
    ) as error:
        raise ArchiveError(
            f"{file} was not imported: {error}", hint="make it again with `invoke cache.pack`"
        ) from error
