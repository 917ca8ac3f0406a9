"""The steps of a deployment: each finds what an earlier runner did of it, and does the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from monoyard.charts import Given
from monoyard.delivery import Record
from monoyard.delivery.objects import DEPLOYMENT_LABEL, ENVIRONMENT_LABEL
from monoyard.deployment.ports import World
from monoyard.deployment.releases import Releases, newest_of
from monoyard.deployment.watching import DONE, THERE, Watcher, end_pauses
from monoyard.errors import DeliveryError


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Sends what a service is to be.

    Attributes:
        service: Its name.
        world: What is asked and changed.
    """

    service: str
    world: World

    @property
    def name(self) -> str:
        """As in the ledger."""
        return f"upgrade:{self.service}"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Verify the image by its digest once more, and have Helm send what is rendered with it."""
        said = record.header["services"][self.service]
        releases, world = self.world.releases, self.world
        description = f"deployment {record.number}"
        newest = newest_of(releases, self.service)
        # What was there before is not ours, whatever it is called: numbers may have begun anew.
        is_sent = (
            newest is not None
            and newest.description == description
            and newest.status == "deployed"
            and newest.revision > int(said["base"])
        )
        if not is_sent:
            world.images.examine(self.service, said["digest"], record.header["commit"]).demand()
            repair(releases, self.service)
            given = read_given(said, str(record.number))
            call = world.charts.of_service(world.environment, self.service, given)
            labels = {
                ENVIRONMENT_LABEL: world.environment.name, DEPLOYMENT_LABEL: str(record.number),
            }  # fmt: skip
            releases.upgrade(call, labels, description)
            newest = newest_of(releases, self.service)
        return {"revision": newest.revision if newest else 0, "digest": said["digest"]}


@dataclass(frozen=True, slots=True)
class RollOut:
    """Waits until the new version of a service serves.

    Attributes:
        service: Its name.
        others: The services of the same release: where one of them fails, all do.
        watcher: Looks on.
    """

    service: str
    others: Collection[str]
    watcher: Watcher

    @property
    def name(self) -> str:
        """As in the ledger."""
        return f"rollout:{self.service}"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Wait, and see that it is what was sent that serves."""
        found = self.watcher.until([self.service], THERE, self.others)
        wanted = record.header["services"][self.service]["digest"]
        digests = {digest for item in found for digest in item.digests}
        if digests and wanted not in digests:
            raise DeliveryError(
                f"{self.service} runs another image than was sent",
                code="changed-meanwhile",
                context=(f"sent {wanted}", *(f"found {item}" for item in sorted(digests))),
                hint="somebody changes it by hand: `invoke status` shows what runs",
            )
        return {"workloads": {f"{item.kind}/{item.name}": item.phase for item in found}}


@dataclass(frozen=True, slots=True)
class Complete:
    """Has every rollout of the release go on from its end, now that all stand there.

    Attributes:
        services: Their names.
        watcher: Looks on.
    """

    services: Collection[str]
    watcher: Watcher
    name: str = "complete"

    def do(self, record: Record) -> Mapping[str, Any]:
        """End the last pause of each, and wait until the old versions are given up."""
        del record
        end_pauses(self.watcher, self.services)
        self.watcher.until(self.services, DONE)
        return {}


@dataclass(frozen=True, slots=True)
class Remove:
    """Removes a service that the repository no longer has."""

    service: str
    releases: Releases

    @property
    def name(self) -> str:
        """As in the ledger."""
        return f"remove:{self.service}"

    def do(self, record: Record) -> Mapping[str, Any]:
        """Have Helm remove what it made; its history stays."""
        del record
        self.releases.uninstall(self.service)
        return {}


def read_given(said: Mapping[str, Any], deployment: str) -> Given:
    """Return what a chart is told, from what a record says of a service."""
    smoke = said.get("smoke")
    return Given(
        repository=said["repository"],
        digest=said["digest"],
        commit=said["commit"],
        deployment=deployment,
        versions=said["versions"],
        previous=said["previous"],
        smoke=(smoke[0], smoke[1]) if smoke else None,
    )


def repair(releases: Releases, service: str) -> None:
    """End what a call of Helm left that was killed: the newest revision would stay under way.

    What was taken last is sent again, as a new revision; no history is removed. Only whoever holds
    the Lease may do this: nobody else can know that the call is not still at it.
    """
    history = releases.history(service)
    if not history or not history[-1].is_interrupted:
        return
    taken = [item.revision for item in history if item.status == "deployed"]
    if taken:
        releases.rollback(service, taken[-1])
    else:
        releases.uninstall(service)
