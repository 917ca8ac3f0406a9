from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monoyard.cache import Item, Store
from monoyard.cache._blobs import BlobDirectory
from monoyard.cache._replay import Replay

MakeItem = Callable[..., Item]
OpenStore = Callable[..., Store]

DATABASE = "store-v1.sqlite"


def contents(directory: Path) -> dict[str, bytes]:
    """Return all files but the side files that SQLite needs even to read."""
    return {
        path.name: path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def blob_path(directory: Path, digest: str) -> Path:
    """Return where the bytes of a digest are."""
    return directory / "blobs-v1" / digest[:2] / digest


@pytest.mark.parametrize("data", [b"xxxxxxxxxx", b"", b"log of ap", None])
def test_damaged_bytes_make_their_result_a_miss(
    store: Store, item: MakeItem, directory: Path, data: bytes | None
) -> None:
    """Bytes that changed or vanished are never handed out, and their result is forgotten."""
    (result, blobs), other = item("api"), item("web")
    store.put_many([(result, blobs), other])
    file = result.artifacts[0]
    path = blob_path(directory, file.digest)
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    assert store.read_blob(file.digest) is None
    assert store.lookup_many([result.key, other[0].key]).keys() == {other[0].key}
    assert store.notes == ("stored files were missing or damaged; their results are misses",)
    assert store.put(result, blobs)
    assert store.read_blob(file.digest) == b"log of api"


def test_damaged_outputs_are_not_restored(
    store: Store, item: MakeItem, directory: Path, tmp_path: Path
) -> None:
    """A hit whose output is damaged leaves the package as it was and becomes a miss."""
    result, blobs = item("web", outputs={"dist/app.js": b"let a"})
    store.put(result, blobs)
    blob_path(directory, result.outputs[0].digest).write_bytes(b"let b")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/app.js").write_bytes(b"mine")
    assert not store.restore(result, tmp_path)
    assert (tmp_path / "dist/app.js").read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["app.js"]
    assert store.lookup_many([result.key]) == {}


def test_guests_do_not_forget_trusted_results(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """A guest that meets damaged bytes removes them, not the trusted row that needs them."""
    trusted, guest = open_store(), open_store(scope="untrusted")
    result, blobs = item("api")
    trusted.put(result, blobs)
    blob_path(directory, result.artifacts[0].digest).write_bytes(b"xxxxxxxxxx")
    assert guest.read_blob(result.artifacts[0].digest) is None
    assert trusted.statistics().results == 1
    assert guest.put(result, blobs)
    assert trusted.read_blob(result.artifacts[0].digest) == b"log of api"


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0garbage" * 99]
)
def test_damaged_database_is_set_aside(
    open_store: OpenStore, item: MakeItem, directory: Path, content: bytes
) -> None:
    """What is no database is renamed, a new one works, and a note tells."""
    directory.mkdir()
    (directory / DATABASE).write_bytes(content)
    store = open_store()
    assert store.put(*item("api"))
    assert len(store.notes) == 1
    assert store.notes == (
        "the cache was damaged (file is not a database); it was set aside as "
        f"{DATABASE}.damaged-1800000000 and a new one begun",
    )
    assert (directory / f"{DATABASE}.damaged-1800000000").read_bytes() == content


def test_database_damaged_while_open_is_replaced(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """Damage that appears under an open store costs the results, and only those."""
    first = open_store()
    first.put_many([item(str(number)) for number in range(200)])
    first.close()
    store = open_store()
    path = directory / DATABASE
    with path.open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * (path.stat().st_size - 4096))
    keys = [item(str(number))[0].key for number in range(200)]
    assert store.lookup_many(keys) == {}
    assert "was damaged" in store.notes[0]
    assert store.put(*item("new"))
    assert open_store().lookup_many([item("new")[0].key])


def test_database_damaged_under_a_reader_is_left_and_named(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """Who may only read leaves the damage to others, and says why nothing was a hit."""
    with open_store() as first:
        first.put_many([item(str(number)) for number in range(200)])
    store = open_store(read_only=True)
    path = directory / DATABASE
    with path.open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * (path.stat().st_size - 4096))
    assert store.lookup_many([item("1")[0].key]) == {}
    assert store.notes[0].startswith("the cache is damaged and was not used: ")
    assert not list(directory.glob("*.damaged-*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DROP TABLE successes", "no such table: successes"),
        ("ALTER TABLE successes RENAME COLUMN key TO other", "no such column: key"),
        ("UPDATE successes SET task = CAST(x'ff' AS TEXT)", "Could not decode to UTF-8 column"),
    ],
)
def test_a_database_of_another_making_is_set_aside(
    open_store: OpenStore, item: MakeItem, directory: Path, change: str, message: str
) -> None:
    """Tables that are not those of this engine count as damage, once they are met."""
    store = open_store()
    store.history.record_successes("w", {"t": item("api")[0].key})
    with sqlite3.connect(directory / DATABASE) as connection:
        connection.execute(change)
    connection.close()
    assert store.history.last_successes("w") == {}
    assert store.notes[0].startswith(f"the cache was damaged ({message}")
    assert store.put(*item("web"))
    assert len(store.notes) == 1


