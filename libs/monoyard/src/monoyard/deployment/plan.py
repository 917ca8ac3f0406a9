"""The plan of a deployment as a value: what would change, from what it starts, what forbids it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from monoyard.delivery.manifests import ObjectChange
from monoyard.deployment.backups import Backup
from monoyard.deployment.migrations import Migration

VERSION: Final = 3
LEAST_DIGITS: Final = 12
"""How much of a hash has to be typed at least."""

Action = Literal["install", "upgrade", "keep", "remove"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        environment: Name of the environment.
        commit: What is to run, as a whole object id.
        services: Only these; empty means all.
        prune: Remove services that the repository no longer has.
        allow_older: Also where the commit is older than what runs.
        again: Also images that were rolled back.
        migrated: Somebody says that the databases have this commit's migrations.
        allow_unclassed: Also migrations of which nobody can say here what they do.
        allow_downtime: Also migrations that the running version cannot live with.
    """

    environment: str
    commit: str
    services: tuple[str, ...] = ()
    prune: bool = False
    allow_older: bool = False
    again: bool = False
    migrated: bool = False
    allow_unclassed: bool = False
    allow_downtime: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan may not be carried out.

    Attributes:
        code: Kebab-case name.
        service: What it is about; empty for all of it.
        message: One sentence.
        hint: What helps.
    """

    code: str
    service: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Base:
    """What a service is changed from.

    Attributes:
        revision: Of Helm; 0 where nothing was sent.
        status: Of Helm's newest revision.
        digest: Of the image that runs; empty where nothing says, as the rest.
        commit: What that was made from.
        manifest: Names what was rendered.
        drift: What somebody changed since.
    """

    revision: int = 0
    status: str = ""
    digest: str = ""
    commit: str = ""
    manifest: str = ""
    drift: tuple[ObjectChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What becomes of one service.

    Attributes:
        name: Its name.
        action: What is done.
        base: What it is changed from.
        causes: Why it is changed, in words.
        repository: Of its image, without digest.
        digest: Of its image.
        commit: What that was made from, as its pods are told.
        previous: Digest of the image before, for charts that keep it reachable.
        smoke: Repository and digest of the image of its smoke test, unless that is its own.
        versions: Of the Secrets that its pods use.
        manifest: Names what is rendered.
        workloads: `Kind/name` of what is watched.
        strategy: How it is rolled out, in words.
        way_back: How it goes back, in words.
        changes: What is sent otherwise than it was before.
        migrations: Revisions that its database may not have yet.
        migrates: They are applied before anything is sent.
        backup: What is backed up before; None for nothing.
        checks: Why its image is accepted: name, verdict and reason of each check.
        notes: What else a person should know.
    """

    name: str
    action: Action
    base: Base = field(default_factory=Base)
    causes: tuple[str, ...] = ()
    repository: str = ""
    digest: str = ""
    commit: str = ""
    previous: str = ""
    smoke: tuple[str, str] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    manifest: str = ""
    workloads: tuple[str, ...] = ()
    strategy: str = ""
    way_back: str = ""
    changes: tuple[ObjectChange, ...] = ()
    migrations: tuple[Migration, ...] = ()
    migrates: bool = False
    backup: Backup | None = None
    checks: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether anything is sent for it."""
        return self.action in ("install", "upgrade")


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What a deployment would do.

    Attributes:
        request: What was asked for.
        namespace: Where it is done.
        cluster: UID that the cluster is pinned by.
        services: In the environment's order, then those that the repository no longer has.
        refusals: Why it may not be done.
        notes: What holds for all of it.
    """

    request: Request
    namespace: str
    cluster: str
    services: tuple[ServicePlan, ...]
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[ServicePlan, ...]:
        """The services that something is sent for."""
        return tuple(item for item in self.services if item.is_changed)

    @property
    def removed(self) -> tuple[ServicePlan, ...]:
        """The services that are removed."""
        return tuple(item for item in self.services if item.action == "remove")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changed and not self.removed

    @property
    def hash(self) -> str:
        """Names the decisions and what they start from, and nothing that is only estimated."""
        said = json.dumps(self.decisions(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()

    def decisions(self) -> dict[str, Any]:
        """Return what the hash is of, as JSON.

        Left out are words for people, times, verdicts on images (they are computed anew whenever it
        counts), and what a person waives (`--allow-older` and its like): that decides whether
        something may be done, not what. `--migrated` decides what: who migrates.
        """
        request = self.request
        return {
            "version": VERSION,
            "environment": request.environment,
            "namespace": self.namespace,
            "cluster": self.cluster,
            "commit": request.commit,
            "services": {item.name: _decisions(item) for item in self.services},
        }

    def to_data(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "version": VERSION,
            "hash": self.hash,
            "request": asdict(self.request),
            "namespace": self.namespace,
            "cluster": self.cluster,
            "services": [asdict(item) for item in self.services],
            "refusals": [asdict(item) for item in self.refusals],
            "notes": list(self.notes),
            "decisions": self.decisions(),
        }


def _decisions(item: ServicePlan) -> dict[str, Any]:
    base = item.base
    return {
        "action": item.action,
        "image": f"{item.repository}@{item.digest}" if item.digest else "",
        "manifest": item.manifest,
        "migrations": {each.file: each.decisions() for each in item.migrations},
        "migrates": item.migrates,
        "backup": item.backup.decisions() if item.backup else None,
        "base": {
            "revision": base.revision,
            "status": base.status,
            "image": base.digest,
            "manifest": base.manifest,
            "drift": [asdict(change) for change in base.drift],
        },
    }


def differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what parts the decisions of two plans, a line for each value.

    Args:
        saved: Decisions of the plan that was reviewed.
        now: Those of the plan that would be carried out.
    """
    return tuple(_differences("", saved, now))


def _differences(path: str, saved: Any, now: Any) -> Iterator[str]:
    if saved == now:
        return
    if isinstance(saved, Mapping) and isinstance(now, Mapping):
        for name in sorted(saved.keys() | now.keys()):
            inner = f"{path}.{name}" if path else str(name)
            yield from _differences(inner, saved.get(name), now.get(name))
        return
    yield f"{path}: {_told(saved)} -> {_told(now)}"


def _told(value: Any) -> str:
    return "(none)" if value in (None, "", [], {}) else json.dumps(value, sort_keys=True)
