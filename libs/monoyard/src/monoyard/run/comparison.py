"""Two runs beside each other, task by task: the same key, or the first input that differs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from monoyard.cache import Difference, Entries, Store, differences
from monoyard.errors import UsageError
from monoyard.run.inputs import INPUTS_FILE

_SCHEMA: Final = "https://monoyard.dev/schemas/run.json"
_VERSION: Final = 1
_DIGEST: Final = re.compile("[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """What a run left.

    Attributes:
        name: Id of the run.
        verdict: Its verdict.
        keys: Task id to key, for the tasks that were part of it; None where it had no key.
        outcomes: Task id to outcome.
        manifests: Task id to the name and digest of each part, as far as they came along.
        parts: Digest to what stands behind it, as far as that came along.
    """

    name: str
    verdict: str
    keys: Mapping[str, str | None]
    outcomes: Mapping[str, str]
    manifests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parts: Mapping[str, Entries] = field(default_factory=dict)


class Likeness(StrEnum):
    """What two runs have in common about a task."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_A = "only-a"
    ONLY_B = "only-b"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Compared:
    """One task of two runs.

    Attributes:
        task: Its id.
        likeness: What they have in common.
        outcomes: How it ended in each; empty where it did not end.
        differences: What differs between the keys, in the order in which keys are made.
        problem: Why keys that differ, or are missing, cannot be compared.
    """

    task: str
    likeness: Likeness
    outcomes: tuple[str, str] = ("", "")
    differences: tuple[Difference, ...] = ()
    problem: str = ""


def read_record(path: Path) -> Record:
    """Read what a run left: its `run.json`, or what `--json` has written.

    Raises:
        UsageError: It is none.
    """
    try:
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict) or data["schema"] != _SCHEMA or data["version"] != _VERSION:
            raise UsageError(f"{path} is no record of a run that this version reads")
        beside = path.with_name(INPUTS_FILE)
        if "inputs" not in data and path.name == "run.json" and beside.exists():
            data["inputs"] = json.loads(beside.read_bytes())
        return _record(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path} is no record of a run") from None


def compare(first: Record, second: Record, store: Store) -> tuple[Compared, ...]:
    """Compare two runs.

    Args:
        first: One run, called A.
        second: The other, called B.
        store: Asked for what neither record brought along.
    """
    a, b = _Side("A", first, store), _Side("B", second, store)
    tasks = dict.fromkeys((*first.keys, *second.keys))
    return tuple(_compare(task, a, b, store) for task in tasks)


class _Side:
    """One record, completed by the store."""

    def __init__(self, name: str, record: Record, store: Store) -> None:
        self.name = name
        self.record = record
        self._stored = store.manifests.get_many([key for key in record.keys.values() if key])

    def manifest(self, task: str) -> Mapping[str, str] | None:
        """Return the parts of a task's key, or None where nobody knows them."""
        return self.record.manifests.get(task) or self._stored.get(self.record.keys[task] or "")


def _compare(task: str, a: _Side, b: _Side, store: Store) -> Compared:
    if task not in b.record.keys:
        return Compared(task, Likeness.ONLY_A)
    if task not in a.record.keys:
        return Compared(task, Likeness.ONLY_B)
    ended = (a.record.outcomes.get(task, ""), b.record.outcomes.get(task, ""))
    for side in (a, b):
        if side.record.keys[task] is None:
            problem = f"it has no key in {side.name}, which used no store or did not run it"
            return Compared(task, Likeness.UNKNOWN, ended, problem=problem)
    if a.record.keys[task] == b.record.keys[task]:
        return Compared(task, Likeness.SAME, ended)
    old, new = a.manifest(task), b.manifest(task)
    if old is None or new is None:
        missing = " and ".join(side.name for side, found in ((a, old), (b, new)) if found is None)
        problem = (
            f"what its key in {missing} was made from came with no record and is not kept here"
        )
        return Compared(task, Likeness.DIFFERS, ended, problem=problem)

    def part(digest: str) -> Entries | None:
        for side in (a, b):
            if (found := side.record.parts.get(digest)) is not None:
                return found
        return store.manifests.part(digest)

    found = differences(old, new, part)
    problem = "" if found else "its parts are the same: the keys were made by different engines"
    return Compared(task, Likeness.DIFFERS, ended, found, problem)


def _record(data: Mapping[str, Any]) -> Record:
    planned = [task for task in data["plan"]["tasks"] if task["state"] != "not-selected"]
    inputs = data.get("inputs") or {"tasks": {}, "parts": {}}
    return Record(
        str(data["run"]),
        str(data["verdict"]),
        {task["id"]: task["key"] for task in planned},
        {result["task"]: result["outcome"] for result in data["results"]},
        {task: dict(_digests(parts)) for task, parts in inputs["tasks"].items()},
        {digest: tuple(_pairs(rows)) for digest, rows in inputs["parts"].items()},
    )


def _digests(parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, digest in parts.items():
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a digest: {digest!r}")
        yield name, digest


def _pairs(rows: Any) -> Iterator[tuple[str, str]]:
    for label, value in rows:
        yield str(label), str(value)
