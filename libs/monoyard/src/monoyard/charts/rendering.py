"""Renders services and environments with Helm, as a deployment would, and without any cluster."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monoyard.charts.addresses import measured_ports
from monoyard.charts.given import Given, mapped, values
from monoyard.charts.objects import Object, parse
from monoyard.config import DeliverySettings
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.errors import ConfigurationError, ToolError
from monoyard.process import Command, Completed, capture, clean
from monoyard.tools import helm

_SECONDS: Final = 120.0
_BETWEEN: Final = re.compile(r"\n\s*\n---\n")


class ChartError(ConfigurationError):
    """A chart cannot be rendered with its values; `context` holds what Helm says."""

    code = "chart"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a chart comes to.

    Attributes:
        environment: Name of the environment.
        service: Name of the service; empty for what the environment has once.
        text: As Helm printed it.
        objects: The same, parsed.
    """

    environment: str
    service: str
    text: str
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class ChartCall:
    """A chart with all its values.

    Attributes:
        name: Of the release.
        chart: Directory of the chart, from the root.
        files: Files of values from the root, the last one wins.
        given: Values that come over the files.
        namespace: Where its objects are.
    """

    name: str
    chart: str
    files: tuple[str, ...]
    given: Mapping[str, Any]
    namespace: str


class Charts:
    """The charts of a repository.

    Args:
        top: Root of the repository.
        settings: Where charts and values are.
        program: Helm.
        kubernetes: Version of Kubernetes that is rendered for.
    """

    def __init__(
        self, top: Path, settings: DeliverySettings, program: Path, kubernetes: str
    ) -> None:
        self._top = top
        self._settings = settings
        self._program = program
        self._kubernetes = kubernetes

    def of_service(self, environment: EnvironmentSettings, name: str, given: Given) -> ChartCall:
        """Return what a service is rendered from."""
        service = environment.services[name]
        files = service.values
        if files is None:
            own = f"{self._settings.environments}/{environment.name}"
            usual = (f"{self._settings.services}/{name}.yaml", f"{own}/values.yaml",
                     f"{own}/{name}.yaml")  # fmt: skip
            files = tuple(path for path in usual if (self._top / path).is_file())
        told = (
            values(given, name, environment.name)
            if service.given is None
            else mapped(given, name, environment.name, service.given)
        )
        chart = service.chart or self._settings.chart
        return ChartCall(name, chart, files, told, environment.namespace)

    def of_environment(
        self, environment: EnvironmentSettings, services: Iterable[Rendered]
    ) -> ChartCall:
        """Return what an environment's own chart is rendered from: it knows what services need."""
        deployers = environment.deployers
        objects = [thing for item in services for thing in item.objects]
        measured = sorted({port.resource_name for port in measured_ports(objects)})
        told = {
            "environment": environment.name,
            "routed": sorted(set(routed_names(objects))),
            "deployers": {
                "users": list(deployers.users),
                "groups": list(deployers.groups),
                "serviceAccounts": list(deployers.service_accounts),
            },
            "secrets": {name: list(keys) for name, keys in sorted(environment.secrets.items())},
            **({"measured": measured} if measured else {}),
        }
        chart = self._settings.environment_chart
        return ChartCall("environment", chart, (), told, environment.namespace)

    def render(self, call: ChartCall, environment: str, service: str) -> Rendered:
        """Render a chart.

        Raises:
            ChartError: Helm refuses it, or what it prints are no objects.
        """
        argv = helm.template(
            self._program, call.name, call.chart, (*call.files, "-"), call.namespace,
            self._kubernetes,
        )  # fmt: skip
        done = self._run(argv, call)
        if done.status != 0:
            raise _refusal(call, done)
        try:
            text = _tidy(done.text)
            return Rendered(environment, service, text, parse(text))
        except ValueError as error:
            raise ChartError(f"{call.chart} renders no objects: {error}") from error

    def lint(self, call: ChartCall) -> tuple[str, ...]:
        """Return what `helm lint` complains of."""
        argv = helm.lint(self._program, call.chart, (*call.files, "-"), call.namespace)
        done = self._run(argv, call)
        if done.status == 0:
            return ()
        return helm.complaints((done.stdout + done.stderr).decode("utf-8", "replace"))

    def _run(self, argv: tuple[str, ...], call: ChartCall) -> Completed:
        if not (self._top / call.chart / "Chart.yaml").is_file():
            raise ChartError(f"there is no chart at {call.chart}")
        told = json.dumps(call.given).encode()
        with homeless() as environment:
            return capture(Command(argv, self._top, environment, timeout=_SECONDS, stdin=told))


def kubernetes_version(settings: DeliverySettings, top: Path) -> str:
    """Return the version of Kubernetes that the schemas were made of, such as `1.34.4`.

    Raises:
        ToolError: There are no schemas.
    """
    path = top / settings.schemas / "VERSION"
    if not path.is_file():
        raise ToolError(
            f"there are no schemas in {settings.schemas}", code="no-schemas",
            hint="`invoke deploy.schemas` makes them",
        )  # fmt: skip
    return path.read_text("utf-8").strip()


def _tidy(text: str) -> str:
    """Return what Helm printed without blank lines between documents, which Helm 4 adds to."""
    return _BETWEEN.sub("\n---\n", text).strip() + "\n"


def routed_names(objects: Iterable[Object]) -> Iterator[str]:
    """Yield the names of the weights that Rollouts among objects move."""
    for thing in objects:
        canary = ((thing.get("spec") or {}).get("strategy") or {}).get("canary") or {}
        traefik = (canary.get("trafficRouting") or {}).get("traefik") or {}
        if thing["kind"] == "Rollout" and "weightedTraefikServiceName" in traefik:
            yield traefik["weightedTraefikServiceName"]


def _refusal(call: ChartCall, done: Completed) -> ChartError:
    said = helm.complaints(done.stderr.decode("utf-8", "replace"))
    return ChartError(f"{call.chart} cannot be rendered for {call.name}", context=said)


@contextmanager
def homeless() -> Iterator[Mapping[str, str]]:
    """Give Helm no plugins, no repositories and no cluster: a chart and its values decide alone.

    A cluster that its arguments name counts all the same.
    """
    with tempfile.TemporaryDirectory(prefix="monoyard-helm-") as home:
        yield {
            **clean(),
            **{
                f"HELM_{name}_HOME": f"{home}/{name.lower()}"
                for name in ("CACHE", "CONFIG", "DATA")
            },
            "KUBECONFIG": os.devnull,
        }
