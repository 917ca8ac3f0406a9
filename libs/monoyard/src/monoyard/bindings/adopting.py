"""`python3 -m monoyard adopt`: bring the engine into a repository that is already there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monoyard.bindings.announcing import announce
from monoyard.bindings.engine import Engine
from monoyard.plan import Sourced, gather
from monoyard.plan.reading import pattern_for
from monoyard.suites import SuiteSource
from monoyard.workspace import Workspace

_NOXFILE: Final = '''\
"""Sessions of this repository: `nox -l` lists them, `nox -s ci -- --help` explains the options."""

from pathlib import Path

from monoyard.bindings.nox import register

register(Path(__file__).parent)
'''
_TASKS: Final = '''\
"""Tasks of this repository: `invoke --list` lists them, `invoke --help TASK` explains one."""

from pathlib import Path

from monoyard.bindings.invoke import collection

namespace = collection(Path(__file__).parent)
'''
_SHOWN: Final = 12
_TABLE: Final = """\
# Settings of monoyard; every key is in docs/reference/configuration.md of monoyard.
# A change of a file that no package owns selects everything, unless it stands here: a glob, and the
# suites that read such files (none: []). What was found is listed; remove the # where it is true.
[files]
"""


def adopt(directory: Path, *, dry_run: bool) -> None:
    """Show what is found in a repository, then write what is missing.

    A file that exists is never changed; what it would need is printed instead.

    Args:
        directory: A directory of the repository.
        dry_run: Show only.
    """
    engine = Engine(directory, announce)
    workspace = engine.workspace
    source = SuiteSource(engine.interpreters, engine.environment)
    sourced = gather((source,), workspace)
    loose = _loose(workspace, sourced)
    for line in _found(workspace, sourced, loose):
        print(line)
    table = _TABLE + "".join(f'# "{pattern}" = []\n' for pattern in loose)
    for name, text in (("noxfile.py", _NOXFILE), ("tasks.py", _TASKS), ("monoyard.toml", table)):
        print(_write(engine.repository.top / name, text, workspace, dry_run=dry_run))
    print("next: nox -s ci -- --help, invoke plan, nox -s lint")


def _found(workspace: Workspace, sourced: Sourced, loose: tuple[str, ...]) -> Iterator[str]:
    kinds = Counter(package.kind for package in workspace.packages.values())
    by_kind = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    yield f"packages: {len(workspace.packages)} ({by_kind})"
    edges = sum(len(targets) for targets in workspace.graph.direct.values())
    yield f"dependencies between them: {edges}"
    for ring in workspace.graph.cycles:
        yield f"a ring: {' -> '.join(ring)}"
    suites = Counter(task.suite for task in sourced.tasks)
    yield f"tasks: {', '.join(f'{number} {suite}' for suite, number in suites.items())}"
    shown = ", ".join(loose[:_SHOWN]) or "none"
    more = f" and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
    yield f"a change selects everything, because no package owns it: {shown}{more}"
    yield from (f"note: {note}" for note in (*workspace.notes, *sourced.notes))


def _loose(workspace: Workspace, sourced: Sourced) -> tuple[str, ...]:
    """Return globs of the files whose change selects everything; a whole directory is one."""
    owned = {path for paths in workspace.files.values() for path in paths} | sourced.covered
    holding = {above for path in owned for above in _directories(path)}
    found = []
    for path in workspace.tree.paths:
        if path not in owned and pattern_for(path, workspace.settings) is None:
            whole = (above for above in _directories(path) if above not in holding)
            highest = next(whole, None)
            found.append(path if highest is None else f"{highest}/**")
    return tuple(dict.fromkeys(found))


def _directories(path: str) -> Iterator[str]:
    """Yield the directories that a file is in, the highest first."""
    parts = path.split("/")
    yield from ("/".join(parts[:count]) for count in range(1, len(parts)))


def _write(path: Path, text: str, workspace: Workspace, *, dry_run: bool) -> str:
    if path.name == "monoyard.toml" and "monoyard" in workspace.document.get("tool", {}):
        return "kept: [tool.monoyard] in pyproject.toml"
    if path.exists():
        if "monoyard" in path.read_text("utf-8", "replace"):
            return f"kept: {path.name}"
        lines = "".join(f"    {line}\n" for line in text.splitlines()[2:])
        return f"kept: {path.name}; to use monoyard, add to it:\n{lines}"
    if dry_run:
        return f"would write: {path.name}"
    path.write_text(text, encoding="utf-8")
    return f"written: {path.name}"
