"""What a plan asks of the world."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from monoyard.charts import ChartCall, Given, Rendered
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.delivery import Ledger, Namespace
from monoyard.deployment.migrations import Histories
from monoyard.deployment.releases import Releases
from monoyard.supply import Ruling


class Images(Protocol):
    """The images that were published."""

    def repository(self, service: str) -> str:
        """Return what stands in front of the digest in a service's references."""

    def digest(self, service: str, commit: str) -> str | None:
        """Return the image of a commit; None where none was published.

        Raises:
            RegistryError: The registry does not say.
        """

    def examine(self, service: str, digest: str, commit: str) -> Ruling:
        """Return what the environment says of an image.

        Args:
            service: What it has to be.
            digest: The image.
            commit: What it has to be built from or reused for; empty for any.

        Raises:
            RegistryError: The registry does not say.
        """


class Renderer(Protocol):
    """The charts and values of the commit that is deployed."""

    def of_service(self, environment: EnvironmentSettings, name: str, given: Given) -> ChartCall:
        """Return what a service is rendered from."""

    def of_environment(
        self, environment: EnvironmentSettings, services: Iterable[Rendered]
    ) -> ChartCall:
        """Return what an environment's own chart is rendered from."""

    def render(self, call: ChartCall, environment: str, service: str) -> Rendered:
        """Render a chart.

        Raises:
            ChartError: It cannot be rendered.
        """


class Commits(Protocol):
    """What the repository knows of commits."""

    def is_older(self, commit: str, than: str) -> bool | None:
        """Say whether a commit is an ancestor of another one; None where one is not known here."""

    def new_migrations(self, service: str, since: str, commit: str) -> Iterable[str]:
        """Return the files, without suffix, of migrations that a commit has and another has not.

        Args:
            service: The service.
            since: What runs; where it is empty or not known here, all migrations are new.
            commit: What is to run.
        """


@dataclass(frozen=True, slots=True)
class World:
    """All that a deployment to one environment asks and changes.

    Attributes:
        environment: Its settings, as they are at the commit.
        cluster: UID that its cluster is pinned by.
        namespace: Its objects.
        ledger: What was done to it.
        releases: What Helm sent.
        charts: Renders the commit's charts.
        images: What was published.
        commits: What the repository knows.
        histories: Reads what migrations do.
    """

    environment: EnvironmentSettings
    cluster: str
    namespace: Namespace
    ledger: Ledger
    releases: Releases
    charts: Renderer
    images: Images
    commits: Commits
    histories: Histories
