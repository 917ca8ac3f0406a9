"""All checks of charts, values and environments: what `lint` holds `deploy/` to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.charts.findings import ChartFinding
from monoyard.charts.given import Given
from monoyard.charts.objects import label, named_secrets
from monoyard.charts.policy import RULES, remarks
from monoyard.charts.rendering import ChartCall, ChartError, Charts, Rendered
from monoyard.charts.snapshots import Snapshots
from monoyard.config import suggest
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.environments import Environments
from monoyard.config.policy import Policy
from monoyard.errors import ToolError
from monoyard.process import Command, capture, clean
from monoyard.tools import kubeconform

_AT_ONCE: Final = 2
_SECONDS: Final = 120.0
# What a snapshot shows in the place of what only a deployment knows.
_REPOSITORY: Final = "registry.invalid"
_DIGESTS: Final = {"now": "sha256:" + "0" * 64, "before": "sha256:" + "1" * 64}


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks came to.

    Attributes:
        rendered: What was rendered; what could not be is missing.
        findings: What is wrong, without the comparison with snapshots.
    """

    rendered: tuple[Rendered, ...]
    findings: tuple[ChartFinding, ...]


class ChartChecks:
    """Checks every service in every environment.

    Args:
        top: Root of the repository.
        charts: Renders them.
        program: kubeconform.
        schemas: Directory of the schemas, from the root.
    """

    def __init__(self, top: Path, charts: Charts, program: Path, schemas: str) -> None:
        self._top = top
        self._charts = charts
        self._program = program
        self._schemas = schemas

    def run(self, environments: Environments, policy: Policy, *, has_chart: bool) -> Checked:
        """Render and check everything.

        Args:
            environments: All of them.
            policy: Says which environments there are rules for images of.
            has_chart: Environments have a chart of their own.

        Raises:
            ToolError: kubeconform cannot do its work.
        """
        rendered: list[Rendered] = []
        findings: list[ChartFinding] = []
        every = environments.by_name.values()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            pairs = [(item, name) for item in every for name in item.services]
            for found in pool.map(lambda pair: self._service(*pair), pairs):
                rendered.extend(found.rendered)
                findings.extend(found.findings)
            if has_chart:
                services = tuple(rendered)
                for found in pool.map(lambda item: self._environment(item, services), every):
                    rendered.extend(found.rendered)
                    findings.extend(found.findings)
        findings.extend(_about_environments(every, policy))
        return Checked(tuple(rendered), tuple(findings))

    def _service(self, environment: EnvironmentSettings, name: str) -> Checked:
        given = placeholder(environment, name)
        found = self._check(self._charts.of_service(environment, name, given), environment, name)
        missing = tuple(
            finding for item in found.rendered for finding in _unexpected(item, environment)
        )
        return Checked(found.rendered, found.findings + missing)

    def _environment(self, environment: EnvironmentSettings, all_: Iterable[Rendered]) -> Checked:
        services = [item for item in all_ if item.environment == environment.name]
        return self._check(self._charts.of_environment(environment, services), environment, "")

    def _check(self, call: ChartCall, environment: EnvironmentSettings, service: str) -> Checked:
        def say(rule: str, message: str, thing: str = "", field: str = "") -> ChartFinding:
            return ChartFinding(rule, environment.name, service, thing, field, message)

        try:
            rendered = self._charts.render(call, environment.name, service)
        except ChartError as error:
            said = error.context or (error.message,)
            return Checked((), tuple(say("render", line) for line in said))
        findings = [say("helm-lint", line) for line in self._charts.lint(call)]
        findings += [
            say("schema", fault.message, f"{fault.kind}/{fault.name}", fault.field)
            for fault in self._against_schemas(rendered)
        ]
        excepted = environment.services[service].exceptions if service else {}
        for thing in rendered.objects:
            space = (thing.get("metadata") or {}).get("namespace")
            if space not in {None, environment.namespace}:
                message = f"`{space}` is another namespace than the environment's"
                findings.append(say("namespace", message, label(thing), "metadata.namespace"))
            findings += [
                say(rule, message, label(thing), field)
                for rule, field, message in remarks(thing)
                if rule not in excepted
            ]
        return Checked((rendered,), tuple(findings))

    def _against_schemas(self, rendered: Rendered) -> tuple[kubeconform.Fault, ...]:
        argv = kubeconform.check(self._program, self._top / self._schemas)
        text = rendered.text.encode()
        done = capture(Command(argv, self._top, clean(), timeout=_SECONDS, stdin=text))
        try:
            seen, faults = kubeconform.parse(done.stdout)
        except ValueError as error:
            raise ToolError("kubeconform failed", context=done.last_lines) from error
        if seen != len(rendered.objects):
            raise ToolError(f"kubeconform looked at {seen} of {len(rendered.objects)} objects")
        return faults


def placeholder(environment: EnvironmentSettings, name: str) -> Given:
    """Return what checks and snapshots show of a deployment that nobody has made."""
    wanted = environment.services[name].smoke_image
    return Given(
        repository=f"{_REPOSITORY}/{name}",
        digest=_DIGESTS["now"],
        commit="0" * 40,
        deployment="0",
        previous=_DIGESTS["before"],
        smoke=(f"{_REPOSITORY}/{wanted}", _DIGESTS["now"]) if wanted else None,
    )


def compared(
    snapshots: Snapshots, rendered: Iterable[Rendered], *, update: bool
) -> tuple[tuple[ChartFinding, ...], tuple[str, ...]]:
    """Compare with the snapshots, or write them; return findings and the files that changed."""
    if update:
        return (), snapshots.write(rendered)
    return tuple(
        ChartFinding("snapshot", item.environment, item.service, "", "", item.message)
        for item in snapshots.differences(rendered)
    ), ()


def _about_environments(
    environments: Iterable[EnvironmentSettings], policy: Policy
) -> Iterator[ChartFinding]:
    for environment in environments:
        if environment.policy not in policy.environments:
            meant = suggest(environment.policy, policy.environments)
            message = f"the policy file has no environment `{environment.policy}`{meant}"
            yield ChartFinding("policy", environment.name, "", "", "policy", message)
        for name, service in environment.services.items():
            for rule in service.exceptions:
                if rule not in RULES:
                    message = f"there is no rule `{rule}`{suggest(rule, RULES)}"
                    field = f"services.{name}.exceptions"
                    yield ChartFinding("policy", environment.name, "", "", field, message)


def _unexpected(rendered: Rendered, environment: EnvironmentSettings) -> Iterator[ChartFinding]:
    """Yield the secrets that a service names and that nobody is told to put there."""
    for thing in rendered.objects:
        for field, name, keys in named_secrets(thing):
            known = environment.secrets.get(name)
            if known is None:
                message = f"nobody expects a Secret `{name}`{suggest(name, environment.secrets)}"
            elif missing := sorted(set(keys) - set(known)):
                message = f"nobody expects `{missing[0]}` in the Secret `{name}`"
            else:
                continue
            yield ChartFinding("secrets", environment.name, rendered.service, label(thing), field,
                               message)  # fmt: skip
