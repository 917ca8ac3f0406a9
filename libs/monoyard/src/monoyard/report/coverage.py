"""Coverage of a run: the data of all its tasks, replayed ones too, as one report and one figure."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monoyard.cache import Store, StoredFile
from monoyard.errors import ToolError
from monoyard.plan import PlannedTask
from monoyard.process import Command, capture, clean
from monoyard.results import Outcome
from monoyard.run import RunSummary
from monoyard.suites import TestWork
from monoyard.workspace import Workspace

_PROGRAM: Final = Path(__file__).with_name("combine_coverage.py")
_ARTIFACT: Final = "coverage"
_NAMESPACE: Final = "combined-coverage"


@dataclass(frozen=True, slots=True)
class PackageCoverage:
    """How much of a package its tests reached.

    Attributes:
        package: Its name.
        covered: Statements and branches that were reached.
        total: All of them.
        minimum: The percentage that its table asks for; None asks for nothing.
        is_whole: Every measured suite of it took part and passed, so that it can be judged.
    """

    package: str
    covered: int
    total: int
    minimum: int | None
    is_whole: bool

    @property
    def percent(self) -> float:
        """Reached share, from 0 to 100; 100 of nothing."""
        return 100 * self.covered / self.total if self.total else 100.0

    @property
    def is_short(self) -> bool:
        """Whether less was reached than its table asks for."""
        return self.is_whole and self.minimum is not None and self.percent < self.minimum


def measure_coverage(
    summary: RunSummary, store: Store, python: Callable[[], Path], directory: Path
) -> tuple[PackageCoverage, ...]:
    """Combine the coverage data of a run and write `coverage.xml` and `coverage.json`.

    Args:
        summary: The run.
        store: Has the data of replayed tasks, and what came of the same data before.
        python: Returns an interpreter with coverage; called where something has to be combined.
        directory: Where the reports go; the run's own.

    Returns:
        One value for each package with data, by name.

    Raises:
        ToolError: coverage could not read the data.
    """
    measured = [planned for planned in summary.plan.selected if _is_measured(planned)]
    key = _key(summary, measured)
    known = store.memo.get_many(_NAMESPACE, [key]).get(key) if key else None
    combined = json.loads(zlib.decompress(known)) if known else None
    if combined is None:
        combined = _combine(summary, list(_data(summary, measured, store, directory)), python)
        if key:
            text = json.dumps(combined).encode()
            store.memo.put_many(_NAMESPACE, {key: zlib.compress(text)})
    found = tuple(_packages(summary, combined["files"]))
    if found:
        (directory / "coverage.xml").write_text(combined["xml"], encoding="utf-8")
        said = {item.package: round(item.percent, 2) for item in found}
        (directory / "coverage.json").write_text(json.dumps(said, indent=1) + "\n", "utf-8")
    return found


def _key(summary: RunSummary, measured: Iterable[PlannedTask]) -> str:
    """Return what the combination follows from; nothing where a task's key is not known."""
    workspace = summary.plan.workspace
    parts = [str(workspace.top), str(_settings(workspace))]
    for planned in measured:
        if planned.manifest is None or not _has_passed(summary, planned):
            return ""
        parts.append(f"{planned.task.id} {planned.manifest.key}")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _combine(
    summary: RunSummary, data: list[tuple[str, str]], python: Callable[[], Path]
) -> dict[str, Any]:
    if not data:
        return {"files": {}, "xml": ""}
    workspace = summary.plan.workspace
    asked = {"top": str(workspace.top), "config": _settings(workspace), "data": data}
    done = capture(
        Command(
            (str(python()), "-I", str(_PROGRAM)), workspace.top, clean(),
            stdin=json.dumps(asked).encode(),
        )
    )  # fmt: skip
    if done.status != 0:
        raise ToolError("coverage could not combine its data", context=done.last_lines)
    combined: dict[str, Any] = json.loads(done.stdout)
    return combined


def coverage_lines(found: tuple[PackageCoverage, ...]) -> Iterator[str]:
    """Yield what was measured, and what falls short."""
    if found:
        yield "coverage     " + ", ".join(f"{item.package} {item.percent:.1f} %" for item in found)
    for item in found:
        if item.is_short:
            yield (
                f"error: coverage of {item.package} is {item.percent:.1f} %, "
                f"and its table asks for {item.minimum} %"
            )


def _data(
    summary: RunSummary, measured: Iterable[PlannedTask], store: Store, directory: Path
) -> Iterator[tuple[str, str]]:
    """Yield (package's directory, data file); data of replayed tasks is taken from the store."""
    packages = summary.plan.workspace.packages
    for planned in measured:
        result = summary.results.get(planned.task.id)
        place = packages[planned.task.package].directory
        if result is not None and (path := result.files.get(_ARTIFACT)):
            yield place, path
        elif (file := _kept(planned)) is not None:
            target = directory / "coverage" / planned.task.id.replace(":", ".")
            if store.materialise(file, target):
                yield place, str(target)


def _kept(planned: PlannedTask) -> StoredFile | None:
    files = planned.stored.artifacts if planned.stored else ()
    return next((file for file in files if file.path == _ARTIFACT), None)


def _settings(workspace: Workspace) -> str | None:
    for name in (".coveragerc", "pyproject.toml"):
        if name in workspace.tree.entries:
            return str(workspace.top / name)
    return None


def _packages(
    summary: RunSummary, files: Mapping[str, tuple[int, int, int, int]]
) -> Iterator[PackageCoverage]:
    workspace = summary.plan.workspace
    sums: dict[str, tuple[int, int]] = {}
    for path, (statements, executed, branches, taken) in files.items():
        if (owner := workspace.owner(path)) is not None:
            covered, total = sums.get(owner, (0, 0))
            sums[owner] = (covered + executed + taken, total + statements + branches)
    incomplete = {
        planned.task.package
        for planned in summary.plan.tasks
        if _is_measured(planned) and not _has_passed(summary, planned)
    }
    for package, (covered, total) in sorted(sums.items()):
        minimum = workspace.packages[package].settings.coverage_minimum
        yield PackageCoverage(package, covered, total, minimum, package not in incomplete)


def _is_measured(planned: PlannedTask) -> bool:
    work = planned.task.work
    return isinstance(work, TestWork) and work.coverage is not None


def _has_passed(summary: RunSummary, planned: PlannedTask) -> bool:
    result = summary.results.get(planned.task.id)
    return result is not None and result.outcome is Outcome.PASS
