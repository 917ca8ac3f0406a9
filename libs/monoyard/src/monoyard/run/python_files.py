"""The Python files that tasks may read, and bytecode of them that Python would wrongly believe.

Python takes bytecode for that of a file by the file's size and the second of its last modification.
An edit that leaves both as they were (`cp -p`, `rsync -t`, two edits in a second) would run as it
was before. The time of the last change of a file's record (ctime) cannot be put back: bytecode that
is not younger than that goes, and is made anew from what the file holds now.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from monoyard.errors import MachineError
from monoyard.plan import Plan
from monoyard.workspace import files_on_disk

_SUFFIXES: Final = (".py", ".pyi")
_HEADER: Final = 16  # magic, flags, time, size: four words of four bytes (PEP 552)
_HASHED: Final = 0b01
_CHECKED: Final = 0b10
# Between reading a file and writing its bytecode some time goes by, in which it may be edited.
_COMPILING_NANOSECONDS: Final = 2_000_000_000


def python_files(plan: Plan) -> list[str]:
    """Return the Python files of a work tree, from its top: declared and linked ones as well.

    Args:
        plan: Says what is declared.
    """
    tree = plan.workspace.tree
    found = dict.fromkeys(tree.entries)
    for link in tree.links:
        for directory, inner, names in os.walk(tree.top / link):
            inner[:] = [name for name in inner if name.isidentifier()]  # no module is elsewhere
            place = Path(directory).relative_to(tree.top).as_posix()
            found.update((f"{place}/{name}", None) for name in names)
    for patterns in {planned.task.inputs.files for planned in plan.tasks} - {()}:
        found.update((path, None) for path in files_on_disk(tree.top, patterns))
    return [path for path in found if path.endswith(_SUFFIXES)]


def drop_doubtful_bytecode(top: Path, files: Iterable[str]) -> None:
    """Remove the bytecode of what may have been edited since it was written.

    Args:
        top: Root of the work tree.
        files: Python files from the top; the bytecode of all their neighbours is looked at.

    Raises:
        MachineError: It cannot be removed.
    """
    for directory in {path.rpartition("/")[0] for path in files}:
        for bytecode in _doubtful(f"{top}/{directory}"):
            try:
                bytecode.unlink(missing_ok=True)
            except OSError as error:
                raise MachineError(
                    f"{bytecode} may be older than its source and cannot be removed",
                    code="doubtful-bytecode",
                    hint="remove it: with it Python may run what the source was before",
                    context=(str(error),),
                ) from error


def _doubtful(directory: str) -> Iterator[Path]:
    for bytecode in Path(directory, "__pycache__").glob("*.pyc"):
        sources = _sources(directory, bytecode.name)
        if any(_is_doubtful(bytecode, source) for source in sources):
            yield bytecode


def _sources(directory: str, bytecode: str) -> Iterator[Path]:
    """Return what `a.b.cpython-312.pyc` may come from: `a.py`, `a.b.py` ..."""
    parts = bytecode.split(".")
    for count in range(1, len(parts)):
        yield Path(directory, f"{'.'.join(parts[:count])}.py")


def _is_doubtful(bytecode: Path, source: Path) -> bool:
    """Say whether Python would take bytecode for that of a source that may be younger."""
    try:
        link, said, made = source.lstat(), source.stat(), bytecode.stat()
        changed = max(link.st_ctime_ns, said.st_ctime_ns)
        if made.st_mtime_ns > changed + _COMPILING_NANOSECONDS:
            return False
        with bytecode.open("rb") as file:
            header = file.read(_HEADER)
    except OSError:
        return False
    flags, seconds, size = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
    if flags & _HASHED:
        return not flags & _CHECKED
    return (seconds, size) == (int(said.st_mtime) & 0xFFFF_FFFF, said.st_size & 0xFFFF_FFFF)
