"""The workspace's lock as the suites see it: which venv follows from it, which slice a task needs."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from monoyard.plan import Entries
from monoyard.suites.venvs import Interpreter, VenvSpec
from monoyard.workspace import Workspace, normalize, split_requirement

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?==(\S+)")


class WorkspaceLock:
    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._data = data
        self.notes: tuple[str, ...] = ()
        self._slices: dict[tuple[str, ...], Entries] = {}

    @classmethod
    def find(cls, workspace: Workspace) -> WorkspaceLock:
        path = workspace.settings.lock or ""
        return cls(path, (workspace.tree.read(path) or b"") if path else b"")

    @property
    def is_there(self) -> bool:
        return bool(self._data)

    @property
    def paths(self) -> tuple[str, ...]:
        return (self._path,) if self._path else ()

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    def venv(self, interpreter: Interpreter) -> VenvSpec:
        return VenvSpec(interpreter, self._path, self._digest)

    @cached_property
    def _pins(self) -> dict[str, str]:
        pins = {}
        for name, block in self._blocks:
            hashes = hashlib.sha256("".join(sorted(re.findall(r"sha256:\w+", block))).encode())
            version = _PIN.match(block)[3]  # type: ignore[index]
            pins[name] = f"{version} {hashes.hexdigest()[:16]}"
        return pins

    @cached_property
    def _blocks(self) -> list[tuple[str, str]]:
        blocks: list[tuple[str, str]] = []
        for line in self._data.decode("utf-8", "replace").splitlines():
            if match := _PIN.match(line):
                blocks.append((normalize(match[1]), line))
            elif blocks and line.startswith(" "):
                blocks[-1] = (blocks[-1][0], blocks[-1][1] + "\n" + line)
        return blocks

    @cached_property
    def _needs(self) -> dict[str, set[str]]:
        needs = defaultdict(set)
        for name, block in self._blocks:
            comments = [line.strip()[1:].strip() for line in block.splitlines() if line.strip().startswith("#")]
            for comment in comments:
                parent = comment.removeprefix("via").strip()
                if parent and not parent.startswith("-r "):
                    needs[normalize(parent)].add(name)
        return needs

    def has(self, name: str) -> bool:
        return normalize(name) in self._pins

    def has_all(self, requirements: Iterable[str]) -> bool:
        heads = [split_requirement(item) for item in requirements]
        return self.is_there and all(head is not None and self.has(head[0]) for head in heads)

    def slice(self, roots: Iterable[str]) -> Entries:
        names = tuple(sorted({head[0] for item in roots if (head := split_requirement(item))}))
        if names not in self._slices:
            found: set[str] = set()
            queue = [name for name in names if name in self._pins]
            while queue:
                name = queue.pop()
                if name not in found:
                    found.add(name)
                    queue.extend(self._needs[name])
            missing = [(name, "not in the lock") for name in names if name not in self._pins]
            self._slices[names] = (*((name, self._pins[name]) for name in sorted(found)), *missing)
        return self._slices[names]
