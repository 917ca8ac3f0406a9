"""`invoke doctor`: whether an environment is ready for a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.charting import find_environments
from monoyard.bindings.delivering import named_environment
from monoyard.bindings.deploy_parts import Parts
from monoyard.bindings.deploy_sources import CommitTree, find_commit, laid_out
from monoyard.bindings.engine import Engine
from monoyard.charts import Object, kubernetes_version, placeholder
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import MachineClock
from monoyard.delivery.access import enter, find_access, find_recipients
from monoyard.deployment import Images, Releases
from monoyard.diagnosis import Once, Seen, Subject, checks_of, demand_ready, examine
from monoyard.report.diagnoses import diagnosis_data, diagnosis_lines

_VERSION: Final = 1
_AT_ONCE: Final = 4


def diagnose(directory: Path, name: str, target: str | None, parts: Parts | None = None) -> None:
    """Print what a deployment of the commit at hand to an environment would meet.

    Nothing is changed, and nothing is fetched for it.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        target: Where JSON goes, as `answer` takes it; None for lines.
        parts: What it is put together from.

    Raises:
        MonoyardError: There is a problem; its kind and exit code are those of the first field.
        UsageError: There is no such environment, or no commit.
    """
    engine = Engine(directory, announce)
    settings = named_environment(find_environments(engine.repository.top, engine.settings), name)
    commit = find_commit(engine.repository, "")
    pin = settings.cluster.context if settings.cluster else "no cluster"
    where = f"{settings.namespace} by {pin}, commit {commit[:12]}"
    with ExitStack() as stack:
        asking = _Asking(engine, settings, commit, parts or Parts(), stack)
        found = examine(checks_of(asking.subject()))
    answer(
        diagnosis_lines(name, where, found),
        {"version": _VERSION, **diagnosis_data(name, where, commit, found)},
        target,
    )
    demand_ready(name, found)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Makes the parts of what is looked at.

    Attributes:
        engine: The repository.
        settings: What the environment's file says.
        commit: What would be deployed.
        parts: What a deployment is put together from.
        stack: Closes what is opened.
    """

    engine: Engine
    settings: EnvironmentSettings
    commit: str
    parts: Parts
    stack: ExitStack

    def subject(self) -> Subject:
        """Return what is looked at."""
        tree = Once(self._tree)
        return Subject(
            environment=self.settings,
            commit=self.commit,
            clock=self.parts.clock or MachineClock(),
            enter=Once(self._enter),
            rendered=Once(lambda: self._rendered(tree())),
            kubernetes=lambda: kubernetes_version(self.engine.settings.delivery, tree().top),
            releases=Once(lambda: self._releases(tree().top)),
            images=Once(self._images),
            recipients=lambda: find_recipients(self.settings, self.engine.environment),
            programs=self.parts.programs(self.engine),
        )

    def _tree(self) -> CommitTree:
        engine = self.engine
        return self.stack.enter_context(
            laid_out(
                engine.repository, engine.settings.delivery, self.commit, self.settings.name
            )
        )  # fmt: skip

    def _enter(self) -> Seen:
        access = find_access(self.settings, self.engine.environment)
        namespace = enter(access, self.settings.name, self.parts.open_namespace)
        self.stack.callback(namespace.close)
        capabilities = self.parts.open_capabilities(
            access.kubeconfig, access.context, access.namespace
        )
        self.stack.callback(capabilities.close)
        return Seen(access.context, namespace, capabilities)

    def _rendered(self, tree: CommitTree) -> Mapping[str, tuple[Object, ...]]:
        self._demand("helm")
        charts, environment = self.parts.charts(self.engine, tree.top), tree.environment

        def render(name: str) -> tuple[Object, ...]:
            call = charts.of_service(environment, name, placeholder(environment, name))
            return charts.render(call, environment.name, name).objects

        names = list(environment.services)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(names, pool.map(render, names), strict=True))

    def _releases(self, top: Path) -> Releases:
        self._demand("helm")
        access = find_access(self.settings, self.engine.environment)
        return self.parts.releases(self.engine, access, top, self.settings)

    def _images(self) -> Images:
        self._demand("crane", "cosign")
        return self.parts.images(self.engine, self.settings.policy)

    def _demand(self, *names: str) -> None:
        """See that programs are here: none is built while somebody waits for an answer."""
        programs = self.parts.programs(self.engine)
        for name in names:
            if name in programs:
                programs[name]()
