"""What a service and its Jobs are in a deployment, by what the record says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monoyard.delivery import Namespace, Object, Record
from monoyard.deployment.jobs import ACCOUNT, Role, Wanted
from monoyard.deployment.ports import World
from monoyard.deployment.steps import read_given


def image_of(record: Record, service: str) -> str:
    """Return the reference of the image that a service is to run."""
    said = record.header["services"][service]
    return f"{said['repository']}@{said['digest']}"


def wanted_for(
    record: Record, service: str, environment: str, role: Role, seconds: float
) -> Wanted:
    """Return the Job that a deployment runs for a service, within some seconds."""
    image, began = image_of(record, service), str(record.header["at"])
    return Wanted(environment, service, record.number, image, seconds, role, began=began)


def rendered_for(world: World, service: str, record: Record) -> Sequence[Object]:
    """Render the chart of a service as the deployment sends it."""
    given = read_given(record.header["services"][service], str(record.number))
    call = world.charts.of_service(world.environment, service, given)
    return world.charts.render(call, world.environment.name, service).objects


def has_account(namespace: Namespace) -> Callable[[str], bool]:
    """Return what says whether there is a ServiceAccount of a name."""
    return lambda name: namespace.get(ACCOUNT, name) is not None
