"""Tasks of the invoke door about backups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.tasks import task

from monoyard.bindings.invoke_door import ENVIRONMENT, JSON, guarded, target_of, words_of
from monoyard.errors import UsageError

_KEY = "of a backup, as `backup.list` shows it"


def backup_tasks(directory: Path) -> list[Any]:
    """Return the tasks about the backups of an environment."""

    @task(name="list", positional=[], optional=["json"], help={"env": ENVIRONMENT, "json": JSON})
    @guarded
    def show(context: Context, env: str = "", json: str | None = None) -> None:
        """List the backups of an environment, the newest first."""
        from monoyard.bindings.keeping import show_backups

        del context
        show_backups(directory, env, target_of(json))

    @task(
        positional=[],
        optional=["json"],
        help={"env": ENVIRONMENT, "key": f"{_KEY} (default: the newest)", "json": JSON},
    )
    @guarded
    def verify(context: Context, env: str = "", key: str = "", json: str | None = None) -> None:
        """Restore a backup into a throwaway PostgreSQL, and compare it with what was there."""
        from monoyard.bindings.keeping import verify_backup

        del context
        verify_backup(directory, env, key, target_of(json))

    @task(
        positional=[],
        optional=["json"],
        help={
            "env": ENVIRONMENT,
            "key": f"{_KEY} (default: the one before the service's last migration; with `--whole` "
            "the newest)",
            "plan": "only tell what is lost; with `--whole` what would be",
            "whole": "put the backup in the place of the whole database",
            "lose": "with `--whole`: how many rows that are new or changed since the backup are "
            "lost, as `--plan` counts them",
            "json": JSON,
        },
    )
    @guarded
    def restore(
        context: Context,
        *,
        env: str = "",
        key: str = "",
        plan: bool = False,
        whole: bool = False,
        lose: str = "",
        json: str | None = None,
    ) -> None:
        """Bring back tables and columns that a database lost (a service after `--`)."""
        from monoyard.bindings.keeping import restore_backup
        from monoyard.bindings.replacing import replace_database, rows_to_lose

        words = words_of(context)
        if len(words) > 1:
            raise UsageError("one service at a time")
        service = words[0] if words else ""
        if whole or lose:
            rows = rows_to_lose(lose, is_whole=whole, is_planned=plan)
            replace_database(directory, env, (service, key), rows, target_of(json))
            return
        restore_backup(directory, env, service, key, target_of(json), is_planned=plan)

    return [show, verify, restore]
