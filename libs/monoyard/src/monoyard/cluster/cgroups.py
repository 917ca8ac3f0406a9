"""The control groups of the cluster's pods: what is left of them when the pods are gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_TOP: Final = Path("/sys/fs/cgroup")
_NAMES: Final = ("kubepods", "kubelet")
_SECONDS: Final = 10.0
_PAUSE: Final = 0.05  # seconds between two looks: nothing tells when it is so far


def remove(top: Path = _TOP) -> list[Path]:
    """Remove the empty groups; return those that are left because something in them goes on.

    The kernel needs a moment to empty those of ended processes, and tells nobody when it did.
    """
    deadline = time.monotonic() + _SECONDS
    while left := list(_groups(top)):
        for group in left:
            _remove_tree(group)
        if time.monotonic() > deadline:
            break
        time.sleep(_PAUSE)
    return left


def _groups(top: Path) -> Iterator[Path]:
    for pattern in ("", "*/"):
        for name in _NAMES:
            yield from top.glob(f"{pattern}{name}")


def _remove_tree(group: Path) -> None:
    for inner in [path for path in group.iterdir() if path.is_dir()]:
        _remove_tree(inner)
    try:
        group.rmdir()
    except OSError:
        return  # a process in it is still ending
