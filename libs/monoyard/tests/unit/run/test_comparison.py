"""Two records beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monoyard.cache import Difference, Entries, Store, part_digest
from monoyard.errors import UsageError
from monoyard.run import Compared, Likeness, Record, compare, read_record

KEYS = {"a": "a" * 64, "b": "b" * 64}
FILES: Entries = (("x.py", "1"), ("y.py", "1"))
OTHER: Entries = (("x.py", "1"), ("y.py", "2"))
LOCK: Entries = (("pytest", "9.0 proof"),)


def record(name: str, key: str | None, outcome: str = "pass", **parts: Entries) -> Record:
    """Return a run of one task, with what its key was made from."""
    manifest = {part.replace("_", " "): part_digest(entries) for part, entries in parts.items()}
    known = {part_digest(entries): entries for entries in parts.values()}
    manifests = {"a:unit": manifest} if manifest else {}
    return Record(name, "pass", {"a:unit": key}, {"a:unit": outcome}, manifests, known)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that knows nothing."""
    with Store.open(tmp_path / "store", limit_bytes=1 << 30) as opened:
        yield opened


def only(first: Record, second: Record, store: Store) -> Compared:
    """Compare two runs of one task."""
    (found,) = compare(first, second, store)
    return found


def test_the_same_key_is_the_same(store: Store) -> None:
    """A key is all that can change a result: tasks with one key differ in nothing but outcome."""
    found = only(record("1", KEYS["a"]), record("2", KEYS["a"], "fail"), store)
    assert found == Compared("a:unit", Likeness.SAME, ("pass", "fail"))


def test_entries_that_differ_are_named(store: Store) -> None:
    """Of keys that differ every entry that does is told, in the order in which keys are made."""
    first = record("1", KEYS["a"], files_of_a=FILES, lock=LOCK)
    second = record("2", KEYS["b"], files_of_a=OTHER)
    found = only(first, second, store)
    assert (found.likeness, found.problem) == (Likeness.DIFFERS, "")
    assert found.differences == (
        Difference("files of a", "y.py", "changed", "1", "2"),
        Difference("lock", "pytest", "removed", "9.0 proof"),
    )


def test_store_completes_a_record(store: Store) -> None:
    """What a record did not bring along is taken from the store."""
    digest = part_digest(FILES)
    store.manifests.put({KEYS["a"]: {"files of a": digest}}, {digest: FILES})
    bare = Record("1", "pass", {"a:unit": KEYS["a"]}, {})
    found = only(bare, record("2", KEYS["b"], files_of_a=OTHER), store)
    assert found.differences == (Difference("files of a", "y.py", "changed", "1", "2"),)


def test_missing_manifest_is_said(store: Store) -> None:
    """Where nobody knows what a key was made from, that is told, with the side that lacks it."""
    bare = Record("1", "pass", {"a:unit": KEYS["a"]}, {})
    found = only(bare, record("2", KEYS["b"], files_of_a=OTHER), store)
    assert (found.likeness, found.differences) == (Likeness.DIFFERS, ())
    said = "what its key in {} was made from came with no record and is not kept here"
    assert found.problem == said.format("A")
    other = Record("2", "pass", {"a:unit": KEYS["b"]}, {})
    assert only(bare, other, store).problem == said.format("A and B")


def test_missing_entries_are_said(store: Store) -> None:
    """A part whose entries nobody has is still named."""
    first, second = record("1", KEYS["a"], lock=LOCK), record("2", KEYS["b"], lock=FILES)
    bare = Record("2", "pass", second.keys, {}, second.manifests)
    assert only(first, bare, store).differences == (Difference("lock", "", "unknown"),)


def test_tasks_of_one_run_alone_are_told(store: Store) -> None:
    """A task that the other run lacked, or that has no key there, is compared with nothing."""
    more = Record("2", "pass", {"a:unit": None, "b:unit": KEYS["b"]}, {})
    found = compare(record("1", KEYS["a"]), more, store)
    assert [item.likeness for item in found] == [Likeness.UNKNOWN, Likeness.ONLY_B]
    assert found[0].problem.startswith("it has no key in B")
    assert compare(more, record("1", KEYS["a"]), store)[1].likeness is Likeness.ONLY_A


@pytest.mark.parametrize(
    "data",
    [
        None, [], {}, {"schema": "https://monoyard.dev/schemas/plan.json", "version": 1},
        {"schema": "https://monoyard.dev/schemas/run.json", "version": 2},
        {"schema": "https://monoyard.dev/schemas/run.json", "version": 1, "plan": []},
        {
            "schema": "https://monoyard.dev/schemas/run.json", "version": 1, "plan": {"tasks": []},
            "run": "1", "verdict": "pass", "results": [],
            "inputs": {"tasks": {"a:unit": {"lock": "../x"}}, "parts": {}},
        },
    ],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, data: Any) -> None:
    """A file that is no record of a run is one usage error that names it."""
    path = tmp_path / "it.json"
    path.write_text("{" if data is None else json.dumps(data), encoding="utf-8")
    with pytest.raises(UsageError, match=r"it\.json is no record of a run"):
        read_record(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_record(tmp_path / "nothing")