def test_a_question_that_fails_is_a_note(open_store: OpenStore, directory: Path) -> None:
    """Where SQLite has no answer and the file is sound, the default is it, with SQLite's words."""
    store = open_store()
    with sqlite3.connect(directory / DATABASE) as connection:
        connection.execute("DROP TABLE successes")
        connection.execute(
            "CREATE VIEW successes AS SELECT 'w' AS workspace, 't' AS task, 'trusted' AS scope,"
            " abs(-9223372036854775807 - 1) AS key, 1.0 AS at"
        )
    connection.close()
    assert store.history.last_successes("w") == {}
    assert store.notes == ("the cache could not be read: integer overflow",)


def test_a_database_that_turns_out_strange_while_writing_is_set_aside(
    store: Store, item: MakeItem, directory: Path
) -> None:
    """What was to be written is written into the new database."""
    with sqlite3.connect(directory / DATABASE) as connection:
        connection.execute("DROP TABLE successes")
    connection.close()
    keys = {"t": item("api")[0].key}
    store.history.record_successes("w", keys)
    assert store.history.last_successes("w") == keys
    assert store.notes == (
        "the cache was damaged (no such table: successes); it was set aside as "
        f"{DATABASE}.damaged-1800000000 and a new one begun",
    )


def test_second_process_keeps_the_new_database(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """Of two that find the same damage, the later one does not set the repaired file aside."""
    first = open_store()
    first.put_many([item(str(number)) for number in range(200)])
    first.close()
    one, other = open_store(), open_store()
    path = directory / DATABASE
    with path.open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * (path.stat().st_size - 4096))
    keys = [item(str(number))[0].key for number in range(200)]
    one.lookup_many(keys)
    assert one.put(*item("new"))
    other.lookup_many(keys)
    assert other.lookup_many([item("new")[0].key])
    assert len(list(directory.glob("*.damaged-*[0-9]"))) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE results SET document = CAST('[1,2]' AS BLOB)",
        "UPDATE results SET document = CAST(replace(document, 'pass', 'fail') AS BLOB)",
        "UPDATE results SET document = 'text'",
        "UPDATE results SET document = 12",
        "UPDATE results SET document = x'ff'",
        "UPDATE results SET checksum = checksum + 1",
        "UPDATE results SET used_at = 'never'",
    ],
)
def test_rows_with_other_contents_are_misses(
    open_store: OpenStore, item: MakeItem, directory: Path, change: str
) -> None:
    """A row that this engine did not write as it stands is a miss with a note, and goes."""
    result, blobs = item("api")
    first = open_store()
    first.put(result, blobs)
    first.close()
    with sqlite3.connect(directory / DATABASE) as connection:
        connection.execute(change)
    connection.close()
    store = open_store()
    assert store.lookup_many([result.key]) == {}
    assert store.notes == ("results with an unknown shape were found; they are misses",)
    assert store.statistics().results == 0


