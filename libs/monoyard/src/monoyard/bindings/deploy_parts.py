"""What a deployment is put together from: the cluster, Helm, the registry, one commit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from monoyard.bindings.delivering import Place
from monoyard.bindings.deploy_migrations import WorkTreeHistories
from monoyard.bindings.deploy_sources import (
    CommitTree,
    KnownCommits,
    PublishedImages,
    image_keys,
    laid_out,
)
from monoyard.bindings.engine import Engine
from monoyard.bindings.supplying import Supplying
from monoyard.charts import ChartCall, Charts, kubernetes_version, placeholder
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import Clock
from monoyard.delivery.access import Access, Connect, find_recipients
from monoyard.delivery.api_capabilities import open_capabilities
from monoyard.delivery.capabilities import Capabilities
from monoyard.deployment import (
    HelmReleases,
    Histories,
    Images,
    Mirroring,
    Releases,
    Renderer,
    World,
    in_background,
)
from monoyard.diagnosis import NOT_YET
from monoyard.errors import DeliveryError, MachineError
from monoyard.tools import helm
from monoyard.tools.helm import Place as HelmPlace

_NUMBER: Final = re.compile(r"(\d+)\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a deployment is put together from: here, the real things.

    Attributes:
        open_namespace: Opens a namespace; that of a real cluster unless said.
        clock: The machine's unless said.
        open_capabilities: Opens what a cluster says of itself, by kubeconfig, context, namespace.
        mirroring: When the ledger is mirrored; None for never.
    """

    open_namespace: Connect | None = None
    clock: Clock | None = None
    open_capabilities: Callable[[Path, str, str], Capabilities] = open_capabilities
    mirroring: Mirroring | None = in_background

    def releases(
        self, engine: Engine, access: Access, top: Path, settings: EnvironmentSettings
    ) -> Releases:
        """Return the releases of an environment."""
        place = HelmPlace(access.namespace, access.context, access.kubeconfig)
        return HelmReleases(engine.tools.ensure("helm"), top, place, settings.timeouts.helm)

    def charts(self, engine: Engine, top: Path) -> Renderer:
        """Return the charts of a commit."""
        delivery = engine.settings.delivery
        version = kubernetes_version(delivery, top)
        return Charts(top, delivery, engine.tools.ensure("helm"), version)

    def images(self, engine: Engine, policy: str) -> Images:
        """Return the images of the registry."""
        return PublishedImages(Supplying.of(engine), policy, partial(image_keys, engine))

    def programs(self, engine: Engine) -> Mapping[str, Callable[[], str]]:
        """Return the programs that a deployment runs, each with what returns its version."""
        return {name: partial(_version_of, engine, name) for name in ("helm", "crane", "cosign")}

    def histories(self, engine: Engine) -> Histories:
        """Return what reads the migrations of a commit."""
        return WorkTreeHistories(engine)


def _version_of(engine: Engine, name: str) -> str:
    """Return what a program says of its version; nothing is fetched for that.

    Raises:
        MachineError: It is not here, or not yet.
    """
    if not engine.tools.is_installed(name):
        raise MachineError(
            f"{name} is not here yet: it is built when first used, which takes minutes",
            code=NOT_YET,
            hint=f"`invoke tools.setup -- {name}` does it now",
        )
    said = engine.tools.installed_version(name)
    found = _NUMBER.search(said)
    if found is None:
        raise MachineError(f"it says no version: {said}", code="program-broken")
    if name == "helm" and int(found[1]) not in helm.ACCEPTED:
        known = " or ".join(map(str, helm.ACCEPTED))
        raise MachineError(f"{found[0]} is not understood: {known} is", code="tool-version")
    return found[0]


@contextmanager
def worlds(place: Place, commit: str, parts: Parts) -> Iterator[World]:
    """Give all that a deployment of a commit asks and changes.

    Raises:
        DeliveryError: At that commit the environment was somewhere else.
    """
    engine = place.engine
    delivery = engine.settings.delivery
    with laid_out(engine.repository, delivery, commit, place.name) as tree:
        _check_place(place.settings, tree, commit)
        packages = engine.workspace.packages
        recipients = find_recipients(tree.environment, engine.environment)
        data = replace(tree.environment.data, recipients=recipients)
        yield World(
            environment=replace(tree.environment, data=data),
            cluster=place.access.uid,
            namespace=place.namespace,
            ledger=place.ledger,
            releases=parts.releases(engine, place.access, tree.top, place.settings),
            charts=parts.charts(engine, tree.top),
            images=parts.images(engine, place.settings.policy),
            commits=KnownCommits(
                engine.repository, {name: package.directory for name, package in packages.items()}
            ),
            histories=parts.histories(engine),
        )


def environment_call(charts: Renderer, environment: EnvironmentSettings) -> ChartCall:
    """Return what an environment's own chart is rendered from; it goes by what services need."""
    rendered = [
        charts.render(
            charts.of_service(environment, name, placeholder(environment, name)),
            environment.name,
            name,
        )
        for name in environment.services
    ]
    return charts.of_environment(environment, rendered)


def _check_place(settings: EnvironmentSettings, tree: CommitTree, commit: str) -> None:
    """See that the commit means the environment that was entered."""
    then = tree.environment
    if (then.namespace, then.cluster) != (settings.namespace, settings.cluster):
        raise DeliveryError(
            f"at {commit[:12]} `{settings.name}` is another place than in the work tree",
            code="moved",
            context=(
                f"there: namespace {then.namespace}, pinned to {then.cluster}",
                f"here: namespace {settings.namespace}, pinned to {settings.cluster}",
            ),
            hint="commit the change, or check that commit out",
        )
