"""`nox -s audit-affected`: whether commits ever changed what they were not said to affect."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import Arguments
from monoyard.bindings.auditing_words import HELP, Span, read_words
from monoyard.bindings.checks import Checks
from monoyard.bindings.collecting import collect
from monoyard.bindings.interrupting import deferring_interrupts, terminable
from monoyard.config import IMAGE_SUITE
from monoyard.errors import (
    ChecksFailedError,
    ConfigurationError,
    InterruptedRunError,
    RepositoryError,
)
from monoyard.observing import Commit, Judged, Outlook, Pair, Results, Steps
from monoyard.plan import Plan, Selection, find_makers
from monoyard.report.histories import history_data, history_lines, outlook_line
from monoyard.tools import git_refs
from monoyard.workspace import Repository, SideTree


def audit_affected(directory: Path, words: Sequence[str]) -> None:
    """Run, at commits of the past, what they do not affect, and tell what ended otherwise.

    `Steps` says what has to run where. All of it runs in a work tree of its own, with the engine of
    today: that is the one whose answers are relied on from now on, and the one that can be mended.

    Args:
        directory: A directory of the repository.
        words: What stands after `--`.

    Raises:
        ChecksFailedError: Something ended otherwise that was not affected.
        InterruptedRunError: SIGINT or SIGTERM came while tasks ran.
        RepositoryError: There are no such commits.
        UsageError: A word is not understood.
    """
    span, arguments = read_words(words)
    if arguments.wants_help:
        print(HELP, end="")
        return
    repository = Repository.locate(directory)
    commits = _commits(repository, span)
    with terminable(signal.SIGHUP), _side_tree(repository) as tree:
        judged = _Audit(tree, arguments).judge(commits)
    answer(history_lines(judged), history_data(judged), arguments.json)
    if arguments.json is not None:
        for line in history_lines(judged):
            print(line, file=sys.stderr if arguments.json == "" else sys.stdout)
    if any(item.found for item in judged):
        raise ChecksFailedError("a change broke or mended what it was not said to affect")


class _Audit:
    """Plans and runs commits of the past.

    Args:
        tree: Where.
        arguments: What was typed.
    """

    def __init__(self, tree: SideTree, arguments: Arguments) -> None:
        self._tree = tree
        self._arguments = arguments
        self._names: tuple[frozenset[str], frozenset[str]] | None = None

    def judge(self, commits: Sequence[Commit]) -> list[Judged]:
        """Return what came of the step to each commit but the first, the oldest first."""
        announce(f"looking at {len(commits)} commits")
        outlooks = [self._outlook(commit) for commit in reversed(commits)][::-1]
        steps = Steps(outlooks)
        judged = []
        before: Results = {}
        for number, outlook in enumerate(outlooks):
            where = f"{number}/{len(commits) - 1}" if number else "before the first"
            announce(f"commit {where}: {outlook_line(outlook) if number else outlook.commit}")
            after = self._run(outlook.commit, steps.to_run(number))
            if number:
                again = partial(self._again, outlooks[number - 1], outlook)
                judged.append(steps.judge(number, before, after, again))
            before = after
        return judged

    def _again(self, before: Outlook, after: Outlook, tasks: frozenset[str]) -> Pair:
        """Run tasks once more at both ends of a step, the newer one first: the tree is there."""
        names = ", ".join(sorted(tasks))
        announce(f"once more, at the commit and at the one before: {names}")
        late = self._run(after.commit, tasks)
        return self._run(before.commit, tasks & before.there), late

    def _outlook(self, commit: Commit) -> Outlook:
        with self._checks(commit) as checks:
            try:
                return Outlook.of(commit, self._plan(checks, commit))
            except ConfigurationError as error:
                return Outlook(commit, problem=" ".join((error.message, *error.context[:1])))

    def _run(self, commit: Commit, tasks: frozenset[str]) -> Results:
        """Run tasks and those that make what they read; return how the former ended.

        Raises:
            InterruptedRunError: SIGINT or SIGTERM came.
        """
        if not tasks:
            return {}
        with self._checks(commit) as checks:
            plan = self._plan(checks, commit)
            makers = find_makers(planned.task for planned in plan.tasks)
            needed = tasks.union(*(makers.get(task, ()) for task in tasks))
            todo = plan.restricted(lambda task: task.id in needed)
            # What a task needs to pass before is no reason not to see how it ends itself.
            summary = checks.execute(todo, Arguments(use_cache=False, keep_going=True))
        if summary.interrupted:
            raise InterruptedRunError("the audit was interrupted; nothing of it is left")
        return {name: result for name, result in summary.results.items() if name in tasks}

    def _plan(self, checks: Checks, commit: Commit) -> Plan:
        """Plan a commit against its parent, with all selected that was asked for."""
        engine = checks.engine
        there = engine.workspace.packages
        if self._names is None:  # names are those of the newest commit, which comes first
            find = engine.workspace.find
            arguments = self._arguments
            self._names = frozenset(find(arguments.packages)), frozenset(find(arguments.exclude))
        named, excluded = self._names
        plan = engine.plan(
            Selection(
                packages=tuple(sorted(named & there.keys())),
                suites=self._arguments.suites,
                exclude=tuple(sorted(excluded & there.keys())),
                since=commit.parent or commit.id,
                use_cache=False,
                whole=True,
            )
        )
        is_asked = not named or bool(named & there.keys())
        return plan.restricted(lambda task: is_asked and task.suite != IMAGE_SUITE)

    @contextmanager
    def _checks(self, commit: Commit) -> Iterator[Checks]:
        self._tree.visit(commit.id)
        checks = Checks(self._tree.top)
        try:
            yield checks
        finally:
            checks.engine.store.close()
            with deferring_interrupts():
                collect()


@contextmanager
def _side_tree(repository: Repository) -> Iterator[SideTree]:
    tree = SideTree(repository)
    try:
        yield tree
    finally:
        with deferring_interrupts():
            tree.remove()


def _commits(repository: Repository, span: Span) -> list[Commit]:
    """Return the commits to audit, the oldest first, and in front of them where they begin.

    Raises:
        RepositoryError: There are none, or an end of the span does not exist.
    """
    ends = [_resolve(repository, span.last)]
    if span.first:
        ends.append(f"^{_resolve(repository, span.first)}")
    found = _listed(repository, ends, span.limit)
    if found and (parent := found[0].parent):
        return [*_listed(repository, [parent], 1), *found]
    if len(found) > 1:
        return found
    is_shallow = (repository.ask(git_refs.is_shallow()) or b"").strip() == b"true"
    raise RepositoryError(
        f"`{span}` names no commit that has a parent here",
        code="no-commits",
        hint="the clone is shallow: fetch more history, or `fetch-depth: 0`" if is_shallow
        else "FROM..TO are the commits after FROM up to TO, as `git log --first-parent` lists them",
    )  # fmt: skip


def _listed(repository: Repository, ends: Sequence[str], limit: int | None) -> list[Commit]:
    steps = git_refs.parse_steps(repository.demand(git_refs.list_steps(ends, limit)))
    return [Commit(*step) for step in steps]


def _resolve(repository: Repository, ref: str) -> str:
    commit = repository.ask(git_refs.resolve(ref))
    if commit is None:
        raise RepositoryError(
            f"there is no commit `{ref}`",
            code="unknown-ref",
            hint="fetch it, or name a branch, tag or commit that `git log` knows",
        )
    return commit.decode().strip()
