"""What a release changes in a cluster: live objects against what an API server would make of them.

Both sides come from the API server, one of them from a server-side dry run, so that defaults and
fields of other owners are on both and only what would really change is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from monoyard.delivery.objects import Object

# What the API server counts and notes by itself.
_NOT_DECIDED: Final = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
)
_NOTED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_FIELDS: Final = frozenset({"data", "stringData"})
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that changes.

    Attributes:
        path: Where it is: `spec.template.spec.containers[api].image`.
        before: Its value as JSON; empty where it is not there.
        after: What it becomes, likewise.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object that changes.

    Attributes:
        name: `Kind/name`.
        action: What becomes of it.
        fields: For a changed one, what changes in it.
    """

    name: str
    action: Literal["added", "changed", "removed"]
    fields: tuple[FieldChange, ...] = ()


def compare(live: Iterable[Object], wanted: Iterable[Object]) -> tuple[ObjectChange, ...]:
    """Return what changes, by name of the object.

    Args:
        live: The objects that the release has now.
        wanted: The objects that it would have, as a server-side dry run returns them.

    Returns:
        The objects that differ. Contents of Secrets are never in it.
    """
    before, after = _by_name(live), _by_name(wanted)
    changes = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            changes.append(ObjectChange(name, "added"))
        elif name not in after:
            changes.append(ObjectChange(name, "removed"))
        elif fields := tuple(_fields(name, before[name], after[name])):
            changes.append(ObjectChange(name, "changed", fields))
    return tuple(changes)


def _by_name(things: Iterable[Object]) -> dict[str, Object]:
    return {f"{thing['kind']}/{thing['metadata']['name']}": thing for thing in things}


def _fields(name: str, before: Object, after: Object) -> Iterator[FieldChange]:
    is_secret = name.startswith("Secret/")
    for path, old, new in _differences((), _decided(before), _decided(after)):
        told = _hidden if is_secret and path[0] in _SECRET_FIELDS else _value
        yield FieldChange(_written(path), told(old), told(new))


def _decided(thing: Object) -> dict[str, Any]:
    """Return an object without its status and what the API server notes."""
    metadata = {
        name: value for name, value in thing["metadata"].items() if name not in _NOT_DECIDED
    }
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(_NOTED, None)
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    rest = {name: value for name, value in thing.items() if name not in ("metadata", "status")}
    return {**rest, "metadata": metadata}


def _differences(
    path: tuple[str, ...], before: Any, after: Any
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            inner = (*path, name)
            yield from _differences(inner, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif _is_named(before) and _is_named(after):
        old, new = ({item["name"]: item for item in items} for items in (before, after))
        for name in sorted(old.keys() | new.keys()):
            inner = (*path, f"[{name}]")
            yield from _differences(inner, old.get(name, _ABSENT), new.get(name, _ABSENT))
        kept = [name for name in old if name in new]
        if kept != [name for name in new if name in old]:
            yield path, list(old), list(new)
    else:
        yield path, before, after


def _is_named(items: Any) -> bool:
    """Say whether a list is one of things with names of their own, such as containers."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        return False
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    return bool(items) and len(set(names)) == len(items) and all(names)


def _hidden(value: Any) -> str:
    return "" if value is _ABSENT else "(hidden)"


def _written(path: tuple[str, ...]) -> str:
    return "".join(part if part.startswith("[") else f".{part}" for part in path).removeprefix(".")


def _value(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, sort_keys=True)
