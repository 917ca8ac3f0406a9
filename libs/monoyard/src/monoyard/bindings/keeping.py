"""`invoke backup.list`, `backup.verify` and `backup.restore`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.delivering import entered
from monoyard.bindings.deploy_crew import crew_of
from monoyard.bindings.deploy_parts import Parts
from monoyard.bindings.interrupting import terminable
from monoyard.delivery import Lease, Ledger
from monoyard.deployment import Kept, Runs, last_settings
from monoyard.errors import UsageError
from monoyard.report.backups import backup_lines, recovery_lines, verified_line

_VERSION: Final = 1


def show_backups(
    directory: Path, name: str, target: str | None, parts: Parts | None = None
) -> None:
    """Print the backups of an environment, the newest first.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        target: Where JSON goes, as `answer` takes it.
        parts: What it is put together from.

    Raises:
        DeliveryError: The store does not say.
    """
    with kept_in(directory, name, parts, say=lambda _: None) as kept:
        found = kept.list()
        data = {"version": _VERSION, "environment": name, "backups": list(found)}
        answer(backup_lines(found), data, target)


def verify_backup(
    directory: Path, name: str, key: str, target: str | None, parts: Parts | None = None
) -> None:
    """Have a backup restored into a throwaway PostgreSQL, and compared.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        key: Of the backup; empty for the one that a deployment took last.
        target: Where JSON goes, as `answer` takes it.
        parts: What it is put together from.

    Raises:
        DeliveryError: It is not good, or that cannot be found out.
    """
    with kept_in(directory, name, parts) as kept:
        found = kept.verify(key or kept.newest())
        answer([verified_line(found)], {"version": _VERSION, **found}, target)


def restore_backup(
    directory: Path,
    name: str,
    service: str,
    key: str,
    target: str | None,
    *,
    is_planned: bool,
    parts: Parts | None = None,
) -> None:
    """Bring back the tables and columns that a database lost, under the environment's Lease.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        service: Whose database; may be left out with a key.
        key: Of the backup; empty for the one before the service's last migration.
        target: Where JSON goes, as `answer` takes it.
        is_planned: Only tell what is lost.
        parts: What it is put together from.

    Raises:
        DeliveryError: Nothing, or not all, was brought back.
        LockedError: Somebody else holds the environment.
        UsageError: Neither a service nor a key is named, or both and they differ.
    """
    check_named(service, key)
    with kept_in(directory, name, parts, is_locked=not is_planned) as kept:
        found = key or kept.newest_before_migration(service)
        events = kept.recover(found, is_planned=is_planned)
        data = {"version": _VERSION, "key": found, "planned": is_planned, "events": list(events)}
        answer(recovery_lines(found, events, is_planned=is_planned), data, target)


def check_named(service: str, key: str) -> None:
    """See that it is said whose database is meant.

    Raises:
        UsageError: Neither a service nor a key is named, or both and they differ.
    """
    if not service and not key:
        raise UsageError("name a service after `--`, or a backup by `--key`")
    if service and key and key.split("/")[1:2] != [service]:
        raise UsageError(f"`{key}` is no backup of {service}")


@contextmanager
def kept_in(
    directory: Path,
    name: str,
    parts: Parts | None,
    *,
    is_locked: bool = False,
    say: Callable[[str], None] = announce,
) -> Iterator[Kept]:
    """Give the backups of an environment; errors as of `entered`.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        parts: What it is put together from.
        is_locked: Under the environment's Lease.
        say: Is told what Jobs say.
    """
    parts = parts or Parts()
    with terminable(), entered(directory, name, parts.open_namespace, parts.clock) as place:
        top = place.engine.repository.top
        releases = parts.releases(place.engine, place.access, top, place.settings)
        crew, run = crew_of(place, parts.mirroring), secrets.token_hex(4)

        def kept(ledger: Ledger, lease: Lease | None = None) -> Kept:
            alive = lease.check if lease is not None else lambda: None
            runs = Runs(place.namespace, place.clock, alive, say, place.settings.timeouts)
            return Kept(place.settings, ledger, releases, runs, run, crew.by, lease)

        if not is_locked:
            yield kept(place.ledger)
            return
        mirror = last_settings(place.ledger.history())
        with (
            crew.mirrored(place.namespace, place.ledger, place.name, mirror) as ledger,
            crew.holding(place.namespace, place.name) as lease,
        ):
            yield kept(ledger, lease)
