"""Charts, values and environments: rendered as a deployment would, and checked before one."""

from monoyard.charts.addresses import ServicePort, in_cluster, measured_ports
from monoyard.charts.checking import ChartChecks, Checked, compared, placeholder
from monoyard.charts.findings import ChartFinding
from monoyard.charts.given import Given
from monoyard.charts.objects import Object, PodPlace, label, named_secrets, parse, pods
from monoyard.charts.policy import RULES, remarks
from monoyard.charts.rendering import (
    ChartCall,
    ChartError,
    Charts,
    Rendered,
    homeless,
    kubernetes_version,
    routed_names,
)
from monoyard.charts.schema_sources import SchemaSource, make_schemas, read_sources
from monoyard.charts.snapshots import Difference, Snapshots

__all__ = [
    "RULES",
    "ChartCall",
    "ChartChecks",
    "ChartError",
    "ChartFinding",
    "Charts",
    "Checked",
    "Difference",
    "Given",
    "Object",
    "PodPlace",
    "Rendered",
    "SchemaSource",
    "ServicePort",
    "Snapshots",
    "compared",
    "homeless",
    "in_cluster",
    "kubernetes_version",
    "label",
    "make_schemas",
    "measured_ports",
    "named_secrets",
    "parse",
    "placeholder",
    "pods",
    "read_sources",
    "remarks",
    "routed_names",
]
