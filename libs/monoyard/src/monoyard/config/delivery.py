"""The table that says where charts, values and environments are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from monoyard.config.kinds import Kind, table, text


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What the workspace says of its delivery; paths are from the root.

    Attributes:
        environments: Holds a directory with `environment.toml` for each environment.
        chart: What services are rendered with that name no chart of their own.
        environment_chart: What is made once for an environment; empty for none.
        services: Holds a file of values for each service.
        schemas: Holds the JSON schemas that rendered objects are held against.
        snapshots: Holds what was rendered last, by environment and service.
    """

    environments: str = "deploy/environments"
    chart: str = "deploy/charts/service"
    environment_chart: str = "deploy/charts/environment"
    services: str = "deploy/services"
    schemas: str = "deploy/schemas"
    snapshots: str = "deploy/snapshots"


def _place(name: str, meaning: str) -> tuple[Kind, str]:
    return text(), f"{meaning} (default: `{getattr(DeliverySettings(), name)}`)."


_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "environments": _place(
        "environments",
        "Directory with a directory for each environment, which holds its `environment.toml`",
    ),
    "chart": _place("chart", "Chart of the services that name none of their own"),
    "environment-chart": _place(
        "environment_chart",
        "Chart of what an environment has once, such as the Role of its deployers; empty for none",
    ),
    "services": _place("services", "Directory with a file of values for each service"),
    "schemas": _place(
        "schemas", "Directory of the JSON schemas that rendered objects are held against"
    ),
    "snapshots": _place(
        "snapshots", "Directory of what was rendered last, to be reviewed with each change"
    ),
}  # fmt: skip


def _build(**said: Any) -> DeliverySettings:
    return DeliverySettings(**{name: value for name, value in said.items() if value is not None})


DELIVERY_TABLE: Final = table(_build, _KINDS)
