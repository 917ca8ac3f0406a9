"""How much of the machine a run may use: processors and memory, limits of containers included."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_CGROUP_V2 = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Budget:
    """Processors and bytes that tasks may use together."""

    cpus: int
    memory: int


def machine_budget(cpus: int | None = None, memory: int | None = None) -> Budget:
    """Return the budget: what the settings say, else what this process may use.

    A cgroup's quota (version 2, or version 1) counts where it is below the machine's size. Of the
    memory, four fifths are taken, so that the desktop beside the run stays usable.
    """
    return Budget(cpus or _cpus(), memory or int(_memory() * 0.8))


def _cpus() -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota()
    return max(1, min(available or 1, quota or available or 1))


def _quota() -> int | None:
    words = _read(_CGROUP_V2 / "cpu.max").split()
    if len(words) == 2 and words[0].isdigit():  # noqa: PLR2004  "QUOTA PERIOD"
        return max(1, int(words[0]) // int(words[1]))
    quota = _read(_CGROUP_V2 / "cpu" / "cpu.cfs_quota_us").strip()
    period = _read(_CGROUP_V2 / "cpu" / "cpu.cfs_period_us").strip()
    if quota.isdigit() and period.isdigit():
        return max(1, int(quota) // int(period))
    return None


def _memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in (_CGROUP_V2 / "memory.max", _CGROUP_V2 / "memory" / "memory.limit_in_bytes"):
        text = _read(path).strip()
        if text.isdigit() and int(text) < _NO_LIMIT:
            total = min(total, int(text))
    return total


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
