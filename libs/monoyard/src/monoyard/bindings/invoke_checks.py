"""Tasks of the invoke door about packages, results, migrations and tools."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.tasks import task

from monoyard.bindings.invoke_door import JSON, guarded, target_of, words_of


def questions_tasks(directory: Path) -> list[Any]:
    """Return the tasks that ask about packages, and the one that locks."""

    @task(help={"since": "count changes from this ref", "json": JSON}, optional=["json"])
    @guarded
    def affected(context: Context, since: str = "", json: str | None = None) -> None:
        """List the packages that changes can break, with the causes (packages after `--`)."""
        from monoyard.recall import Look

        look = Look.begin(directory, os.environ)  # git works while the rest is imported
        try:
            from monoyard.bindings.affecting import show_affected

            show_affected(directory, words_of(context), since or None, target_of(json), look)
        finally:
            look.close()

    @task(
        help={
            "since": "only what changes since this ref can break",
            "json": JSON,
            "shards": "show instead how `--shard` divides the tasks, as JSON a matrix of CI jobs",
        },
        optional=["json"],
    )
    @guarded
    def plan(context: Context, since: str = "", json: str | None = None, shards: str = "") -> None:
        """Show what `nox -s ci` would do: tasks, cache state, expected time."""
        from monoyard.bindings.questions import show_plan, show_shards

        asked = (directory, words_of(context), since or None, target_of(json))
        if shards:
            show_shards(*asked, shards)
        else:
            show_plan(*asked)

    @task
    @guarded
    def durations(context: Context) -> None:
        """Write how long tasks took here into the table that `--shard` divides by."""
        from monoyard.bindings.sharding import write_durations

        del context
        write_durations(directory)

    @task(help={"json": JSON}, optional=["json"], positional=["name"])
    @guarded
    def explain(context: Context, name: str, json: str | None = None) -> None:
        """Say why a task (`api:unit`) runs: its causes, and what differs from its last success."""
        from monoyard.bindings.questions import show_explanation

        del context
        show_explanation(directory, name, target_of(json))

    @task(help={"json": JSON}, optional=["json"], positional=["a", "b"])
    @guarded
    def compare(context: Context, a: str, b: str, json: str | None = None) -> None:
        """Say what differs between two runs: files of `--json`, or ids of runs (`latest`)."""
        from monoyard.bindings.comparing import show_comparison

        del context
        show_comparison(directory, a, b, target_of(json))

    @task(help={"json": JSON}, optional=["json"])
    @guarded
    def flaky(context: Context, json: str | None = None) -> None:
        """List the tasks that passed and failed under one key, with their history."""
        from monoyard.bindings.flakiness import show_flaky

        del context
        show_flaky(directory, target_of(json))

    @task(
        help={
            "format": "mermaid, dot, or svg, which marks what changes affect",
            "since": "count changes from this ref (svg)",
        }
    )
    @guarded
    def graph(
        context: Context,
        format: str = "mermaid",  # noqa: A002  the option's name
        since: str = "",
    ) -> None:
        """Print the graph of packages."""
        from monoyard.bindings.questions import show_graph

        del context
        show_graph(directory, format, since or None)

    @task(help={"check": "only say whether the locks are current"})
    @guarded
    def lock(context: Context, check: bool = False) -> None:
        """Write the workspace's lock and the services' slices with pip-compile."""
        from monoyard.bindings.locking import write_locks

        del context
        write_locks(directory, check=check)

    return [affected, plan, durations, explain, compare, flaky, graph, lock]


def cache_tasks(directory: Path) -> list[Any]:
    """Return the tasks of the store."""

    @task
    @guarded
    def status(context: Context) -> None:
        """Show where the store is and what it holds."""
        from monoyard.bindings.caching import show_status

        del context
        show_status(directory)

    @task
    @guarded
    def clear(context: Context) -> None:
        """Forget every result."""
        from monoyard.bindings.caching import clear_store

        del context
        clear_store(directory)

    @task(positional=["file"])
    @guarded
    def pack(context: Context, file: str) -> None:
        """Write the store into one archive, for CI to keep between runs."""
        from monoyard.bindings.caching import pack_store

        del context
        pack_store(directory, Path(file))

    @task(positional=["file"], help={"if-exists": "do nothing where there is no such file"})
    @guarded
    def unpack(context: Context, file: str, if_exists: bool = False) -> None:
        """Take the results of an archive into the store."""
        from monoyard.bindings.caching import unpack_store

        del context
        unpack_store(directory, Path(file), if_exists=if_exists)

    return [status, clear, pack, unpack]


def migrations_tasks(directory: Path) -> list[Any]:
    """Return the tasks of migrations."""

    @task(
        name="explain",
        positional=[],
        optional=["json"],
        help={"applied": "revision that the database has: only what follows it", "json": JSON},
    )
    @guarded
    def explain_(context: Context, applied: str = "", json: str | None = None) -> None:
        """Say what migrations do: class, locks, SQL and reasons (packages after `--`)."""
        from monoyard.bindings.migrating import explain_migrations

        explain_migrations(directory, words_of(context), applied, target_of(json))

    @task(
        positional=[],
        optional=["json"],
        help={"since": "migrations that are new since this ref", "json": JSON},
    )
    @guarded
    def lint(context: Context, since: str = "", json: str | None = None) -> None:
        """Tell what new migrations do that no reviewer accepted (packages after `--`)."""
        from monoyard.bindings.migrating import lint_migrations

        lint_migrations(directory, words_of(context), since or None, target_of(json))

    return [explain_, lint]


def tools_tasks(directory: Path) -> list[Any]:
    """Return the tasks of external tools."""

    @task(name="list")
    @guarded
    def show(context: Context) -> None:
        """Show the external tools: version, and how each is found."""
        from monoyard.bindings.tooling import show_tools

        del context
        show_tools(directory)

    @task
    @guarded
    def setup(context: Context) -> None:
        """Fetch what checks use now, or tools and groups (`images`, `cluster`) named after `--`."""
        from monoyard.bindings.tooling import set_up_tools

        set_up_tools(directory, words_of(context))

    names = {"name": "`docker` or `registry`"}

    @task(help=names)
    @guarded
    def start(context: Context, name: str) -> None:
        """Start a Docker engine, or a registry on loopback; it stays until it is stopped."""
        from monoyard.bindings.tooling import start_daemon

        del context
        start_daemon(directory, name)

    @task(help=names)
    @guarded
    def stop(context: Context, name: str) -> None:
        """Stop what `tools.start` started."""
        from monoyard.bindings.tooling import stop_daemon

        del context
        stop_daemon(directory, name)

    return [show, setup, start, stop]
