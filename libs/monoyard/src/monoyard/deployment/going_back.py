"""The steps that go back: traffic first, then evidence, then what was recorded before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from monoyard.delivery import Record
from monoyard.delivery.rollouts import ROLLOUT, abort
from monoyard.delivery.workloads import read_workloads
from monoyard.deployment.evidence import gather
from monoyard.deployment.releases import Releases, newest_of
from monoyard.deployment.watching import DONE, THERE, Watcher, end_pauses
from monoyard.errors import DeliveryError, LeaseLostError


@dataclass(frozen=True, slots=True)
class Abort:
    """Sends all traffic back to the stable versions; the first thing when something failed.

    Attributes:
        services: Those that were begun.
        watcher: Looks on.
    """

    services: Collection[str]
    watcher: Watcher
    name: str = "abort"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Abort what is still on its way."""
        del record
        aborted = []
        for item in read_workloads(self.watcher.namespace):
            is_under_way = item.phase not in ("completed", "gone-back")
            if item.kind == ROLLOUT.name and item.service in self.services and is_under_way:
                abort(self.watcher.namespace, item.name)
                aborted.append(item.name)
        return {"aborted": aborted}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Keeps what the failed pods say, before they are gone."""

    services: Collection[str]
    watcher: Watcher
    name: str = "evidence"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Write it into the ledger."""
        return {"lines": list(gather(self.watcher.namespace, self.services, record.begun))}


@dataclass(frozen=True, slots=True)
class Back:
    """Brings a service back to an earlier revision, recorded specification and all.

    Attributes:
        service: Its name.
        revision: Helm's number of what it is to be again; 0 where it was not there.
        releases: Sends it.
        watcher: Looks on.
    """

    service: str
    revision: int
    releases: Releases
    watcher: Watcher

    @property
    def name(self) -> str:
        """As in the ledger."""
        return f"back:{self.service}"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Send the earlier revision again, unless that was done, and wait until it serves."""
        upgraded = record.last(f"upgrade:{self.service}")
        since = int(upgraded.facts.get("revision", 0)) if upgraded is not None else 0
        if not self.revision:
            self.releases.uninstall(self.service)
            return {"revision": 0}
        newest = newest_of(self.releases, self.service)
        is_sent = (
            newest is not None
            and newest.description == f"Rollback to {self.revision}"
            and newest.status == "deployed"
            and newest.revision > since
        )
        if newest is not None and newest.revision != self.revision and not is_sent:
            self.releases.rollback(self.service, self.revision)
            newest = newest_of(self.releases, self.service)
        # What was aborted says so until its controller has seen the stable specification again.
        self.watcher.until([self.service], THERE, forgiven=("gone-back", "bad"))
        end_pauses(self.watcher, [self.service])
        self.watcher.until([self.service], DONE, forgiven=("gone-back", "bad"))
        return {"revision": newest.revision if newest else 0}


@dataclass(frozen=True, slots=True)
class Stranded:
    """Stands in the place of `Back` where the version before does not fit its database any more.

    Attributes:
        service: Its name.
        watcher: Looks on.
    """

    service: str
    watcher: Watcher

    @property
    def name(self) -> str:
        """As in the ledger."""
        return f"back:{self.service}"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Let what was sent have the service alone, if it can, and say that it stays.

        Raises:
            DeliveryError: Always.
        """
        state = self._end()
        floors: Mapping[str, str] = record.header["services"][self.service]["floors"]
        raise DeliveryError(
            f"{self.service} cannot go back: its database was migrated to where the version before "
            f"cannot live with it; {state}",
            code="does-not-fit",
            context=tuple(f"{revision}: {why}" for revision, why in floors.items()),
            hint="deploy a commit that mends it, with `--again` where it is the same image",
        )

    def _end(self) -> str:
        """End the rollout where it stands; return what serves then, in words."""
        try:
            self.watcher.until([self.service], THERE)
            end_pauses(self.watcher, [self.service])
            self.watcher.until([self.service], DONE)
        except LeaseLostError:
            raise
        except DeliveryError as error:
            return f"the new one does not serve either: {error.message}"
        return "the new one serves"


@dataclass(frozen=True, slots=True)
class NotTakenBack:
    """The way back from a rollback: there is none, and somebody has to look."""

    name: str = "not-taken-back"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Say so."""
        raise DeliveryError(
            f"rollback {record.number} is not taken back by itself",
            hint="`invoke status` shows what runs",
        )
