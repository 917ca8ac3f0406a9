"""The builder of a run: BuildKit through buildx, and what a bake says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monoyard.errors import MachineError
from monoyard.images.buildkit import Daemon
from monoyard.images.machine_faults import refuse_crash_of_full_disk, refuse_full_disk
from monoyard.images.order import Made
from monoyard.process import PROXIES, Command, Completed, capture, clean
from monoyard.tools import buildx
from monoyard.tools.buildx import Target

CREDENTIALS: Final = ("AWS_*", "AZURE_*", "DOCKER_*", "GOOGLE_*", "REGISTRY_AUTH_FILE")
"""Variables that credentials for registries are found by."""

_NAME: Final = "monoyard"
_KEPT_LINES: Final = 40
_LAST_LINES: Final = 5


class Builder:
    """Builds targets.

    Args:
        program: buildx.
        daemon: The BuildKit that does it.
        work: Directory for what buildx itself keeps.
        log: File that everything it says is added to.

    Attributes:
        notes: What a person should know about the builds so far.
    """

    def __init__(self, program: Path, daemon: Daemon, work: Path, log: Path) -> None:
        self.notes: tuple[str, ...] = ()
        self._program = program
        self._daemon = daemon
        self._work = work
        self._log = log
        self._call(buildx.create_builder(program, _NAME, daemon.address), b"")

    def build(self, targets: Sequence[Target]) -> Completed:
        """Build targets; when one fails, all do.

        Raises:
            MachineError: The disk is full, or BuildKit is gone.
        """
        for target in targets:
            if target.output is not None:
                shutil.rmtree(target.output, ignore_errors=True)
        metadata = self._work / "metadata.json"
        names = [target.name for target in targets]
        argv = buildx.bake(self._program, _NAME, metadata, names)
        done = self._call(argv, buildx.definition(targets))
        with self._log.open("ab") as log:
            log.write(done.stderr)
        said = done.stderr.decode("utf-8", "replace")
        noted = _cache_notes(said)
        self.notes = tuple(dict.fromkeys((*self.notes, *noted)))
        if done.status:
            refuse_full_disk(said, self._daemon.state.parent)
            if not self._daemon.is_alive():
                refuse_crash_of_full_disk(self._daemon.said, self._daemon.state)
                raise MachineError(
                    "BuildKit ended in the middle of a build",
                    code="builder-lost",
                    context=tuple(self._daemon.said[-_LAST_LINES:]),
                    hint="run it again: steps that were done are kept",
                )
        return done

    def bake(self, targets: Sequence[Target]) -> dict[str, Made]:
        """Build all targets; those that do not fail are built again without those that do.

        Returns:
            What is wrong with those that failed.

        Raises:
            MachineError: The disk is full, or BuildKit is gone.
        """
        failures: dict[str, Made] = {}
        while left := [target for target in targets if target.name not in failures]:
            done = self.build(left)
            if done.status == 0:
                break
            said = done.stderr.decode("utf-8", "replace")
            if lost := _without_base(left, said):
                failures |= lost
                continue
            names = {target.name for target in left}
            failed = {*buildx.failed_targets(said)} & names
            for name in failed or names:
                failures[name] = Made(problem=_reason(said), log=log_of(said), is_error=not failed)
        return failures

    def _call(self, argv: tuple[str, ...], said: bytes) -> Completed:
        own = {"BUILDX_CONFIG": str(self._work / "buildx"), **buildx.ENVIRONMENT}
        environment = clean((*CREDENTIALS, *PROXIES), os.environ) | own
        return capture(Command(argv, self._work, environment, stdin=said, dies_with_parent=True))


def log_of(said: str) -> str:
    """Return what buildx repeats of the step that failed, without what went well."""
    repeated = buildx.repeated(said)
    return "\n".join(repeated) if repeated else "\n".join(said.splitlines()[-_KEPT_LINES:])


def _reason(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.startswith("ERROR:")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else "the build failed"


def _without_base(targets: Sequence[Target], said: str) -> dict[str, Made]:
    """Return what became of targets whose upstream base cannot be had."""
    failed = [(step.name, step.error) for step in buildx.steps(said) if step.error]
    # A step that two targets share is told as canceled where one was given up for the other: the
    # last line names the base as well.
    failed.append((reason := _reason(said), reason))
    lost = {}
    for target in targets:
        for place in target.contexts.values():
            upstream = place.removeprefix(buildx.IMAGE)
            errors = [error for name, error in failed if upstream in name]
            if errors and upstream != place:
                why = errors[0].rpartition(f"{upstream}: ")[2]
                lost[target.name] = Made.of(
                    MachineError(
                        f"base image {upstream} cannot be had: {why}",
                        hint="its registry has to answer with the bytes of this digest; "
                        "`docker login` stores credentials",
                    )
                )
    return lost


def _cache_notes(said: str) -> tuple[str, ...]:
    """Say what a cache did not do; that one is still empty is nothing to tell."""
    failed = buildx.cache_faults(said)
    notes = []
    if failed.reading:
        notes.append(f"the layer cache cannot be read, so more was built: {failed.reading}")
    if failed.writing:
        notes.append(f"the layer cache cannot be written, so nobody else has it: {failed.writing}")
    return tuple(notes)
