"""Tasks of the invoke door about images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.tasks import task

from monoyard.bindings.invoke_door import JSON, guarded, target_of, words_of


def images_tasks(directory: Path) -> list[Any]:
    """Return the tasks of images."""

    @task(name="list", help={"json": JSON}, optional=["json"])
    @guarded
    def show(context: Context, json: str | None = None) -> None:
        """Show the images: digests of what is here now, or why there is none yet."""
        from monoyard.bindings.imaging import list_images

        del context
        list_images(directory, target_of(json))

    @task(
        help={"prune": "remove what trials left that were killed", "json": JSON},
        optional=["json"],
    )
    @guarded
    def disk(context: Context, prune: bool = False, json: str | None = None) -> None:
        """Show what images take on this machine's disk, and what killed trials left."""
        from monoyard.bindings.disk import show_disk_use

        del context
        show_disk_use(directory, target_of(json), is_pruned=prune)

    @task
    @guarded
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
            "json": JSON,
        },
    )
    @guarded
    def verify(context: Context, what: str, env: str = "", json: str | None = None) -> None:
        """Say why an environment accepts images of the registry, or why it does not."""
        from monoyard.bindings.verifying import verify_images

        del context
        verify_images(directory, what, env, target_of(json))

    @task(
        name="explain",
        positional=["name"],
        optional=["json"],
        help={
            "name": "a package",
            "against": "tag to compare with (default: that of the branch)",
            "json": JSON,
        },
    )
    @guarded
    def explain_(context: Context, name: str, against: str = "", json: str | None = None) -> None:
        """Say what differs between an image of the registry and the one of the work tree."""
        from monoyard.bindings.verifying import explain_image

        del context
        explain_image(directory, name, against, target_of(json))

    @task(
        positional=[],
        iterable=["keep_running", "without_env"],
        optional=["json"],
        help={
            "apply": "remove them; without it nothing is removed",
            "keep-running": "file with the digests that run, one a line (repeat it, or use commas)",
            "nothing-runs": "say that nothing runs anywhere, where no list or environment does",
            "without-env": "environment that is not asked, because it needs no image (repeat it)",
            "grace": "keep what is younger, such as `12h` or `7d`",
            "json": JSON,
        },
    )
    @guarded
    def prune(
        context: Context,
        keep_running: list[str],
        without_env: list[str],
        grace: str = "7d",
        apply: bool = False,
        nothing_runs: bool = False,
        json: str | None = None,
    ) -> None:
        """Say which images of the registry are no longer needed, and why (packages after `--`)."""
        from monoyard.bindings.pruning import Pruning, prune_images

        asked = Pruning(
            tuple(words_of(context)), tuple(keep_running), grace, apply, nothing_runs,
            tuple(without_env), target_of(json),
        )  # fmt: skip
        prune_images(directory, asked)

    return [show, disk, refresh, verify, explain_, prune]
