"""`nox -s watch`: what a save affects runs again, until somebody ends it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from watchfiles import DefaultFilter, watch

from monoyard.bindings.arguments import HELP, Arguments
from monoyard.bindings.checks import Checks
from monoyard.bindings.collecting import collect
from monoyard.bindings.errors import report
from monoyard.bindings.interrupting import deferring_interrupts
from monoyard.errors import (
    ChecksFailedError,
    InterruptedRunError,
    MachineError,
    MonoyardError,
    UsageError,
)
from monoyard.plan import Plan, PlannedTask, State
from monoyard.results import Outcome
from monoyard.run import RunSummary

SUITES: Final = ("lint", "type", "unit")
"""What is watched where no suite is named."""

_IGNORED: Final = (*DefaultFilter.ignore_dirs, ".monoyard", ".nox", ".ruff_cache")
_LOOK_MILLISECONDS: Final = 200
_NAMED: Final = 3
_OF_ONE_RUN: Final = ("audit", "env", "html", "json", "profile", "sarif", "shard", "tool")
_REASON: Final = "the last save did not touch it"


def watch_checks(directory: Path, arguments: Arguments) -> None:
    """Run checks, and after every save those whose inputs it changed.

    Args:
        directory: A directory of the repository.
        arguments: What was typed.

    Raises:
        InterruptedRunError: SIGINT or SIGTERM came while something ran.
        KeyboardInterrupt: SIGINT came while nothing did.
        MachineError: The system watches no more directories.
        UsageError: An option makes sense for a single run alone.
    """
    if arguments.wants_help:
        print(HELP, end="")
        return
    usual = Arguments()
    for name in _OF_ONE_RUN:
        if getattr(arguments, name) != getattr(usual, name):
            raise UsageError(f"`watch` runs again and again, so it takes no `--{name}`")
    turns = _Turns(directory, replace(arguments, suites=arguments.suites or SUITES))
    top = turns.begin()
    for changed in _saves(top):
        turns.turn(changed)


class _Turns:
    """Runs tasks whose keys differ from those of the turn before.

    Args:
        directory: A directory of the repository.
        arguments: What was typed.
    """

    def __init__(self, directory: Path, arguments: Arguments) -> None:
        self._directory = directory
        self._arguments = arguments
        self._keys: dict[str, str] = {}
        self._failing: list[str] = []

    def begin(self) -> Path:
        """Return the directory to watch."""
        return Checks(self._directory).engine.repository.top

    def turn(self, changed: tuple[str, ...]) -> None:
        """Take up a save; what fails is told, and watched further.

        Args:
            changed: Paths from the top; none where this is the first turn.
        """
        checks = Checks(self._directory)
        try:
            self._run(checks, changed)
        except ChecksFailedError:
            pass  # its tasks were told one by one
        except InterruptedRunError:
            raise
        except MonoyardError as error:  # half a manifest, for instance: the next save may mend it
            report(error)
            print(self._closing(self._failing))
        finally:
            checks.engine.store.close()
            with deferring_interrupts():  # what is raised while objects are dropped is lost
                collect()

    def _run(self, checks: Checks, changed: tuple[str, ...]) -> None:
        plan = checks.plan(self._arguments)
        before, self._keys = self._keys, {task.task.id: _key(task) for task in plan.selected}
        # What passed while its inputs moved is not stored, and so it is not known to pass.
        unsure = {task.task.id for task in plan.in_state(State.RUN)}.difference(self._failing)
        touched = {name for name, key in self._keys.items() if before.get(name) != key} | unsure
        self._failing = [name for name in self._failing if name in self._keys]
        if not touched:
            return
        if changed:
            print(f"\n{_named(changed)} changed")
        self._carry_out(checks, plan.restricted(lambda task: task.id in touched, _REASON))

    def _carry_out(self, checks: Checks, plan: Plan) -> None:
        def remember(summary: RunSummary) -> str:
            told = {
                name: result.outcome in {Outcome.FAIL, Outcome.ERROR}
                for name, result in summary.results.items()
                if result.outcome is not Outcome.NOT_RUN
            }
            left = [name for name in self._failing if name not in told]
            self._failing = [*left, *(name for name, has_failed in told.items() if has_failed)]
            return self._closing(left)

        checks.carry_out(plan, self._arguments, closing=remember)

    @staticmethod
    def _closing(left: Iterable[str]) -> str:
        named = _named(left)
        return (f"still failing: {named}\n" if named else "") + "watching; Ctrl-C ends it"


def _key(planned: PlannedTask) -> str:
    return planned.manifest.key if planned.manifest else ""


def _named(items: Iterable[str]) -> str:
    listed = sorted(items)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more


def _saves(top: Path) -> Iterator[tuple[str, ...]]:
    """Yield once at once, and then the paths of files that were saved, made or removed.

    What happens while a turn runs is kept for the next.
    """
    # Nox has every library speak at its loudest, and this one tells each path that it leaves out.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    is_first = True
    try:
        for found in watch(
            top,
            watch_filter=DefaultFilter(ignore_dirs=_IGNORED),
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            if found or is_first:
                yield tuple(str(Path(path).relative_to(top)) for _, path in found)
            is_first = False
    except OSError as error:
        raise MachineError(
            f"the system does not watch {top}: {error}",
            hint="on Linux `sysctl fs.inotify.max_user_watches` says how many directories it may",
        ) from error
