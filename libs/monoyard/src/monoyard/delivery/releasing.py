"""Takes an environment away from a holder who will not give it up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from monoyard.delivery.clock import Clock
from monoyard.delivery.cluster import ConflictError, Namespace
from monoyard.delivery.lease import LEASE_NAME, Holder, read_holder
from monoyard.delivery.objects import LEASE
from monoyard.errors import LockedError

_PAUSE_SECONDS: Final = 1.0


def release_lease(
    namespace: Namespace,
    environment: str,
    clock: Clock,
    tell: Callable[[str], None],
    *,
    is_forced: bool = False,
) -> Holder | None:
    """Give an environment up in the place of its holder.

    A holder that is alive renews its Lease, so that one is watched for as long as a renewal lasts.
    A deployment does the same before it takes over; this is for whoever will not wait for one. A
    holder whose Lease was taken by force sees that at its next renewal, stops what it has under
    way, and can add nothing to the ledger from the next deployment on.

    Args:
        namespace: Where the Lease lies.
        environment: Name of the environment.
        clock: Says what time it is, and waits.
        tell: Is told what we wait for.
        is_forced: Take it from a holder that is alive.

    Returns:
        Who held it; None where nobody did.

    Raises:
        LockedError: The holder is alive.
    """
    found = namespace.get(LEASE, LEASE_NAME)
    holder = read_holder(found) if found is not None else None
    if found is None or holder is None or not holder.name:
        return None
    if not is_forced:
        tell(f"watching {holder.name} for {holder.duration:.0f} s")
        _watch(namespace, environment, clock, holder)
    try:
        namespace.replace(LEASE, {**found, "spec": {**found["spec"], "holderIdentity": ""}})
    except ConflictError as error:
        if not is_forced:
            raise _alive(environment, holder) from error
        return release_lease(namespace, environment, clock, tell, is_forced=True)
    return holder


def _watch(namespace: Namespace, environment: str, clock: Clock, holder: Holder) -> None:
    since = clock.now()
    while clock.now() - since < holder.duration:
        clock.sleep(_PAUSE_SECONDS)
        found = namespace.get(LEASE, LEASE_NAME)
        if found is None or read_holder(found).version != holder.version:
            raise _alive(environment, holder)


def _alive(environment: str, holder: Holder) -> LockedError:
    return LockedError(
        f"{holder.name} holds `{environment}` and is alive",
        context=(f"renewed at {holder.renewed}, and again since",),
        hint="stop it (Ctrl-C where it runs), or `--force`: it stops itself at its next renewal",
    )
