"""The tasks that ask and change an environment: what both have in common, and the questions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.charting import find_environments
from monoyard.bindings.engine import Engine
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.environments import Environments
from monoyard.delivery import Clock, Lease, Ledger, MachineClock, Namespace, Record
from monoyard.delivery.access import Access, Connect, enter, find_access
from monoyard.delivery.releasing import release_lease
from monoyard.delivery.workloads import read_workloads
from monoyard.errors import UsageError
from monoyard.report.deliveries import (
    history_lines,
    holder_data,
    holder_line,
    record_data,
    status_lines,
)

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Place:
    """An environment whose cluster is known to be the right one.

    Attributes:
        engine: The repository.
        settings: What its file says.
        access: The way to its cluster.
        namespace: Its objects.
        clock: Says what time it is.
        needs_confirmation: It changes only with the hash of a plan that was reviewed.
    """

    engine: Engine
    settings: EnvironmentSettings
    access: Access
    namespace: Namespace
    clock: Clock
    needs_confirmation: bool = False

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.settings.name

    @property
    def ledger(self) -> Ledger:
        """What was done to it."""
        return Ledger(self.namespace, self.name, self.clock)

    def lease(self, holder: str = "") -> Lease:
        """Return its Lease, for a runner of that name."""
        return Lease(self.namespace, self.name, holder, self.clock)


@contextmanager
def entered(
    directory: Path, name: str, open_namespace: Connect | None = None, clock: Clock | None = None
) -> Iterator[Place]:
    """Give the environment of a name, and nothing before its cluster is seen to be the pinned one.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        open_namespace: Opens a namespace; that of a real cluster unless said.
        clock: The machine's unless said.

    Raises:
        ClusterError: Its cluster is another one, cannot be found, or does not answer.
        UsageError: There is no such environment.
    """
    engine = Engine(directory, announce)
    environments = find_environments(engine.repository.top, engine.settings)
    settings = named_environment(environments, name)
    access = find_access(settings, engine.environment)
    namespace = enter(access, name, open_namespace)
    try:
        confirm = environments.needs_confirmation(name)
        yield Place(engine, settings, access, namespace, clock or MachineClock(), confirm)
    finally:
        namespace.close()


def named_environment(environments: Environments, name: str) -> EnvironmentSettings:
    """Return an environment that has to be named.

    Raises:
        UsageError: It is not, or there is no such one.
    """
    if not name:
        known = ", ".join(environments.by_name)
        raise UsageError("`--env` is missing", hint=f"the environments are {known}")
    return environments.named(name)


def show_status(
    directory: Path, name: str, target: str | None, open_namespace: Connect | None = None
) -> None:
    """Print what runs in an environment.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        target: Where JSON goes, as `answer` takes it; None for lines.
        open_namespace: As `entered` takes it.

    Raises:
        ClusterError: Its cluster is another one, cannot be found, or does not answer.
    """
    with entered(directory, name, open_namespace) as place:
        workloads = read_workloads(place.namespace)
        history, holder = place.ledger.history(), place.lease().look()
        last = history[0] if history else None
        where = f"{place.access.namespace} by {place.access.context}"
        services = place.settings.services
        lines = status_lines(name, where, services, workloads, last, holder)
        data = {
            "version": _VERSION, "environment": name, "namespace": place.access.namespace,
            "context": place.access.context, "services": list(services),
            "workloads": [asdict(item) for item in workloads],
            "last": record_data(last) if last else None, "lease": holder_data(holder),
        }  # fmt: skip
        answer(lines, data, target)


def show_history(
    directory: Path, name: str, target: str | None, open_namespace: Connect | None = None
) -> None:
    """Print what was deployed to an environment, the newest first; arguments as `show_status`."""
    with entered(directory, name, open_namespace) as place:
        tell_history(name, place.ledger.history(), target)


def tell_history(name: str, records: Sequence[Record], target: str | None) -> None:
    """Print deployments of an environment; `target` as `show_status` takes it."""
    data = {
        "version": _VERSION, "environment": name,
        "deployments": [record_data(record) for record in records],
    }  # fmt: skip
    answer(history_lines(records), data, target)


def show_lease(
    directory: Path, name: str, target: str | None, open_namespace: Connect | None = None
) -> None:
    """Print who holds an environment; arguments as `show_status`."""
    with entered(directory, name, open_namespace) as place:
        holder = place.lease().look()
        data = {"version": _VERSION, "environment": name, "lease": holder_data(holder)}
        answer([holder_line(holder)], data, target)


def give_up_lease(
    directory: Path,
    name: str,
    *,
    is_forced: bool,
    open_namespace: Connect | None = None,
    clock: Clock | None = None,
) -> None:
    """Give an environment up in the place of a holder that is gone.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        is_forced: Also where the holder is alive.
        open_namespace: As `entered` takes it.
        clock: As `entered` takes it.

    Raises:
        LockedError: The holder is alive.
    """
    with entered(directory, name, open_namespace, clock) as place:
        holder = release_lease(place.namespace, name, place.clock, announce, is_forced=is_forced)
        print(f"`{name}` is free now" if holder else "nobody held it")
        if holder:
            print(f"it was held by {holder.name}", file=sys.stderr)
