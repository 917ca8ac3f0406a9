from __future__ import annotations

import io
import tarfile

import pytest

from monoyard.cache._tar import TarShapeError, read_members, write_end, write_member


def written(**files: bytes) -> bytes:
    """Return an archive of these files."""
    stream = io.BytesIO()
    for name, data in files.items():
        write_member(stream, name, data)
    write_end(stream)
    return stream.getvalue()


def read(data: bytes | io.BytesIO) -> dict[str, bytes]:
    """Return the files of an archive."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return {
        member.name: b"".join(iter(lambda: member.read(100), b""))  # noqa: B023
        for member in read_members(stream)
    }


FILES = {"empty": b"", "one": b"x", "block": bytes(512), "more": b"ab" * 700, "X": b"x"}


def test_the_standard_library_reads_what_is_written() -> None:
    """Archives are plain tar files that any program opens."""
    with tarfile.open(fileobj=io.BytesIO(written(**FILES))) as archive:
        assert {member.mtime for member in archive.getmembers()} == {0}
        found = {
            member.name: handle.read()
            for member in archive
            if (handle := archive.extractfile(member)) is not None
        }
    assert found == FILES


def test_what_is_written_is_read() -> None:
    """Names and bytes come back, whatever the length."""
    assert read(written(**FILES)) == FILES


def test_a_stream_may_give_its_bytes_in_crumbs() -> None:
    """An archive is the same however few bytes its stream gives at a time."""

    class Crumbs(io.BytesIO):
        """A stream that never gives all that it is asked for."""

        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7))

    assert read(Crumbs(written(**FILES))) == FILES


def test_members_that_nobody_reads_are_skipped() -> None:
    """The next member is found without reading the one before."""
    assert [member.name for member in read_members(io.BytesIO(written(**FILES)))] == list(FILES)


@pytest.mark.parametrize(
    ("length", "message"),
    [(length, "^the archive ends too early$") for length in (0, 100, 511, 1112, 1535)]
    + [(length, "^the archive ends inside of a file$") for length in (512, 600, 1023, 1111)],
)
def test_cut_archives_are_refused(length: int, message: str) -> None:
    """An archive that ends early never looks like a shorter one."""
    with pytest.raises(TarShapeError, match=message):
        read(written(a=b"x" * 600)[:length])


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (slice(124, 136), b"-0000000001\0"),
        (slice(124, 136), b"\x80" + b"\xff" * 11),
        (slice(124, 136), b"0_000000001\0"),
        (slice(124, 136), b"0000000001X\0"),
        (slice(156, 157), b"2"),
        (slice(156, 157), b"x"),
        (slice(257, 263), b"ustar "),
        (slice(345, 348), b"../"),
        (slice(0, 1), b"\xff"),
        (slice(0, 1), b"b"),
    ],
)
def test_headers_of_another_kind_are_refused(where: slice, what: bytes) -> None:
    """Negative sizes, links, extensions, prefixes and wrong checksums end the reading."""
    data = bytearray(written(a=b"x"))
    data[where] = what
    if what != b"b":
        data[148:156] = b"%06o\0 " % (sum(data[:512]) - sum(data[148:156]) + 8 * 32)
    with pytest.raises(TarShapeError):
        read(bytes(data))


@pytest.mark.parametrize(
    ("name", "checksum", "message"),
    [
        (b"\xff", b"%06o\0 ", "^a name in the archive is not ASCII$"),
        (b"a", b"%06oX ", "^a header of the archive is damaged$"),
        (b"a", b"%06o8 ", "^a header of the archive is damaged$"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(name: bytes, checksum: bytes, message: str) -> None:
    """A header is refused in a sentence, also where its sum is right but written otherwise."""
    data = bytearray(written(a=b"x"))
    data[0:1] = name
    data[148:156] = checksum % (sum(data[:512]) - sum(data[148:156]) + 8 * 32)
    with pytest.raises(TarShapeError, match=message):
        read(bytes(data))


def test_names_that_do_not_fit_are_refused() -> None:
    """No name, and one that needs an extension, is a mistake of the writer; 100 letters fit."""
    for name in ("", "a" * 101):
        with pytest.raises(TarShapeError, match="does not fit a plain tar header"):
            write_member(io.BytesIO(), name, b"")
    longest = "a" * 100
    assert read(written(**{longest: b"x"})) == {longest: b"x"}
