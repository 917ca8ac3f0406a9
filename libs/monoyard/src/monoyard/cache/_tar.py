"""The least of the tar format (POSIX.1-1988 ustar) that an archive of the store needs.

Plain files with short names, and nothing else: no links, devices, sparse files, long names or
extended headers, and so none of what makes unpacking a stranger's archive dangerous. Any tar
program reads what is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

_BLOCK: Final = 512
_NAME: Final = slice(0, 100)
_SIZE: Final = slice(124, 136)
_CHECKSUM: Final = slice(148, 156)
_TYPE: Final = slice(156, 157)
_MAGIC: Final = slice(257, 263)
_PREFIX: Final = slice(345, 500)
_END: Final = bytes(2 * _BLOCK)


class TarShapeError(ValueError):
    """The bytes are not an archive as this module writes it, or they are too many."""


class Readable(Protocol):
    """Anything with bytes to take in order."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


def write_member(stream: BinaryIO, name: str, data: bytes) -> None:
    """Append one file; its header depends on nothing but name and length."""
    stream.write(_header(name.encode("ascii"), len(data)))
    stream.write(data)
    stream.write(bytes(-len(data) % _BLOCK))


def write_end(stream: BinaryIO) -> None:
    """Append the two empty blocks that end an archive."""
    stream.write(_END)


def _header(name: bytes, size: int) -> bytes:
    if not 0 < len(name) <= _NAME.stop or size >= 1 << 33:
        raise TarShapeError(f"{name!r} of {size} bytes does not fit a plain tar header")
    block = bytearray(_BLOCK)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2  # mode, user, group
    block[_SIZE] = b"%011o\0" % size
    block[136:148] = b"%011o\0" % 0  # time of change
    block[_TYPE] = b"0"
    block[_MAGIC] = b"ustar\0"
    block[263:265] = b"00"
    block[_CHECKSUM] = b"%06o\0 " % _checksum(block)
    return bytes(block)


def _checksum(block: bytes | bytearray) -> int:
    return sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")


class Member:
    """One file of an archive; to be read before the next one is asked for.

    Args:
        name: Its name in the archive.
        size: Its length in bytes.
        stream: What it is read from.

    """

    def __init__(self, name: str, size: int, stream: Readable) -> None:
        self.name = name
        self.size = size
        self._stream = stream
        self._left = size

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end; raises TarShapeError when cut short."""
        data = self._stream.read(min(size, self._left))
        if not data and self._left and size:
            raise TarShapeError("the archive ends inside of a file")
        self._left -= len(data)
        return data


def read_members(stream: Readable) -> Iterator[Member]:
    """Yield the files of an archive.

    Raises:
        TarShapeError: it holds anything but plain files, or ends too early.

    """
    while (header := _read_exactly(stream, _BLOCK)) != bytes(_BLOCK):
        size = _size(header)
        member = Member(_name(header), size, stream)
        yield member
        while member.read(_BLOCK * 128):
            pass
        _read_exactly(stream, -size % _BLOCK)


def _read_exactly(stream: Readable, size: int) -> bytes:
    parts, missing = [], size
    while missing:
        part = stream.read(missing)
        if not part:
            raise TarShapeError("the archive ends too early")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _name(header: bytes) -> str:
    if header[_MAGIC] != b"ustar\0" or header[_TYPE] != b"0" or any(header[_PREFIX]):
        raise TarShapeError("the archive holds something else than plain files")
    try:
        return header[_NAME].rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as error:
        raise TarShapeError("a name in the archive is not ASCII") from error


def _size(header: bytes) -> int:
    size, checksum = header[_SIZE].rstrip(b"\0 "), header[_CHECKSUM].rstrip(b"\0 ")
    # `isdigit` first: int() would also take signs and underscores.
    if not (size.isdigit() and checksum.isdigit()):
        raise TarShapeError("a header of the archive is damaged")
    try:
        if int(checksum, 8) == _checksum(header):
            return int(size, 8)
    except ValueError:
        pass
    raise TarShapeError("a header of the archive is damaged")
