"""What was rendered last, kept beside the charts so that a review sees what a change comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from monoyard.charts.rendering import Rendered

_ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Difference:
    """A snapshot that is not what is rendered now.

    Attributes:
        environment: Name of the environment.
        service: Name of the service; empty for what the environment has once.
        message: Where they part.
    """

    environment: str
    service: str
    message: str


class Snapshots:
    """The snapshots of a repository: `ENVIRONMENT/SERVICE.yaml`.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def differences(self, rendered: Iterable[Rendered]) -> Iterator[Difference]:
        """Yield what is missing, what is left over, and what is otherwise than it was."""
        wanted = {self._path(item): item for item in rendered}
        for path, item in wanted.items():
            if not path.is_file():
                yield Difference(item.environment, item.service, "there is no snapshot of it")
            elif (before := path.read_text("utf-8")) != item.text:
                yield Difference(item.environment, item.service, _first(before, item.text))
        for path in self._left_over(wanted):
            yield Difference(path.parent.name, path.stem, "it is rendered no more")

    def write(self, rendered: Iterable[Rendered]) -> tuple[str, ...]:
        """Make the snapshots what is rendered now; return those that changed, by name."""
        wanted = {self._path(item): item for item in rendered}
        changed = []
        for path, item in wanted.items():
            if not path.is_file() or path.read_text("utf-8") != item.text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(item.text, "utf-8")
                changed.append(path)
        for path in tuple(self._left_over(wanted)):
            path.unlink()
            changed.append(path)
        return tuple(path.relative_to(self._directory).as_posix() for path in sorted(changed))

    def _path(self, item: Rendered) -> Path:
        return self._directory / item.environment / f"{item.service or _ENVIRONMENT}.yaml"

    def _left_over(self, wanted: Iterable[Path]) -> Iterator[Path]:
        known = frozenset(wanted)
        yield from (path for path in sorted(self._directory.glob("*/*.yaml")) if path not in known)


def _first(before: str, now: str) -> str:
    """Say where two texts part."""
    left, right = before.splitlines(), now.splitlines()
    for number, (old, new) in enumerate(zip(left, right, strict=False), 1):
        if old != new:
            return f"line {number} was `{old.strip()}` and is `{new.strip()}`"
    longer = right if len(right) > len(left) else left
    word = "new" if longer is right else "gone"
    return f"line {min(len(left), len(right)) + 1} is {word}"
