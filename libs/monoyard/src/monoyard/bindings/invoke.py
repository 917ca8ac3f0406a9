"""The invoke door: tasks that ask and act. With `nox.py`, the only importer of its host.

    # tasks.py
    from pathlib import Path
    from monoyard.bindings.invoke import collection
    namespace = collection(Path(__file__).parent)

Packages come after `--`, as at the nox door, because invoke has no variadic arguments.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

_JSON = "print JSON; `--json=FILE` writes it"


def collection(directory: Path) -> Collection:
    """Return every task for the repository that `directory` lies in."""
    root = Collection()
    for item in _questions(directory):
        root.add_task(item)
    for name, items in (
        ("cache", _cache(directory)),
        ("deploy", _deploy(directory)),
        ("images", _images(directory)),
        ("migrations", _migrations(directory)),
        ("tools", _tools(directory)),
    ):
        inner = Collection(name)
        for item in items:
            inner.add_task(item)
        root.add_collection(inner)
    return root


def _guarded(body: Callable[..., None]) -> Callable[..., None]:
    """Turn an error into words and an exit code; invoke ends the process with it."""

    @functools.wraps(body)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            body(*arguments, **options)
            sys.stdout.flush()  # here, a reader that went away is still an error of ours to tell
        except Exit:
            raise
        except KeyboardInterrupt:
            raise Exit("interrupted", code=130) from None
        except Exception as error:  # noqa: BLE001  the error printer of this door
            from monoyard.bindings.errors import report

            raise Exit(code=report(error)) from None

    return run


def _words(context: Context) -> list[str]:
    """Return what stands after `--`."""
    import shlex

    return shlex.split(context.remainder)


def _questions(directory: Path) -> list[Any]:
    @task(help={"since": "count changes from this ref", "json": _JSON}, optional=["json"])
    @_guarded
    def affected(context: Context, since: str = "", json: str | None = None) -> None:
        """List the packages that changes can break, with the causes (packages after `--`)."""
        from monoyard.bindings.questions import show_affected

        show_affected(directory, _words(context), since or None, _target(json))

    @task(
        help={"since": "only what changes since this ref can break", "json": _JSON},
        optional=["json"],
    )
    @_guarded
    def plan(context: Context, since: str = "", json: str | None = None) -> None:
        """Show what `nox -s ci` would do: tasks, cache state, expected time."""
        from monoyard.bindings.questions import show_plan

        show_plan(directory, _words(context), since or None, _target(json))

    @task(help={"json": _JSON}, optional=["json"], positional=["name"])
    @_guarded
    def explain(context: Context, name: str, json: str | None = None) -> None:
        """Say why a task (`api:unit`) runs: its causes, and what differs from its last success."""
        from monoyard.bindings.questions import show_explanation

        del context
        show_explanation(directory, name, _target(json))

    @task(help={"format": "mermaid or dot"})
    @_guarded
    def graph(context: Context, format: str = "mermaid") -> None:  # noqa: A002  the option's name
        """Print the graph of packages."""
        from monoyard.bindings.questions import show_graph

        del context
        show_graph(directory, format)

    @task(help={"check": "only say whether the locks are current"})
    @_guarded
    def lock(context: Context, check: bool = False) -> None:
        """Write the workspace's lock and the services' slices with pip-compile."""
        from monoyard.bindings.locking import write_locks

        del context
        write_locks(directory, check=check)

    return [affected, plan, explain, graph, lock]


def _cache(directory: Path) -> list[Any]:
    @task
    @_guarded
    def status(context: Context) -> None:
        """Show where the store is and what it holds."""
        from monoyard.bindings.caching import show_status

        del context
        show_status(directory)

    @task
    @_guarded
    def clear(context: Context) -> None:
        """Forget every result."""
        from monoyard.bindings.caching import clear_store

        del context
        clear_store(directory)

    @task(positional=["file"])
    @_guarded
    def pack(context: Context, file: str) -> None:
        """Write the store into one archive, for CI to keep between runs."""
        from monoyard.bindings.caching import pack_store

        del context
        pack_store(directory, Path(file))

    @task(positional=["file"], help={"if-exists": "do nothing where there is no such file"})
    @_guarded
    def unpack(context: Context, file: str, if_exists: bool = False) -> None:
        """Take the results of an archive into the store."""
        from monoyard.bindings.caching import unpack_store

        del context
        unpack_store(directory, Path(file), if_exists=if_exists)

    return [status, clear, pack, unpack]


def _deploy(directory: Path) -> list[Any]:
    @task(
        optional=["json"],
        help={"update": "write the snapshots instead of comparing with them", "json": _JSON},
    )
    @_guarded
    def check(context: Context, update: bool = False, json: str | None = None) -> None:
        """Render every service in every environment, and say what is wrong with it."""
        from monoyard.bindings.charting import check_charts

        del context
        check_charts(directory, _target(json), update=update)

    @task
    @_guarded
    def schemas(context: Context) -> None:
        """Make the schemas that rendered objects are held against, from pinned modules."""
        from monoyard.bindings.charting import write_schemas

        del context
        write_schemas(directory)

    return [check, schemas]


def _images(directory: Path) -> list[Any]:
    @task(name="list", help={"json": _JSON}, optional=["json"])
    @_guarded
    def show(context: Context, json: str | None = None) -> None:
        """Show the images: digests of what is here now, or why there is none yet."""
        from monoyard.bindings.imaging import list_images

        del context
        list_images(directory, _target(json))

    @task
    @_guarded
    def refresh(context: Context) -> None:
        """Lock what Debian has now for the base images, and print what changed."""
        from monoyard.bindings.imaging import refresh_bases

        del context
        refresh_bases(directory)

    @task(
        positional=["what"],
        optional=["json"],
        help={
            "what": "a package, a commit, or a reference such as `api:TAG` or `api@sha256:...`",
            "env": "the environment that has to accept it (default: the policy's first)",
            "json": _JSON,
        },
    )
    @_guarded
    def verify(context: Context, what: str, env: str = "", json: str | None = None) -> None:
        """Say why an environment accepts images of the registry, or why it does not."""
        from monoyard.bindings.verifying import verify_images

        del context
        verify_images(directory, what, env, _target(json))

    @task(
        name="explain",
        positional=["name"],
        optional=["json"],
        help={
            "name": "a package",
            "against": "tag to compare with (default: that of the branch)",
            "json": _JSON,
        },
    )
    @_guarded
    def explain_(context: Context, name: str, against: str = "", json: str | None = None) -> None:
        """Say what differs between an image of the registry and the one of the work tree."""
        from monoyard.bindings.verifying import explain_image

        del context
        explain_image(directory, name, against, _target(json))

    @task(
        positional=[],
        iterable=["keep_running"],
        optional=["json"],
        help={
            "apply": "remove them; without it nothing is removed",
            "keep-running": "file with the digests that run, one a line (repeat it, or use commas)",
            "nothing-runs": "say that nothing runs anywhere, instead of a list",
            "grace": "keep what is younger, such as `12h` or `7d`",
            "json": _JSON,
        },
    )
    @_guarded
    def prune(
        context: Context,
        keep_running: list[str],
        grace: str = "7d",
        apply: bool = False,
        nothing_runs: bool = False,
        json: str | None = None,
    ) -> None:
        """Say which images of the registry are no longer needed, and why (packages after `--`)."""
        from monoyard.bindings.pruning import Pruning, prune_images

        words, lists = tuple(_words(context)), tuple(keep_running)
        asked = Pruning(words, lists, grace, apply, nothing_runs, _target(json))
        prune_images(directory, asked)

    return [show, refresh, verify, explain_, prune]


def _migrations(directory: Path) -> list[Any]:
    @task(
        name="explain",
        positional=[],
        optional=["json"],
        help={"applied": "revision that the database has: only what follows it", "json": _JSON},
    )
    @_guarded
    def explain_(context: Context, applied: str = "", json: str | None = None) -> None:
        """Say what migrations do: class, locks, SQL and reasons (packages after `--`)."""
        from monoyard.bindings.migrating import explain_migrations

        explain_migrations(directory, _words(context), applied, _target(json))

    @task(
        positional=[],
        optional=["json"],
        help={"since": "migrations that are new since this ref", "json": _JSON},
    )
    @_guarded
    def lint(context: Context, since: str = "", json: str | None = None) -> None:
        """Tell what new migrations do that no reviewer accepted (packages after `--`)."""
        from monoyard.bindings.migrating import lint_migrations

        lint_migrations(directory, _words(context), since or None, _target(json))

    return [explain_, lint]


def _tools(directory: Path) -> list[Any]:
    @task(name="list")
    @_guarded
    def show(context: Context) -> None:
        """Show the external tools: version, and how each is found."""
        from monoyard.bindings.tooling import show_tools

        del context
        show_tools(directory)

    @task
    @_guarded
    def setup(context: Context) -> None:
        """Fetch what checks use now, or tools and groups (`checks`, `images`) named after `--`."""
        from monoyard.bindings.tooling import set_up_tools

        set_up_tools(directory, _words(context))

    names = {"name": "`docker` or `registry`"}

    @task(help=names)
    @_guarded
    def start(context: Context, name: str) -> None:
        """Start a Docker engine, or a registry on loopback; it stays until it is stopped."""
        from monoyard.bindings.tooling import start_daemon

        del context
        start_daemon(directory, name)

    @task(help=names)
    @_guarded
    def stop(context: Context, name: str) -> None:
        """Stop what `tools.start` started."""
        from monoyard.bindings.tooling import stop_daemon

        del context
        stop_daemon(directory, name)

    return [show, setup, start, stop]


def _target(value: str | bool | None) -> str | None:
    """Return None without `--json`, an empty string for standard output, else the file."""
    if value is None or value is False:
        return None
    return "" if value is True else str(value)
