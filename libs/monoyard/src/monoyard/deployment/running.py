"""What runs: what was sent last, by Helm's record, and what was made of it since.

Helm's newest deployed revision holds the values that a service was given and the objects that it
rendered. That is read, and neither the live pods nor the ledger: it is what an upgrade starts from,
it is there for charts of any make, and it is right also after somebody used Helm by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from monoyard.charts import Object, parse
from monoyard.config.environment_values import ServiceSettings
from monoyard.delivery import Namespace
from monoyard.delivery.manifests import ObjectChange, compare
from monoyard.delivery.objects import kind_of
from monoyard.deployment.releases import Releases
from monoyard.errors import DeliveryError
from monoyard.tools.helm import Release

_DEPLOYED: Final = frozenset({"deployed"})
_ARGO: Final = ".rollouts-pod-template-hash"
_GONE: Final = frozenset({"uninstalled", "uninstalling"})
# Where the shared chart is told what it is of (charts/given.py).
_PLACES: Final = {
    "repository": "image.repository",
    "digest": "image.digest",
    "commit": "release.commit",
    "deployment": "release.deployment",
    "previous": "previous.digest",
}


@dataclass(frozen=True, slots=True)
class Running:
    """What a service has now.

    Attributes:
        revision: Helm's number of what was sent last and taken; 0 where nothing was.
        status: Of the newest revision, which may be one that failed.
        newest: Its number.
        repository: Of the image, without digest; empty where the values do not say, as the rest.
        digest: Of the image.
        commit: What the image was made from.
        deployment: Number of the deployment that sent it.
        previous: Digest of the image before.
        smoke: Repository and digest of the image of its smoke test, unless that is its own.
        versions: Of the Secrets that its pods use.
        objects: What was rendered.
    """

    revision: int = 0
    status: str = ""
    newest: int = 0
    repository: str = ""
    digest: str = ""
    commit: str = ""
    deployment: str = ""
    previous: str = ""
    smoke: tuple[str, str] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[Object, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the newest revision is the one that was taken."""
        return self.revision == self.newest

    @property
    def fingerprint(self) -> str:
        """Names what was rendered; empty where nothing was."""
        return fingerprint(self.objects) if self.objects else ""


def fingerprint(objects: Iterable[Object]) -> str:
    """Return a hash of objects, in whatever order and spelling they were rendered."""
    texts = sorted(json.dumps(thing, sort_keys=True, default=str) for thing in objects)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def read_running(releases: Releases, name: str, service: ServiceSettings) -> Running:
    """Return what a service has now.

    Raises:
        DeliveryError: Helm does not say.
    """
    history = releases.history(name)
    if not history or history[-1].status in _GONE:
        return Running(newest=history[-1].revision if history else 0)
    newest = history[-1]
    sent = _sent(history)
    if sent is None:
        return Running(status=newest.status, newest=newest.revision)
    values = releases.values(name, sent.revision)
    try:
        objects = parse(releases.manifest(name, sent.revision))
    except ValueError as error:
        raise DeliveryError(f"Helm's record of {name} holds no objects: {error}") from error
    return Running(
        revision=sent.revision,
        status=newest.status,
        newest=newest.revision,
        smoke=_image(values) if service.given is None else None,
        versions=(_at(values, "versions") or {}) if service.given is None else {},
        objects=objects,
        **_told(values, service),
    )


def find_drift(namespace: Namespace, objects: Iterable[Object]) -> tuple[ObjectChange, ...]:
    """Return what somebody changed since it was sent: what sending it again would put right.

    Fields that others own and that were not sent, such as the replicas of an autoscaler or the
    hash that Argo Rollouts adds to selectors, are no drift.

    Raises:
        ClusterError: The cluster does not say.
    """
    live, sent = [], []
    for thing in objects:
        kind = kind_of(thing)
        found = namespace.get(kind, thing["metadata"]["name"])
        if found is not None:
            live.append({"kind": kind.name, **found})
        there = thing if found is None else namespace.preview(kind, thing)
        sent.append({**there, "kind": kind.name})
    changes = (_without_argo(change) for change in compare(sent, live))
    return tuple(change for change in changes if change.fields or change.action != "changed")


def _without_argo(change: ObjectChange) -> ObjectChange:
    """Leave out what Argo Rollouts adds to selectors, which the API server takes as one value."""
    fields = (item for item in change.fields if not item.path.endswith(_ARGO))
    return replace(change, fields=tuple(fields))


def _sent(history: Iterable[Release]) -> Release | None:
    return next((item for item in reversed(tuple(history)) if item.status in _DEPLOYED), None)


def _told(values: Mapping[str, Any], service: ServiceSettings) -> dict[str, str]:
    """Return what a release was told of its image, wherever its chart wants that."""
    if service.given is None:
        return {word: str(_at(values, path) or "") for word, path in _PLACES.items()}
    found = {word: str(_at(values, path) or "") for path, word in service.given.items()}
    repository, _, digest = found.get("reference", "").partition("@")
    found = {"repository": repository, "digest": digest, **found}
    return {word: found[word] for word in _PLACES if word in found}


def _at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def _image(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the image of the smoke test, where it is not the service's own."""
    found = _at(values, "smoke.image") or {}
    repository, digest = found.get("repository"), found.get("digest")
    return (str(repository), str(digest)) if repository and digest else None