def test_result_under_the_key_of_another_is_a_miss(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """A sound document counts only under the key and in the scope that it was written for."""
    (result, blobs), (other, _) = item("api"), item("web")
    first = open_store(scope="untrusted")
    first.put(result, blobs)
    first.close()
    for change, value in (("scope", "trusted"), ("key", bytes.fromhex(other.key))):
        with sqlite3.connect(directory / DATABASE) as connection:
            connection.execute(f"UPDATE results SET {change} = ?", (value,))
        connection.close()
        assert open_store(read_only=True).lookup_many([result.key, other.key]) == {}


def test_altered_facts_are_not_handed_out(open_store: OpenStore, directory: Path) -> None:
    """A memo value whose bytes changed on disk is as good as absent."""
    first = open_store()
    first.memo.put_many("imports", {"a": b"json", "b": b"os"})
    first.close()
    with sqlite3.connect(directory / DATABASE) as connection:
        connection.execute("UPDATE memo SET value = x'00' WHERE key = 'a'")
    connection.close()
    assert open_store().memo.get_many("imports", ["a", "b"]) == {"b": b"os"}


def test_read_only_store_reads_and_writes_nothing(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """Asked to be read-only, a store answers, keeps nothing, and does not complain."""
    result, blobs = item("api")
    first = open_store()
    first.put(result, blobs)
    first.close()
    before = contents(directory)
    store = open_store(read_only=True)
    assert store.lookup_many([result.key]) == {result.key: result}
    assert store.read_blob(result.artifacts[0].digest) == b"log of api"
    assert not store.put(*item("web"))
    store.memo.put_many("n", {"a": b"1"})
    store.evict()
    store.close()
    assert contents(directory) == before
    assert store.notes == ()


def test_read_only_store_that_does_not_exist_is_empty(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """Reading where there is nothing finds nothing and makes nothing."""
    store = open_store(read_only=True)
    assert store.lookup_many([item("api")[0].key]) == {}
    assert store.statistics().results == 0
    assert not store.put(*item("api"))
    assert not directory.exists()
    assert store.notes == ()


def test_read_only_store_that_is_damaged_stays_as_it_is(
    open_store: OpenStore, item: MakeItem, directory: Path
) -> None:
    """What cannot be read and may not be repaired is one note, in SQLite's words."""
    directory.mkdir()
    (directory / DATABASE).write_bytes(b"this is no database" * 100)
    store = open_store(read_only=True)
    assert store.lookup_many([item("api")[0].key]) == {}
    assert store.notes == ("the cache cannot be read: file is not a database",)
    assert [path.name for path in directory.iterdir()] == [DATABASE]


def test_read_only_store_leaves_the_log_of_others_alone(
    open_store: OpenStore, store: Store, item: MakeItem, directory: Path, tmp_path: Path
) -> None:
    """What a killed writer left in its log is read, and not moved into the database."""
    result, blobs = item("api")
    store.put(result, blobs)
    shutil.copytree(directory, tmp_path / "copy")
    before = {path: path.read_bytes() for path in (tmp_path / "copy").glob("*.sqlite*")}
    reader = open_store(tmp_path / "copy", read_only=True)
    assert reader.lookup_many([result.key]) == {result.key: result}
    reader.close()
    for name in (DATABASE, f"{DATABASE}-wal"):
        assert (tmp_path / "copy" / name).read_bytes() == before[tmp_path / "copy" / name]


def test_read_only_store_answers_every_thread(open_store: OpenStore, item: MakeItem) -> None:
    """A hit is a hit in whichever thread of a run it is looked up."""
    result, blobs = item("api")
    open_store().put(result, blobs)
    store = open_store(read_only=True)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(store.lookup_many, [result.key]).result()
    assert (found, store.notes) == ({result.key: result}, ())


def test_bytes_that_somebody_brought_back_keep_their_result(
    store: Store, item: MakeItem, directory: Path
) -> None:
    """Between finding bytes damaged and forgetting them a writer may have put them right."""
    result, blobs = item("api")
    store.put(result, blobs)
    digest = result.artifacts[0].digest
    blob_path(directory, digest).write_bytes(b"xxxxxxxxxx")

    class PutRightInBetween(BlobDirectory):
        """The blobs of a process whose look is followed by another's repair."""

        def read(self, digest: str) -> bytes | None:
            found = super().read(digest)
            blob_path(directory, digest).write_bytes(b"log of api")
            return found

    replay = Replay(store._access, PutRightInBetween(directory / "blobs-v1"))  # noqa: SLF001
    assert replay.read(digest) is None
    assert store.lookup_many([result.key]) == {result.key: result}
    assert store.read_blob(digest) == b"log of api"


@pytest.fixture
def ordinary_user(directory: Path) -> Iterator[None]:
    """Give root's rights up, so that the permissions of files count."""
    if os.geteuid() != 0:
        yield
        return
    parents = [parent for parent in directory.parents if parent.stat().st_uid == 0]
    modes = {parent: parent.stat().st_mode & 0o7777 for parent in parents}
    for parent, mode in modes.items():
        if not mode & 0o001:
            parent.chmod(mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in modes.items():
            parent.chmod(mode)


def test_directory_that_cannot_be_written_is_read(
    open_store: OpenStore, item: MakeItem, directory: Path, request: pytest.FixtureRequest
) -> None:
    """Without write permission hits are found, and one note says that nothing is kept."""
    result, blobs = item("api")
    first = open_store()
    first.put(result, blobs)
    first.close()
    for path in [*directory.rglob("*"), directory]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    request.getfixturevalue("ordinary_user")
    store = open_store()
    assert store.lookup_many([result.key]) == {result.key: result}
    assert store.read_blob(result.artifacts[0].digest) == b"log of api"
    assert not store.put(*item("web"))
    assert not store.put(*item("docs"))
    assert len(store.notes) == 1
    assert "cannot be written" in store.notes[0]
    store.close()


def test_a_place_that_is_closed_is_named_with_the_reason(
    store: Store,
    item: MakeItem,
    directory: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Where nothing may be written nothing is put, and the note says why."""
    result, blobs = item("api")
    store.put(result, blobs)
    closed = tmp_path / "closed"
    closed.mkdir()
    for path in (*directory.rglob("*"), directory, closed):
        path.chmod(0o555 if path.is_dir() else 0o644)
    request.getfixturevalue("ordinary_user")
    assert not store.materialise(result.artifacts[0], closed / "log")
    assert store.notes == (f"{closed / 'log'} could not be restored: Permission denied",)
    assert not store.put(*item("web"))
    assert "results of this run are lost: [Errno 13] Permission denied" in store.notes[-1]


def test_damage_that_may_not_be_set_aside_is_named(
    open_store: OpenStore, item: MakeItem, directory: Path, request: pytest.FixtureRequest
) -> None:
    """Where a damaged file cannot be renamed it stays, and one note says why nothing is kept."""
    with open_store() as first:
        first.put_many([item(str(number)) for number in range(200)])
    store = open_store()
    path = directory / DATABASE
    with path.open("r+b") as handle:
        handle.seek(4096)
        handle.write(b"\xff" * (path.stat().st_size - 4096))
    directory.chmod(0o555)
    request.getfixturevalue("ordinary_user")
    assert store.lookup_many([item("1")[0].key]) == {}
    assert len(store.notes) == 1
    assert "results of this run are lost: [Errno 13] Permission denied" in store.notes[0]
    assert path.exists()


def test_bytes_that_may_not_be_seen_are_not_swept(
    store: Store, item: MakeItem, directory: Path, request: pytest.FixtureRequest
) -> None:
    """Where the bytes are out of reach an eviction ends with a note that says why."""
    store.put(*item("a"))
    (directory / "blobs-v1").chmod(0o000)
    for path in (directory, *directory.glob("*.sqlite*")):
        path.chmod(0o777)
    request.getfixturevalue("ordinary_user")
    store.evict()
    assert len(store.notes) == 1
    assert "results of this run are lost: [Errno 13] Permission denied" in store.notes[0]


_FULL_DISK = """
import resource, sys
from pathlib import Path
from monoyard.cache import Store, StoredFile, StoredResult

def store(word, size):
    data = word.encode() * size
    file = StoredFile.of_bytes("log", data)
    key = StoredFile.of_bytes("", word.encode()).digest
    result = StoredResult(key, word, {}, artifacts=(file,))
    return cache.put(result, {file.digest: data}), key

with Store.open(Path(sys.argv[1]), limit_bytes=1 << 30) as cache:
    was_stored, key = store("a", 10)
    assert was_stored, cache.notes
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    assert not store("b", 30_000)[0]
    assert not store("c", 10)[0]
    assert cache.lookup_many([key])
    assert cache.read_blob(cache.lookup_many([key])[key].artifacts[0].digest) == b"a" * 10
    print(*cache.notes, sep="\\n")
"""


def test_full_disk_is_one_note(directory: Path, open_store: OpenStore) -> None:
    """When nothing more can be written reading goes on, and one note is made, not one per task."""
    finished = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("\n") == 1
    assert finished.stdout.endswith("are lost: [Errno 27] File too large\n")
    assert open_store().statistics().results == 1
    assert list((directory / "blobs-v1" / "incoming").iterdir()) == []


def test_place_that_cannot_be_a_store_is_a_note(
    open_store: OpenStore, item: MakeItem, tmp_path: Path
) -> None:
    """A file where the directory should be costs the cache, not the run."""
    (tmp_path / "taken").write_text("")
    store = open_store(tmp_path / "taken" / "cache")
    assert not store.put(*item("api"))
    assert store.lookup_many([item("api")[0].key]) == {}
    assert len(store.notes) == 1
    assert "results of this run are lost: [Errno 20] Not a directory" in store.notes[0]
    (tmp_path / "odd" / DATABASE).mkdir(parents=True)
    assert not open_store(tmp_path / "odd").put(*item("api"))
    assert open_store(tmp_path / "odd").notes == (
        "the cache cannot be written, results of this run are lost: unable to open database file",
        "the cache cannot be read: unable to open database file",
    )
