"""A deployment that is under way, from another terminal; and what its services print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monoyard.bindings.delivering import entered
from monoyard.config import suggest
from monoyard.delivery.access import Connect
from monoyard.deployment import STEERING, log_lines, open_record
from monoyard.errors import UsageError

_DONE: Final = {"pause": "stays where it is", "continue": "goes on", "abort": "goes back"}


def steer(directory: Path, name: str, how: str, open_namespace: Connect | None = None) -> None:
    """Tell the rollouts of the deployment that is under way to stay, to go on, or to go back.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        how: `pause`, `continue` or `abort`.
        open_namespace: Opens a namespace; that of a real cluster unless said.

    Raises:
        ClusterError: The cluster is another one, cannot be found, or does not answer.
        DeliveryError: Nothing is under way that could be told so.
    """
    with entered(directory, name, open_namespace) as place:
        record = open_record(place.ledger, name)
        for rollout in STEERING[how](place.namespace, record):
            print(f"{rollout} {_DONE[how]}")
        holder = place.lease().look()
        if how == "abort" and not (holder and holder.name):
            print(
                f"nobody holds `{name}`: `invoke deploy --env {name} --resume` ends what was begun",
                file=sys.stderr,
            )


def show_logs(
    directory: Path,
    name: str,
    services: Sequence[str],
    lines: int,
    open_namespace: Connect | None = None,
) -> None:
    """Print what the pods of services printed last.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        services: Names of services; none means all.
        lines: The most lines of one container.
        open_namespace: As `steer` takes it.

    Raises:
        ClusterError: The cluster is another one, cannot be found, or does not answer.
        UsageError: There is no such service, or no such number of lines.
    """
    if lines < 1:
        raise UsageError("`--lines` is a number from 1 on")
    with entered(directory, name, open_namespace) as place:
        known = place.settings.services
        for service in services:
            if service not in known:
                message = f"`{name}` has no service `{service}`{suggest(service, known)}"
                raise UsageError(message)
        for line in log_lines(place.namespace, services or known, lines):
            print(line)
