from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monoyard.cache import ArchiveError, Item, Outcome, Store, part_digest

MakeItem = Callable[..., Item]
OpenStore = Callable[..., Store]
Digest = Callable[[str], str]
Members = dict[str, bytes]


def fill(store: Store, item: MakeItem) -> Item:
    """Put one row into every table and return the result."""
    result, blobs = item("web", outputs={"dist/app.js": b"let a"})
    store.put(result, blobs)
    entries = (("a", "1"),)
    store.manifests.put({result.key: {"p": part_digest(entries)}}, {part_digest(entries): entries})
    store.history.record_successes("w", {"web:unit": result.key})
    store.history.record_durations("w", {"web:unit": 2.0})
    store.history.record_outcomes(
        [Outcome(result.key, "web:unit", passed, "r", 1.0) for passed in (True, False)]
    )
    store.memo.put_many("imports", {"a": b"\x00json"})
    return result, blobs


def unpacked(file: Path) -> Members:
    """Return the files of an archive, read by the standard library."""
    with tarfile.open(file, "r:gz") as archive:
        return {
            member.name: handle.read()
            for member in archive
            if (handle := archive.extractfile(member)) is not None
        }


def packed(file: Path, members: Members) -> Path:
    """Write an archive with these files by the standard library."""
    with tarfile.open(file, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def test_everything_of_a_scope_travels(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """On another machine the archive gives the same hits, bytes, reasons and estimates."""
    here, there = open_store(), open_store(tmp_path / "there")
    result, _ = fill(here, item)
    assert here.pack(tmp_path / "packed") == 1
    assert there.unpack(tmp_path / "packed") == 1
    assert there.lookup_many([result.key]) == {result.key: result}
    assert there.read_blob(result.outputs[0].digest) == b"let a"
    assert there.manifests.get_many([result.key]) == here.manifests.get_many([result.key])
    assert there.manifests.part(part_digest((("a", "1"),))) == (("a", "1"),)
    assert there.history.last_successes("w") == {"web:unit": result.key}
    assert there.history.estimates("w") == {"web:unit": 2.0}
    assert there.history.flaky() == here.history.flaky()
    assert there.memo.get_many("imports", ["a"]) == {"a": b"\x00json"}


def test_archive_of_the_same_contents_has_the_same_bytes(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """Neither the order of writing nor the time of packing shows."""
    one, other = open_store(), open_store(tmp_path / "other")
    one.put_many([item("a"), item("b")])
    other.put_many([item("b"), item("a")])
    one.pack(tmp_path / "1")
    other.pack(tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_only_the_keys_asked_for_are_packed(store: Store, item: MakeItem, tmp_path: Path) -> None:
    """A job packs what its run used and nothing else."""
    wanted = item("a")
    store.put_many([wanted, item("b")])
    assert store.pack(tmp_path / "some", keys=[wanted[0].key]) == 1
    digests = {file.digest for file in wanted[0].files()}
    blobs = {name for name in unpacked(tmp_path / "some") if name.startswith("blobs/")}
    assert blobs == {f"blobs/{digest}" for digest in digests}


def test_unpacking_again_changes_nothing(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """What is there already is kept, and nothing is counted twice."""
    store = open_store()
    fill(store, item)
    store.pack(tmp_path / "packed")
    before = store.history.flaky()
    assert store.unpack(tmp_path / "packed") == 0
    assert store.history.flaky() == before


def test_damaged_results_stay_out_of_the_archive(
    store: Store, item: MakeItem, tmp_path: Path, directory: Path
) -> None:
    """A result whose bytes are damaged is left out with a note, the rest is packed."""
    (result, blobs), other = item("a"), item("b")
    store.put_many([(result, blobs), other])
    digest = result.artifacts[0].digest
    (directory / "blobs-v1" / digest[:2] / digest).write_bytes(b"damaged")
    assert store.pack(tmp_path / "packed") == 1
    assert store.notes == ("results with missing or damaged files were not packed",)


def test_scopes_stay_apart_on_the_way(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """A guest's results never become trusted, and a guest cannot write trusted ones."""
    trusted, guest = open_store(), open_store(scope="untrusted")
    ours, theirs = item("ours"), item("theirs")
    trusted.put(*ours)
    guest.put(*theirs)
    guest.pack(tmp_path / "theirs")
    trusted.pack(tmp_path / "ours")
    there = open_store(tmp_path / "there")
    with pytest.raises(ArchiveError, match="must not become trusted") as caught:
        there.unpack(tmp_path / "theirs")
    assert caught.value.hint == "unpack it into its own scope"
    with pytest.raises(ArchiveError, match="may not write results of scope trusted"):
        open_store(tmp_path / "there", scope="untrusted").unpack(tmp_path / "ours", scope="trusted")
    with pytest.raises(ArchiveError, match="not readable"):
        trusted.pack(tmp_path / "theirs", scope="untrusted")
    assert there.statistics().results == 0
    there.unpack(tmp_path / "theirs", scope="untrusted")
    assert there.lookup_many([theirs[0].key]) == {}
    assert there.statistics().results_by_scope == {"untrusted": 1}


def is_empty(store: Store, directory: Path) -> bool:
    """Say whether nothing at all was imported, bytes under temporary names included."""
    files = [path for path in (directory / "blobs-v1").rglob("*") if path.is_file()]
    return store.statistics().results == 0 and not files


OTHER = "0" * 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("cache.json"), ": it is not an archive of the cache"),
        (
            lambda m: m.update({"cache.json": b'{"format": 2}'}),
            ": it has a format of another version",
        ),
        (lambda m: m.update({"cache.json": b"[]"}), "another version"),
        (lambda m: m.update({"cache.json": b" " * 65537}), "cache.json is too large"),
        (lambda m: m.pop("parts.jsonl"), "the parts are missing"),
        (lambda m: m.update({"../evil": b"x"}), "'../evil' does not belong there"),
        (lambda m: m.update({"blobs/../../evil": b"x"}), "does not belong there"),
        (lambda m: m.update({f"blobs/{OTHER}": b"x"}), "0 changed while it was being stored"),
        (lambda m: m.update({"results.jsonl": b"["}), "the results cannot be read"),
        (lambda m: m.update({"results.jsonl": b"[" * 99999}), "the results cannot be read"),
        (lambda m: m.update({"results.jsonl": b"[1]\n"}), "the results cannot be read"),
        (lambda m: m.update({"memo.jsonl": b'["n", "k", "***"]'}), "the memo cannot be read"),
        (lambda m: m.update({"memo.jsonl": b'["n", "\\ud800", ""]'}), "the memo cannot be read"),
        (lambda m: m.update({"parts.jsonl": b'["%s", []]' % OTHER.encode()}), "a row of parts"),
        (lambda m: m.update({"durations.jsonl": b'["w", "t", [NaN], 1]'}), "a row of durations"),
        (lambda m: m.update({"durations.jsonl": b'["w", "t", [1], 1e999]'}), "a row of durations"),
        (lambda m: m.update({"successes.jsonl": b'["w", "t", "k", 1]'}), "a row of successes"),
        (lambda m: m.update({"outcomes.jsonl": b'["%s", "t", 7, "r", 1]' % OTHER.encode()}), "row"),
    ],
)
def test_strange_archives_are_refused_whole(
    open_store: OpenStore,
    item: MakeItem,
    tmp_path: Path,
    change: Callable[[Members], object],
    message: str,
) -> None:
    """An archive with one wrong thing is one clear error, and nothing of it is imported."""
    here, there = open_store(), open_store(tmp_path / "there")
    fill(here, item)
    here.pack(tmp_path / "good")
    members = unpacked(tmp_path / "good")
    change(members)
    with pytest.raises(ArchiveError, match=r".*") as caught:
        there.unpack(packed(tmp_path / "bad", members))
    assert message in str(caught.value)
    assert caught.value.code == "cache-archive"
    assert is_empty(there, tmp_path / "there")
    assert there.notes == ()


def test_a_header_may_be_as_long_as_its_limit(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """What an archive says of itself may fill 64 KiB to the last byte."""
    here, there = open_store(), open_store(tmp_path / "there")
    fill(here, item)
    here.pack(tmp_path / "good")
    members = unpacked(tmp_path / "good")
    members["cache.json"] = members["cache.json"].ljust(65536)
    assert there.unpack(packed(tmp_path / "long", members)) == 1


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a\\u0000b", ""])
def test_paths_that_leave_the_package_are_refused(
    open_store: OpenStore, item: MakeItem, tmp_path: Path, path: str
) -> None:
    """An output that would be restored elsewhere makes the archive malformed."""
    here, there = open_store(), open_store(tmp_path / "there")
    fill(here, item)
    here.pack(tmp_path / "good")
    members = unpacked(tmp_path / "good")
    rows = members["results.jsonl"].replace(b"dist/app.js", path.encode())
    assert rows != members["results.jsonl"]
    with pytest.raises(ArchiveError, match="not a path below a package"):
        there.unpack(packed(tmp_path / "bad", {**members, "results.jsonl": rows}))
    assert is_empty(there, tmp_path / "there")


def test_missing_bytes_are_refused(open_store: OpenStore, item: MakeItem, tmp_path: Path) -> None:
    """A result without its bytes is not imported, nor is anything else."""
    here, there = open_store(), open_store(tmp_path / "there")
    result, _ = fill(here, item)
    here.pack(tmp_path / "good")
    members = unpacked(tmp_path / "good")
    del members[f"blobs/{result.outputs[0].digest}"]
    with pytest.raises(ArchiveError, match=r"the bytes of 'dist/app.js' are missing"):
        there.unpack(packed(tmp_path / "bad", members))
    assert is_empty(there, tmp_path / "there")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
)
def test_anything_but_files_is_refused(store: Store, tmp_path: Path, kind: bytes) -> None:
    """Links, directories and pipes have no business in an archive."""
    with tarfile.open(tmp_path / "bad", "w:gz") as archive:
        member = tarfile.TarInfo("cache.json")
        member.type = kind
        member.linkname = "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(ArchiveError, match=": the archive holds something else than plain files"):
        store.unpack(tmp_path / "bad")


def test_bombs_are_stopped_at_the_limit(open_store: OpenStore, tmp_path: Path) -> None:
    """An archive that unpacks to more than the store may hold is refused on the way."""
    store = open_store(limit_bytes=1)
    header = json.dumps({"format": 1, "scope": "trusted"}).encode()
    bomb = bytes(20 << 20)
    digest = "d" * 64
    packed(tmp_path / "bomb", {"cache.json": header, f"blobs/{digest}": bomb})
    assert (tmp_path / "bomb").stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match="unpacks to more than the cache may hold"):
        store.unpack(tmp_path / "bomb")


def test_an_archive_may_hold_twice_the_limit(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """An archive is taken up to the last byte that it may unpack to, its empty end not counted."""
    here = open_store()
    here.put(*item("a", log=bytes(17 << 20)))
    here.pack(tmp_path / "packed")
    enough = (len(gzip.decompress((tmp_path / "packed").read_bytes())) - 512) // 2
    with pytest.raises(ArchiveError, match=": it unpacks to more than the cache may hold"):
        open_store(tmp_path / "there", limit_bytes=enough - 1).unpack(tmp_path / "packed")
    assert open_store(tmp_path / "there", limit_bytes=enough).unpack(tmp_path / "packed") == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", *(gzip.compress(one, mtime=0) for one in (b"", b"x" * 512, bytes(1024)))],
)
def test_other_files_are_refused(store: Store, tmp_path: Path, content: bytes) -> None:
    """Whatever is no archive at all is one error as well."""
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ArchiveError, match="/bad was not imported: "):
        store.unpack(tmp_path / "bad")


def test_missing_archive_and_place_are_errors(store: Store, tmp_path: Path) -> None:
    """A path that cannot be read or written is named."""
    with pytest.raises(ArchiveError, match=r"gone could not be unpacked"):
        store.unpack(tmp_path / "gone")
    with pytest.raises(ArchiveError, match=r"could not be written"):
        store.pack(tmp_path / "no" / "such" / "place")


@pytest.fixture
def good_archive(open_store: OpenStore, item: MakeItem, tmp_path: Path) -> tuple[bytes, str]:
    """Return the tar of a filled store and the key of its result."""
    store = open_store()
    result, _ = fill(store, item)
    store.pack(tmp_path / "good")
    return gzip.decompress((tmp_path / "good").read_bytes()), result.key


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255), cut=st.booleans())
def test_no_flipped_bit_is_believed(
    open_store: OpenStore,
    good_archive: tuple[bytes, str],
    tmp_path: Path,
    position: float,
    value: int,
    cut: bool,
) -> None:
    """Wherever an unpacked archive is changed or cut, all is refused or all of it holds."""
    plain, key = good_archive
    index = int(position * len(plain))
    rest = b"" if cut else bytes([plain[index] ^ value]) + plain[index + 1 :]
    (tmp_path / "bad").write_bytes(gzip.compress(plain[:index] + rest, 1))
    store = open_store(tmp_path / "there")
    store.clear()
    try:
        store.unpack(tmp_path / "bad")
    except ArchiveError:
        assert is_empty(store, tmp_path / "there")
    else:
        for found in store.lookup_many([key]).values():
            assert all(store.read_blob(file.digest) is not None for file in found.files())
    finally:
        store.close()
