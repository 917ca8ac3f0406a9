"""`invoke images.disk`: what images take on the disk of this machine."""

from __future__ import annotations

from pathlib import Path

from monoyard.bindings.announcing import announce
from monoyard.bindings.answering import answer
from monoyard.bindings.engine import Engine
from monoyard.images.disk_use import look, own_use, prune
from monoyard.report.words import size


def show_disk_use(directory: Path, target: str | None, *, is_pruned: bool) -> None:
    """Print what the container engine and the builder keep, and what killed trials left.

    Args:
        directory: A directory of the repository.
        target: Where JSON goes, as `answer` takes it; None for a table.
        is_pruned: Remove what killed trials left.

    Raises:
        MachineError: No container engine answers.
    """
    kept = Engine(directory, announce).kept / "images"
    found = prune() if is_pruned else look()
    own = own_use(kept)
    rows = [(f"engine: {name}", f"{item.count}", item.size) for name, item in found.kept.items()]
    rows += [(name, "", taken) for name, taken in own.items()]
    width = max(len(name) for name, _, _ in rows)
    lines = [f"{name:{width}}  {count:>5}  {size(taken):>9}" for name, count, taken in rows]
    lines += [f"the engine's are in {found.place}, the others in {kept}"]
    word = "removed" if is_pruned else "left"
    lines += [f"{word} of a trial that was killed: {name}" for name in found.left]
    if found.left and not is_pruned:
        lines.append("`--prune` removes what is left; the next build does so, too")
    data = {
        "version": 1,
        "engine": {
            name: {"count": item.count, "bytes": item.size} for name, item in found.kept.items()
        },
        "own": own,
        "left": list(found.left),
        "removed": is_pruned,
    }
    answer(lines, data, target)
