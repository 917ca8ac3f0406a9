"""Lays the workspace's own packages over a shared venv: their sources and their metadata.

A venv holds third-party distributions only, so two worktrees share it and never run each other's
code: each puts its own directories in front of `sys.path`.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from monoyard.workspace import Package, Workspace


def lay_over(workspace: Workspace, names: Iterable[str], state: Path) -> dict[str, tuple[str, ...]]:
    """Write the metadata of packages; return package to the directories for `sys.path`.

    Args:
        workspace: The work tree's workspace.
        names: Python packages.
        state: The checkout's state directory.
    """
    found = {}
    for name in names:
        package = workspace.packages[name]
        roots = tuple(str(workspace.top / root) for root in package.source_roots)
        if package.manifest.name:
            found[name] = (str(_metadata(package, state)), *roots)
        else:
            found[name] = roots
    return found


def _metadata(package: Package, state: Path) -> Path:
    manifest = package.manifest
    place = state / "overlay" / package.name.replace("/", "-")
    stem = re.sub(r"[-.]+", "_", manifest.name)
    directory = place / f"{stem}-{manifest.version}.dist-info"
    for stale in place.glob("*.dist-info"):
        if stale != directory:
            shutil.rmtree(stale, ignore_errors=True)  # another run may do the same now
    directory.mkdir(parents=True, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {manifest.name}", f"Version: {manifest.version}"]
    if manifest.requires_python:
        lines.append(f"Requires-Python: {manifest.requires_python}")
    lines += [f"Requires-Dist: {item}" for item in manifest.requirements]
    for extra, items in manifest.extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [
            f'Requires-Dist: {item.partition(";")[0].strip()} ; extra == "{extra}"'
            for item in items
        ]
    _write(directory / "METADATA", "\n".join(lines) + "\n")
    _write(directory / "INSTALLER", "monoyard\n")
    _write(directory / "entry_points.txt", _entry_points(package))
    return place


def _entry_points(package: Package) -> str:
    return "".join(
        f"[{group}]\n"
        + "".join(f"{name} = {target}\n" for name, target in sorted(items.items()))
        + "\n"
        for group, items in sorted(package.manifest.entry_points.items())
    )


def _write(path: Path, text: str) -> None:
    """Write a file only where it differs: its time is part of the interpreter's path caches."""
    try:
        if path.read_text("utf-8") == text:
            return
    except OSError:
        pass
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(fresh).replace(path)
