"""What a process has started, found again even where it went its own way."""

from __future__ import annotations

import contextlib
from pathlib import Path


class Family:
    """The processes below a running nox, remembered so that survivors are found.

    Attributes:
        children: Ids of those directly below it.
    """

    def __init__(self, pid: int) -> None:
        children: dict[int, list[int]] = {}
        for child, (parent, _) in _table().items():
            children.setdefault(parent, []).append(child)
        members, queue = [], [pid]
        while queue:
            below = children.get(queue.pop(), [])
            members += below
            queue += below
        self.children = children.get(pid, [])
        table = _table()
        self._births = {pid: table[pid][1] for pid in members if pid in table}

    def __len__(self) -> int:
        return len(self._births)

    def living(self) -> list[str]:
        """Return the command lines of members that still run."""
        table = _table()
        return [
            _command_line(pid)
            for pid, born in self._births.items()
            if pid in table and table[pid][1] == born
        ]


def _table() -> dict[int, tuple[int, str]]:
    """Return process id to (parent, time of birth) of everything that is no zombie."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit():
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                if fields[0] != "Z":
                    found[int(entry.name)] = (int(fields[1]), fields[19])
    return found


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return f"{pid}: {b' '.join(words).decode('utf-8', 'replace')[:200]}"
    return str(pid)
