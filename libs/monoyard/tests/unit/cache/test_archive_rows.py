"""The tables inside of an archive: what is packed, and what is believed of a stranger's."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.cache import ArchiveError, Item, Store, part_digest

MakeItem = Callable[..., Item]
OpenStore = Callable[..., Store]
Digest = Callable[[str], str]
KEY = "1" * 64
ENTRIES = (("a", "1"),)


def members(file: Path) -> dict[str, bytes]:
    """Return the files of an archive, read by the standard library."""
    with tarfile.open(file, "r:gz") as archive:
        return {one.name: (archive.extractfile(one) or io.BytesIO()).read() for one in archive}


def rows(file: Path, name: str) -> list[list[object]]:
    """Return the rows of a table."""
    return [json.loads(line) for line in members(file)[f"{name}.jsonl"].splitlines()]


def with_row(file: Path, name: str, row: object, target: Path) -> Path:
    """Write an archive that has one row more."""
    changed = members(file)
    changed[f"{name}.jsonl"] += json.dumps(row).encode() + b"\n"
    with tarfile.open(target, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in changed.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target


@pytest.fixture
def empty(store: Store, tmp_path: Path) -> Path:
    """A good archive without a row."""
    file = tmp_path / "empty"
    assert store.pack(file) == 0
    return file


GOOD = [
    ("manifests", [KEY, {"p": KEY}, 1.0]),
    ("parts", [part_digest(ENTRIES), [["a", "1"]]]),
    ("successes", ["w", "t", KEY, 1.0]),
    ("durations", ["w", "t", [0, 1.5], 0]),
    ("outcomes", [KEY, "t", 1, "r", 1.0]),
    ("outcomes", [KEY, "t", 0, "r", 1.0]),
    ("memo", ["n", "k", "AAE="]),
]


@pytest.mark.parametrize(("name", "row"), GOOD)
def test_sound_rows_are_taken(
    open_store: OpenStore, empty: Path, tmp_path: Path, name: str, row: object
) -> None:
    """A row as this engine writes it is imported."""
    there = open_store(tmp_path / "there")
    assert there.unpack(with_row(empty, name, row, tmp_path / "more")) == 0
    there.pack(tmp_path / "again")
    assert name == "parts" or len(rows(tmp_path / "again", name)) == 1
    assert there.notes == ()


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("manifests", ["x", {"p": KEY}, 1.0]),
        ("manifests", [KEY, {"p": "x"}, 1.0]),
        ("manifests", [KEY, {"p": "x"}, -1]),
        ("manifests", [KEY, [], 1.0]),
        ("manifests", [KEY, "text", 1.0]),
        ("manifests", [KEY, {}, "soon"]),
        ("manifests", ["x", {}, 1.0]),
        ("manifests", [KEY, {"p": KEY}]),
        ("parts", [part_digest(ENTRIES), [["a", "2"]]]),
        ("parts", [part_digest(ENTRIES), [["a", 1]]]),
        ("parts", [part_digest(ENTRIES), [[1, "a"]]]),
        ("parts", [hashlib.sha256(b'[["a",1]]').hexdigest(), [["a", 1]]]),
        ("parts", [hashlib.sha256(b'[[1,"a"]]').hexdigest(), [[1, "a"]]]),
        ("parts", [part_digest(ENTRIES), ["ab"]]),
        ("parts", [part_digest(ENTRIES), [["a", "1", "2"]]]),
        ("parts", [part_digest(ENTRIES), 1]),
        ("successes", [1, "t", KEY, 1.0]),
        ("successes", ["w", 1, KEY, 1.0]),
        ("successes", ["w", "t", KEY, True]),
        ("durations", [1, "t", [1], 1.0]),
        ("durations", ["w", 1, [1], 1.0]),
        ("durations", ["w", "t", [], 1.0]),
        ("durations", ["w", "t", 1, 1.0]),
        ("durations", ["w", "t", ["1"], 1.0]),
        ("durations", ["w", "t", [-1], 1.0]),
        ("outcomes", ["x", "t", 1, "r", 1.0]),
        ("outcomes", [KEY, 1, 1, "r", 1.0]),
        ("outcomes", [KEY, "t", 2, "r", 1.0]),
        ("outcomes", [KEY, "t", 1, 1, 1.0]),
        ("outcomes", [KEY, "t", 1, "r", "now"]),
        ("memo", [1, "k", "AAE="]),
        ("memo", ["n", 1, "AAE="]),
        ("memo", ["n", "k", 1]),
        ("memo", ["n", "k", 1234]),
        ("memo", ["n", "k", "A"]),
        ("results", [1, []]),
        ("results", [KEY, []]),
        ("results", {"key": KEY}),
    ],
)
def test_rows_of_another_shape_are_refused(
    open_store: OpenStore, empty: Path, tmp_path: Path, name: str, row: object
) -> None:
    """One row that this engine would not write makes the whole archive an error."""
    there = open_store(tmp_path / "there")
    with pytest.raises(ArchiveError, match=name):
        there.unpack(with_row(empty, name, row, tmp_path / "bad"))
    there.pack(tmp_path / "again")
    assert members(tmp_path / "again") == members(empty)


FIELDS = ["t", {}, [], [], 1.0, 1.0, "0.1.0"]
FILE = ["a", KEY, 1, False]


@pytest.mark.parametrize(
    "fields",
    [
        "seven!!", {}, FIELDS[:-1], [*FIELDS, 1],
        *([*FIELDS[:index], value, *FIELDS[index + 1 :]]
          for index, value in enumerate([1, [], {}, {}, "1", "1", 1])),
        *([*FIELDS[:index], None, *FIELDS[index + 1 :]] for index in range(7)),
    ],
)  # fmt: skip
def test_results_of_another_shape_are_named(store: Store, empty: Path, fields: object) -> None:
    """Whichever field of a result is not what it should be, the result is no result."""
    bad = with_row(empty, "results", [KEY, fields], empty.with_name("bad"))
    with pytest.raises(ArchiveError, match=r"read: the result has an unknown shape$"):
        store.unpack(bad)


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize(
    "file",
    [
        "four", {}, None, FILE[:-1], [*FILE, 1],
        [1, *FILE[1:]], ["a", 1, 1, False], ["a", [0] * 64, 1, False], ["a", "1" * 63, 1, False],
        ["a", KEY, "1", False], ["a", KEY, 1.0, False], ["a", KEY, True, False],
        ["a", KEY, -1, False], ["a", KEY, 1, 1], ["a", KEY, 1, None],
    ],
)  # fmt: skip
def test_files_of_another_shape_are_named(
    store: Store, empty: Path, file: object, place: int
) -> None:
    """Whichever field of a file is not what it should be, its result is no result."""
    fields = [*FIELDS[:place], [file], *FIELDS[place + 1 :]]
    bad = with_row(empty, "results", [KEY, fields], empty.with_name("bad"))
    with pytest.raises(ArchiveError, match=r"read: a file of the result has an unknown shape$"):
        store.unpack(bad)


def test_bytes_that_no_result_needs_are_refused(
    open_store: OpenStore, store: Store, item: MakeItem, tmp_path: Path
) -> None:
    """An archive cannot fill the disk with what nothing refers to."""
    store.put(*item("a"))
    store.pack(tmp_path / "good")
    changed = {**members(tmp_path / "good"), "results.jsonl": b""}
    with tarfile.open(tmp_path / "bad", "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in changed.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with pytest.raises(ArchiveError, match=r": it holds bytes that no result needs$"):
        open_store(tmp_path / "there").unpack(tmp_path / "bad")


def test_manifests_travel_with_the_keys_asked_for(
    store: Store, digest: Digest, tmp_path: Path
) -> None:
    """What explains other results stays here, and a part that is gone keeps nothing from going."""
    lost = part_digest((("b", "2"),))
    store.manifests.put(
        {digest("a"): {"p": part_digest(ENTRIES), "q": lost}, digest("b"): {"q": lost}},
        {part_digest(ENTRIES): ENTRIES},
    )
    store.pack(tmp_path / "some", keys=[digest("a")])
    assert [row[0] for row in rows(tmp_path / "some", "manifests")] == [digest("a")]
    assert rows(tmp_path / "some", "parts") == [[part_digest(ENTRIES), [["a", "1"]]]]


def test_a_long_table_arrives_whole(open_store: OpenStore, tmp_path: Path) -> None:
    """A table of more than a mebibyte is what it was, byte by byte."""
    here, there = open_store(), open_store(tmp_path / "there")
    values = {str(number): bytes([number]) * 1_000_000 for number in range(3)}
    here.memo.put_many("n", values)
    here.pack(tmp_path / "packed")
    there.unpack(tmp_path / "packed")
    assert there.memo.get_many("n", values) == values


def test_several_results_are_counted(open_store: OpenStore, item: MakeItem, tmp_path: Path) -> None:
    """Packing and unpacking say how many results they moved."""
    here, there = open_store(), open_store(tmp_path / "there")
    here.put_many([item(word) for word in "abc"])
    assert here.pack(tmp_path / "packed") == 3
    there.put(*item("a"))
    assert there.unpack(tmp_path / "packed") == 2


def test_the_sound_results_are_those_that_are_packed(
    open_store: OpenStore, item: MakeItem, directory: Path, tmp_path: Path
) -> None:
    """Beside a result whose bytes are damaged, the others arrive whole."""
    here, there = open_store(), open_store(tmp_path / "there")
    damaged, *sound = (item(word) for word in "abc")
    here.put_many([damaged, *sound])
    digest = damaged[0].artifacts[0].digest
    (directory / "blobs-v1" / digest[:2] / digest).write_bytes(b"damaged")
    here.pack(tmp_path / "packed")
    assert there.unpack(tmp_path / "packed") == 2
    keys = {result.key for result, _ in sound}
    assert there.lookup_many([damaged[0].key, *keys]).keys() == keys


def test_neither_name_nor_time_is_in_an_archive(empty: Path) -> None:
    """Nothing of the moment or the place is in the header, so that equal contents are equal."""
    assert empty.read_bytes()[:10].hex() == "1f8b08" + "00" + "00000000" + "00" + "ff"
    assert gzip.decompress(empty.read_bytes())[:10] == b"cache.json"


def test_a_store_that_cannot_be_written_takes_nothing(
    open_store: OpenStore, empty: Path, tmp_path: Path
) -> None:
    """A read-only store imports no result and says so."""
    with open_store(tmp_path / "there"):
        pass
    assert open_store(tmp_path / "there", read_only=True).unpack(empty) == 0


def test_a_store_that_fails_to_write_takes_nothing(
    open_store: OpenStore, item: MakeItem, directory: Path, tmp_path: Path
) -> None:
    """Where SQLite refuses the rows no result is counted, and a note has SQLite's words."""
    there = open_store(tmp_path / "there")
    there.put(*item("a"))
    there.pack(tmp_path / "packed")
    store = open_store()
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    connection.close()
    assert store.unpack(tmp_path / "packed") == 0
    assert store.notes == ("the cache cannot be written, results of this run are lost: full",)


def test_a_damaged_store_packs_what_can_be_read(
    open_store: OpenStore, directory: Path, tmp_path: Path
) -> None:
    """Where the database has lost a table, the archive is sound and empty."""
    open_store().close()
    store = open_store(read_only=True)
    with sqlite3.connect(directory / "store-v1.sqlite") as connection:
        connection.execute("DROP TABLE outcomes")
    connection.close()
    assert store.pack(tmp_path / "packed") == 0
    assert rows(tmp_path / "packed", "results") == []
