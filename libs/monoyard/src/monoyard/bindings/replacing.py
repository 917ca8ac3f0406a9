"""`invoke backup.restore --whole`: a backup in the place of a whole database."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from monoyard.bindings.answering import answer
from monoyard.bindings.deploy_parts import Parts
from monoyard.bindings.keeping import check_named, kept_in
from monoyard.deployment import Kept, Replacement
from monoyard.errors import DeliveryError, UsageError
from monoyard.report.replacements import planned_lines, replaced_lines

_VERSION: Final = 1
_MISFIT: Final = 18  # of `monoyard_database replace`


def rows_to_lose(said: str, *, is_whole: bool, is_planned: bool) -> int | None:
    """Return how many rows somebody says are lost; None where it is only told.

    Raises:
        UsageError: It is no number, or words stand together that do not belong together.
    """
    hint = "`--whole --plan` tells how many, and what to type"
    if not is_whole:
        raise UsageError("`--lose` goes with `--whole`", hint=hint)
    if is_planned:
        if said:
            raise UsageError("`--plan` tells what is lost, and `--lose` loses it: use one of them")
        return None
    if not said:
        raise UsageError(
            "`--whole` needs `--lose`: rows that are new or changed since the backup are lost",
            hint=hint,
        )
    if not (said.isascii() and said.isdigit()):
        raise UsageError(f"`--lose {said}` is no number of rows", hint=hint)
    return int(said)


def replace_database(
    directory: Path,
    name: str,
    of: tuple[str, str],
    lose: int | None,
    target: str | None,
    parts: Parts | None = None,
) -> None:
    """Put a backup in the place of a service's whole database, under the environment's Lease.

    Args:
        directory: A directory of the repository.
        name: Name of the environment.
        of: The service, which may be left out with a key; and the key of the backup, empty for
            the one that was taken last.
        lose: Rows that are new or changed since the backup; None only tells.
        target: Where JSON goes, as `answer` takes it.
        parts: What it is put together from.

    Raises:
        DeliveryError: It may not be done; or the database is as it was, and why.
        LockedError: Somebody else holds the environment.
        UsageError: Neither a service nor a key is named, or both and they differ.
    """
    service, key = of
    check_named(service, key)
    with kept_in(directory, name, parts, is_locked=lose is not None) as kept:
        found = key or kept.newest_of(service)
        done = kept.replace(found, lose)
        words = _command(name, found, done)
        if lose is None:
            lines = planned_lines(done, words, datetime.now(UTC))
        else:
            lines = replaced_lines(done)
        answer(lines, _data(done, lose, words), target)
        _demand(kept, done)


def _command(name: str, key: str, done: Replacement) -> str:
    """Return what a person types to have it done; empty where it is refused."""
    if done.refused:
        return ""
    rows = done.first("losses").get("rows")
    words = ("--env", name, "--whole", f"--lose={rows}", "--key", key, "--", key.split("/")[1])
    return shlex.join(("invoke", "backup.restore", *words))


def _data(done: Replacement, lose: int | None, command: str) -> dict[str, Any]:
    return {
        "version": _VERSION, "key": done.key, "whole": True, "planned": lose is None,
        "rows": done.first("losses").get("rows") if lose is None else lose,
        "command": command if lose is None else "", "events": list(done.events),
    }  # fmt: skip


def _demand(kept: Kept, done: Replacement) -> None:
    """Raise where a plan says that it may not be done."""
    if not done.refused:
        return
    is_misfit = done.refused[0]["status"] == _MISFIT
    number = kept.before_backup(done.key) if is_misfit else 0
    name = kept.environment.name
    hint = (
        f"`invoke rollback --env {name} --to {number}` has the version run that it was taken of"
        if number
        else "`--key` names another backup; docs/how-to/back-up-a-database.md has it by hand"
    )
    raise DeliveryError(
        f"{done.key} cannot take the place of the database",
        code="does-not-fit" if is_misfit else "refused",
        context=tuple(str(item["message"]) for item in done.refused),
        hint=hint,
    )
