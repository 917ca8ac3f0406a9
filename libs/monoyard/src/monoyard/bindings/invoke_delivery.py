"""Tasks of the invoke door about clusters, environments and deployments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.tasks import task

from monoyard.bindings.invoke_door import ENVIRONMENT, JSON, guarded, target_of, words_of


def cluster_tasks(directory: Path) -> list[Any]:
    """Return the tasks of the local cluster."""
    of = {"context": "use the cluster of this kubectl context instead of one of our own"}

    @task(help=of)
    @guarded
    def up(call: Context, context: str = "") -> None:
        """Make the local Kubernetes, or what is missing of it (needs root)."""
        from monoyard.bindings.clustering import bring_up

        del call
        bring_up(directory, context)

    @task(help=of | {"json": JSON}, optional=["json"])
    @guarded
    def status(call: Context, context: str = "", json: str | None = None) -> None:
        """Say what of the cluster works, what does not, and why."""
        from monoyard.bindings.clustering import show_status

        del call
        show_status(directory, context, target_of(json))

    @task(help=of)
    @guarded
    def down(call: Context, context: str = "") -> None:
        """Remove the local Kubernetes with all that belongs to it (needs root)."""
        from monoyard.bindings.clustering import take_down

        del call
        take_down(directory, context)

    return [up, status, down]


def environments_tasks(directory: Path) -> list[Any]:
    """Return the tasks that ask an environment, and the one that goes back."""

    @task(positional=[], optional=["json"], help={"env": ENVIRONMENT, "json": JSON})
    @guarded
    def status(context: Context, env: str = "", json: str | None = None) -> None:
        """Show what runs in an environment, and who holds it."""
        from monoyard.bindings.delivering import show_status

        del context
        show_status(directory, env, target_of(json))

    source = "`store`, or a file or directory that was fetched from it: no cluster is asked"

    @task(
        positional=[],
        optional=["json"],
        help={"env": ENVIRONMENT, "from": source, "json": JSON},
    )
    @guarded
    def history(context: Context, env: str = "", from_: str = "", json: str | None = None) -> None:
        """List what was deployed to an environment, the newest first."""
        from monoyard.bindings.delivering import show_history, tell_history
        from monoyard.bindings.mirror_reading import read_mirror

        del context
        if from_:
            tell_history(env, read_mirror(directory, env, from_), target_of(json))
        else:
            show_history(directory, env, target_of(json))

    @task(
        positional=[],
        optional=["json"],
        help={
            "env": ENVIRONMENT,
            "to": "number of a deployment in `history` (default: the one before)",
            "json": JSON,
        },
    )
    @guarded
    def rollback(context: Context, env: str = "", to: int = 0, json: str | None = None) -> None:
        """Make an environment be what it was after an earlier deployment."""
        from monoyard.bindings.deploying import roll_back

        del context
        roll_back(directory, env, to, target_of(json))

    @task(positional=[], help={"env": ENVIRONMENT, "lines": "the most lines of one container"})
    @guarded
    def logs(context: Context, env: str = "", lines: int = 50) -> None:
        """Print what the pods of services printed last (services after `--`)."""
        from monoyard.bindings.steering import show_logs

        show_logs(directory, env, words_of(context), lines)

    @task(positional=[], optional=["json"], help={"env": ENVIRONMENT, "json": JSON})
    @guarded
    def doctor(context: Context, env: str = "", json: str | None = None) -> None:
        """Say whether an environment is ready for a deployment; nothing is changed."""
        from monoyard.bindings.doctoring import diagnose

        del context
        diagnose(directory, env, target_of(json))

    return [status, history, rollback, logs, doctor]


def lease_tasks(directory: Path) -> list[Any]:
    """Return the tasks of the lock of an environment."""

    @task(name="status", positional=[], optional=["json"], help={"env": ENVIRONMENT, "json": JSON})
    @guarded
    def show(context: Context, env: str = "", json: str | None = None) -> None:
        """Show who holds an environment."""
        from monoyard.bindings.delivering import show_lease

        del context
        show_lease(directory, env, target_of(json))

    @task(positional=[], help={"env": ENVIRONMENT, "force": "also where the holder is alive"})
    @guarded
    def release(context: Context, env: str = "", force: bool = False) -> None:
        """Give an environment up in the place of a holder that is gone."""
        from monoyard.bindings.delivering import give_up_lease

        del context
        give_up_lease(directory, env, is_forced=force)

    return [show, release]


def deploy_tasks(directory: Path) -> list[Any]:
    """Return the tasks that deploy, and those that check what is deployed."""

    @task(
        name="run",
        default=True,
        positional=[],
        optional=["json"],
        help={
            "env": ENVIRONMENT,
            "commit": "what is deployed (default: HEAD); its charts and values count",
            "plan": "only show what would be done",
            "out": "write the plan to this file",
            "plan-file": "carry out the plan of this file, and nothing else",
            "confirm": "hash of the plan that was reviewed, twelve digits at least",
            "resume": "go on with the deployment whose runner is gone",
            "prune": "remove services that the repository no longer has",
            "allow-older": "also a commit that is older than what runs",
            "again": "also images that were rolled back",
            "migrated": "you ran the migrations elsewhere: do not run them",
            "allow-unclassed": "also migrations of which nobody can say here what they do",
            "allow-downtime": "also migrations that the running version cannot live with",
            "json": JSON,
        },
    )
    @guarded
    def run(
        context: Context,
        *,
        env: str = "",
        commit: str = "",
        plan: bool = False,
        out: str = "",
        plan_file: str = "",
        confirm: str = "",
        resume: bool = False,
        prune: bool = False,
        allow_older: bool = False,
        again: bool = False,
        migrated: bool = False,
        allow_unclassed: bool = False,
        allow_downtime: bool = False,
        json: str | None = None,
    ) -> None:
        """Deploy: plan, verify, migrate, roll out, or go back (services after `--`)."""
        from monoyard.bindings.deploying import Deploying, deploy, resume_deployment

        asked = Deploying(
            env, tuple(words_of(context)), commit, prune, allow_older, again, migrated,
            allow_unclassed, allow_downtime, plan, out, plan_file, confirm, target_of(json),
        )  # fmt: skip
        (resume_deployment if resume else deploy)(directory, asked)

    @task(
        optional=["json"],
        help={"update": "write the snapshots instead of comparing with them", "json": JSON},
    )
    @guarded
    def check(context: Context, update: bool = False, json: str | None = None) -> None:
        """Render every service in every environment, and say what is wrong with it."""
        from monoyard.bindings.charting import check_charts

        del context
        check_charts(directory, target_of(json), update=update)

    @task
    @guarded
    def schemas(context: Context) -> None:
        """Make the schemas that rendered objects are held against, from pinned modules."""
        from monoyard.bindings.charting import write_schemas

        del context
        write_schemas(directory)

    @task(positional=[], help={"env": ENVIRONMENT, "commit": "whose charts and values count"})
    @guarded
    def prepare(context: Context, env: str = "", commit: str = "") -> None:
        """Make what an environment has once: its deployers' Role, policies, weights."""
        from monoyard.bindings.deploying import prepare_environment

        del context
        prepare_environment(directory, env, commit)

    return [run, prepare, check, schemas, *_steering_tasks(directory)]


def _steering_tasks(directory: Path) -> list[Any]:
    """Return the tasks that tell a deployment something, from another terminal."""

    def steering(how: str, summary: str) -> Any:
        def body(context: Context, env: str = "") -> None:
            from monoyard.bindings.steering import steer

            del context
            steer(directory, env, how)

        body.__doc__ = summary
        return task(name=how, positional=[], help={"env": ENVIRONMENT})(guarded(body))

    return [
        steering("pause", "Have the rollouts of the deployment under way stay where they are."),
        steering("continue", "Have those go on that are held, or whose gates are inconclusive."),
        steering("abort", "Have the deployment under way go back, traffic first."),
    ]
