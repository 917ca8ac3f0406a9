"""Helm in memory, which passes the same conformance suite as the real one on a real API server."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from monoyard.charts import ChartCall
from monoyard.delivery import Object
from monoyard.delivery.objects import kind_of
from monoyard.errors import DeliveryError
from monoyard.testing.clusters import FakeNamespace
from monoyard.tools.helm import Release

_OWNER = "meta.helm.sh/release-name"


@dataclass(frozen=True)
class _Revision:
    release: Release
    objects: tuple[Object, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


class FakeReleases:
    """The releases of a namespace in memory.

    Args:
        namespace: Where objects are made.
        render: Returns the objects of a chart with its values.
    """

    def __init__(
        self, namespace: FakeNamespace, render: Callable[[ChartCall], Iterable[Object]]
    ) -> None:
        self.calls: list[str] = []
        self._namespace = namespace
        self._render = render
        self._revisions: dict[str, list[_Revision]] = {}
        self._failing: dict[str, str] = {}

    def fail_next(self, name: str, status: str = "failed") -> None:
        """Have the next upgrade of a release fail, which leaves its revision in that status."""
        self._failing[name] = status

    def all(self, labels: Mapping[str, str]) -> tuple[Release, ...]:
        """Return the newest revision of every release that carries these labels."""
        newest = (revisions[-1] for _, revisions in sorted(self._revisions.items()))
        return tuple(item.release for item in newest if labels.items() <= item.labels.items())

    def history(self, name: str) -> tuple[Release, ...]:
        """Return the revisions of a release, the oldest first; none where there is no release."""
        return tuple(item.release for item in self._revisions.get(name, ()))

    def manifest(self, name: str, revision: int) -> str:
        """Return what a revision rendered, as YAML."""
        return "\n---\n".join(json.dumps(thing) for thing in self._find(name, revision).objects)

    def values(self, name: str, revision: int) -> Mapping[str, Any]:
        """Return the values that a revision was given."""
        return copy.deepcopy(self._find(name, revision).values)

    def upgrade(self, call: ChartCall, labels: Mapping[str, str], description: str) -> None:
        """Install or upgrade a release, and return when all is sent."""
        self.calls.append(f"upgrade {call.name}")
        revisions = self._revisions.setdefault(call.name, [])
        if revisions and revisions[-1].release.is_interrupted:
            raise DeliveryError(f"{call.name} cannot be upgraded", code="helm",
                                context=("another operation is in progress",))  # fmt: skip
        made = _Revision(
            Release(call.name, len(revisions) + 1, "deployed", call.chart, description),
            tuple(self._render(call)), copy.deepcopy(call.given), dict(labels),
        )  # fmt: skip
        status = self._failing.pop(call.name, "")
        if status:
            revisions.append(replace(made, release=replace(made.release, status=status)))
            raise DeliveryError(f"{call.name} cannot be upgraded", code="helm")
        self._send(call.name, made)

    def rollback(self, name: str, revision: int) -> None:
        """Send what an earlier revision rendered; that is a new revision."""
        self.calls.append(f"rollback {name} {revision}")
        found = self._find(name, revision)
        number = len(self._revisions[name]) + 1
        release = replace(
            found.release, revision=number, status="deployed",
            description=f"Rollback to {revision}",
        )  # fmt: skip
        self._send(name, replace(found, release=release))

    def uninstall(self, name: str) -> None:
        """Remove what a release made; its history stays."""
        self.calls.append(f"uninstall {name}")
        if not self._revisions.get(name):
            return
        for thing in self._sent(name):
            self._namespace.delete(kind_of(thing), thing["metadata"]["name"])
        self._supersede(name)
        revisions = self._revisions[name]
        last = revisions[-1]
        revisions[-1] = replace(last, release=replace(last.release, status="uninstalled"))

    def _find(self, name: str, revision: int) -> _Revision:
        for item in self._revisions.get(name, ()):
            if item.release.revision == revision:
                return item
        raise DeliveryError(f"{name} has no revision {revision}", code="helm")

    def _sent(self, name: str) -> tuple[Object, ...]:
        deployed = (item for item in self._revisions[name] if item.release.status == "deployed")
        return next((item.objects for item in deployed), ())

    def _send(self, name: str, made: _Revision) -> None:
        kept = {(thing["kind"], thing["metadata"]["name"]) for thing in made.objects}
        for thing in self._sent(name):
            if (thing["kind"], thing["metadata"]["name"]) not in kept:
                self._namespace.delete(kind_of(thing), thing["metadata"]["name"])
        for thing in made.objects:
            metadata = thing["metadata"]
            annotations = {**(metadata.get("annotations") or {}), _OWNER: name}
            owned = {**thing, "metadata": {**metadata, "annotations": annotations}}
            self._namespace.apply(kind_of(thing), owned)
        self._supersede(name)
        self._revisions[name].append(made)

    def _supersede(self, name: str) -> None:
        self._revisions[name] = [
            replace(item, release=replace(item.release, status="superseded"))
            if item.release.status == "deployed"
            else item
            for item in self._revisions[name]
        ]
