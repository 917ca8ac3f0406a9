"""The migrations tasks of the invoke door: what revisions do, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.errors import ChecksFailedError, UsageError
from monoyard.migrations import (
    Classed,
    Classifier,
    History,
    Judges,
    explain_lines,
    find_projects,
    history_faults,
    lint_lines,
    read_history,
    to_data,
)
from monoyard.run import lay_over
from monoyard.suites import VenvSpec, WorkspaceLock, third_party
from monoyard.workspace import Package

# For an `env.py` that wants an address before it prints SQL; nothing is connected to.
_NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """Reads the histories of the work tree.

    Attributes:
        engine: The repository.
    """

    engine: Engine

    @classmethod
    def at(cls, directory: Path) -> HistoryReader:
        """Return what reads those of the repository that has a directory."""
        return cls(Engine(directory, announce))

    def packages(self, words: Sequence[str]) -> tuple[Package, ...]:
        """Return the packages with migrations among those that are named.

        Raises:
            UsageError: One that is named has none.
        """
        workspace = self.engine.workspace
        names = workspace.find(parse_arguments(list(words)).packages)
        return find_projects(workspace, names)

    def history(self, package: Package) -> History:
        """Return the history of a package, read in its own venv.

        Raises:
            ToolError: alembic cannot read it.
        """
        workspace = self.engine.workspace
        python = self.closure(package)
        laid = lay_over(workspace, python, self.engine.state)
        interpreter = self.engine.venvs.ensure(self._venv(python)) / "bin" / "python"
        declared = package.settings.image.environment or {}
        return read_history(
            interpreter,
            workspace.top / package.directory,
            {"DATABASE_URL": _NOWHERE, **declared},
            [path for name in python for path in laid[name]],
        )

    def closure(self, package: Package) -> list[str]:
        """Return the packages of the workspace that a package's migrations may import."""
        workspace = self.engine.workspace
        names = [package.name, *sorted(workspace.graph.runtime_closure[package.name])]
        return [name for name in names if workspace.packages[name].kind == "python"]

    def _venv(self, names: Sequence[str]) -> VenvSpec:
        workspace = self.engine.workspace
        interpreter = self.engine.interpreters.default()
        lock = WorkspaceLock.find(workspace)
        if lock.is_there:
            return lock.venv(interpreter)
        needed = [item for name in names for item in workspace.packages[name].manifest.requirements]
        return VenvSpec(interpreter, requirements=third_party(workspace, needed))

    def classifier(self) -> Classifier:
        """Return what classes them.

        Raises:
            MachineError: squawk, or the grammar of PostgreSQL, cannot be had.
        """
        judges = Judges(self.engine.tools.ensure("squawk"))
        return Classifier(judges.grammar, judges.lint)


def explain_migrations(
    directory: Path, words: Sequence[str], applied: str, target: str | None
) -> None:
    """Print what revisions do: class, locks, SQL and reasons.

    Args:
        directory: A directory of the repository.
        words: What stands after `--`: packages; none means all that have migrations.
        applied: Revision that a database has; what follows it is printed. Empty prints all, each
            classed as if it came alone.
        target: Where JSON goes, as `answer` takes it; None for lines.

    Raises:
        UsageError: A package has no migrations, or no such revision.
    """
    reader, found = HistoryReader.at(directory), {}
    classifier = reader.classifier()
    for package in reader.packages(words):
        history = reader.history(package)
        known = _ancestors(history, applied, package) if applied else None
        found[package.name] = classifier.classify(history, known)
    lines = [line for name, classed in found.items() for line in explain_lines(name, classed)]
    answer(lines or ["no package has migrations"], to_data(found), target)


def _ancestors(history: History, revision: str, package: Package) -> frozenset[str]:
    parents = {item.revision: item.parents for item in history.revisions}
    if revision not in parents:
        raise UsageError(f"{package.name} has no revision `{revision}`", code="unknown-revision")
    found, left = set(), [revision]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += parents[name]
    return frozenset(found)


def lint_migrations(
    directory: Path, words: Sequence[str], since: str | None, target: str | None
) -> None:
    """Class the revisions that are new since the base, and tell what nobody accepted.

    Raises:
        ChecksFailedError: A new revision has an effect that no reviewer accepted, or a fault.
        UsageError: A package has no migrations.
    """
    reader, found, lines = HistoryReader.at(directory), {}, []
    changes = reader.engine.changes(since)
    top, classifier = reader.engine.repository.top, reader.classifier()
    for package in reader.packages(words):
        history = reader.history(package)
        old = {
            item.revision for item in history.revisions
            if changes.tree is not None and _relative(item.path, top) not in changes.paths
        }  # fmt: skip
        classed: tuple[Classed, ...] = classifier.classify(history, old)
        found[package.name] = classed
        lines += lint_lines(package.name, classed, history_faults(history))
    answer(lines or ["every new migration is safe or accepted"], to_data(found), target)
    if lines:
        raise ChecksFailedError("a migration needs a look")


def _relative(path: str, top: Path) -> str:
    try:
        return Path(path).resolve().relative_to(top.resolve()).as_posix()
    except ValueError:
        return path
