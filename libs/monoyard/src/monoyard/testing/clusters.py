"""A namespace in memory, which passes the same conformance suite as a real API server."""

from __future__ import annotations

import contextlib
import copy
import itertools
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from monoyard.delivery import ABSENT, UNREACHABLE, ConflictError, Kind, Object
from monoyard.delivery.objects import CONFIG_MAP
from monoyard.errors import ClusterError

_MOST_DATA: Final = 1 << 20
"""What the values of a ConfigMap may hold, by the API server's own count."""


class FakeNamespace:
    """The objects of one namespace, in memory; safe for threads.

    It has no controllers: nothing happens to an object by itself. Tests play them, by `merge`.

    Args:
        name: Its name.
    """

    def __init__(self, name: str = "default") -> None:
        self.name = name
        self._things: dict[tuple[Kind, str], dict[str, Any]] = {}
        self._versions = itertools.count(1)
        self._logs: dict[tuple[str, str], str] = {}
        self._lock = threading.RLock()
        self._is_down = False
        self._unknown: set[Kind] = set()
        self.is_closed = False

    def close(self) -> None:
        """Be used no more; a test may look at what is there all the same."""
        self.is_closed = True

    def forget(self, kind: Kind) -> None:
        """Be a cluster without a kind: its CustomResourceDefinition is not installed."""
        self._unknown.add(kind)

    def stop_answering(self) -> None:
        """Be an API server that is down, until `answer_again`."""
        self._is_down = True

    def answer_again(self) -> None:
        """Be up again, with everything as it was."""
        self._is_down = False

    def print_log(self, pod: str, container: str, text: str) -> None:
        """Be a container that prints something."""
        with self._lock:
            self._logs[pod, container] = self._logs.get((pod, container), "") + text

    def get(self, kind: Kind, name: str) -> Object | None:
        """Return an object, or None where there is none."""
        with self._answering():
            return copy.deepcopy(self._things.get((kind, name)))

    def list(self, kind: Kind, labels: Mapping[str, str]) -> list[Object]:
        """Return the objects that carry all of these labels, by name."""
        with self._answering():
            if kind in self._unknown:
                raise self._refusal(kind, "list", "the kind is not known")
            return [
                copy.deepcopy(thing)
                for (of, _), thing in sorted(self._things.items(), key=lambda item: item[0][1])
                if of == kind and labels.items() <= _labels(thing).items()
            ]

    def create(self, kind: Kind, thing: Object) -> Object:
        """Make an object and return it as it is now."""
        with self._answering():
            name = thing["metadata"]["name"]
            if (kind, name) in self._things:
                raise self._conflict(kind, name, "already exists")
            return self._store(kind, thing, f"{next(self._versions):08}-uid")

    def replace(self, kind: Kind, thing: Object) -> Object:
        """Put an object in the place of the version that was read."""
        with self._answering():
            name = thing["metadata"]["name"]
            there = self._things.get((kind, name))
            if there is None:
                raise self._refusal(kind, name, "not found")
            read = thing["metadata"].get("resourceVersion")
            if read and read != there["metadata"]["resourceVersion"]:
                raise self._conflict(kind, name, "the object has been modified")
            return self._store(kind, thing, there["metadata"]["uid"])

    def apply(self, kind: Kind, thing: Object) -> Object:
        """Make an object be so; fields that others own are left to them."""
        with self._answering():
            name = thing["metadata"]["name"]
            there = self._things.get((kind, name))
            if there is None:
                return self.create(kind, thing)
            return self._store(kind, _merged(there, thing), there["metadata"]["uid"])

    def preview(self, kind: Kind, thing: Object) -> Object:
        """Return what `apply` would make of an object; nothing changes."""
        with self._answering():
            name = thing["metadata"]["name"]
            if kind in self._unknown:
                raise self._refusal(kind, name, "the kind is not known")
            there = self._things.get((kind, name), {})
            made = copy.deepcopy(_merged(there, thing))
            # A Service's selector is one value (`x-kubernetes-map-type: atomic`).
            if kind.name == "Service":
                made["spec"]["selector"] = dict(thing["spec"].get("selector") or {})
            return {**made, "metadata": {**made["metadata"], "namespace": self.name}}

    def merge(self, kind: Kind, name: str, change: Mapping[str, Any], *, status: bool) -> Object:
        """Change some fields of an object, or of its status."""
        with self._answering():
            there = self._things.get((kind, name))
            if there is None:
                raise self._refusal(kind, name, "not found")
            only = (
                {"status": change.get("status", {})}
                if status
                else {field: value for field, value in change.items() if field != "status"}
            )
            return self._store(kind, _merged(there, only), there["metadata"]["uid"])

    def delete(self, kind: Kind, name: str) -> bool:
        """Remove an object; say whether there was one."""
        with self._answering():
            return self._things.pop((kind, name), None) is not None

    def log(self, pod: str, container: str, lines: int) -> str:
        """Return the last lines that a container of a pod printed."""
        with self._answering():
            said = self._logs.get((pod, container), "").splitlines(keepends=True)
            return "".join(said[-lines:])

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        with self._lock:
            if self._is_down:
                raise ClusterError("the cluster does not answer", code=UNREACHABLE)
            yield

    def _store(self, kind: Kind, thing: Object, uid: str) -> Object:
        stored: dict[str, Any] = copy.deepcopy(dict(thing))
        metadata = dict(stored["metadata"])
        name = metadata["name"]
        if kind == CONFIG_MAP:
            size = sum(len(text.encode()) for text in (stored.get("data") or {}).values())
            if size > _MOST_DATA:
                message = f"{kind.name} {name}: Too long: may not be more than {_MOST_DATA} bytes"
                raise ClusterError(message, code="refused")
        there = self._things.get((kind, name))
        made = there["metadata"] if there else {"creationTimestamp": _now(), **metadata}
        metadata |= {
            "namespace": self.name, "uid": uid, "creationTimestamp": made["creationTimestamp"],
        }  # fmt: skip
        if "spec" in stored:
            metadata["generation"] = _generation(there, stored)
        before = there["metadata"]["resourceVersion"] if there else None
        stored["metadata"] = {**metadata, "resourceVersion": before}
        if stored != there:  # what changes nothing is no new version
            stored["metadata"]["resourceVersion"] = str(next(self._versions))
        self._things[kind, name] = stored
        return copy.deepcopy(stored)

    def _conflict(self, kind: Kind, name: str, why: str) -> ConflictError:
        return ConflictError(f"{kind.name} {name}: {why}")

    def _refusal(self, kind: Kind, name: str, why: str) -> ClusterError:
        return ClusterError(f"{kind.name} {name}: {why}", code=ABSENT)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _generation(there: Mapping[str, Any] | None, stored: Mapping[str, Any]) -> int:
    """Return how often a specification was changed, as the API server counts it."""
    if there is None:
        return int(stored["metadata"].get("generation") or 1)
    is_other = there["spec"] != stored["spec"]
    return int(there["metadata"]["generation"]) + int(is_other)


def _labels(thing: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = thing["metadata"].get("labels") or {}
    return labels


def _merged(there: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a merge patch (RFC 7396) makes of an object."""
    merged = dict(there)
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            inner = merged.get(name)
            merged[name] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
