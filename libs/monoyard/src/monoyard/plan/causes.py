"""Why a task is affected, as typed values with one sentence each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

LOCK_PARTS: Final = frozenset({"lock", "lock of commands"})
"""Parts of a key whose values are `VERSION PROOF`, as a lock has them."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of the package itself, or one that the task declares as an input."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} changed"


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    """A file that is the same as before, but of another package."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path} belongs to {self.after or 'nobody'}, not to {self.before or 'nobody'}"


@dataclass(frozen=True, slots=True)
class DependsOn:
    """A source file of a package that this one needs, directly or through others."""

    package: str
    through: tuple[str, ...]
    path: str

    def __str__(self) -> str:
        way = " -> ".join(self.through)
        return f"needs {self.package} ({way}), where {self.path} changed"


@dataclass(frozen=True, slots=True)
class NeedAffected:
    """A task that must pass first is affected, and leaves files that this one may read."""

    task: str

    def __str__(self) -> str:
        return f"needs what {self.task} makes, which is affected"


@dataclass(frozen=True, slots=True)
class LockChanged:
    """A third-party distribution in the package's closure was locked at another version."""

    distribution: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"lock: {self.distribution} {self.before or 'absent'} -> {self.after or 'absent'}"


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """A setting that the task's tool or the engine reads has another value."""

    part: str
    label: str

    def __str__(self) -> str:
        return f"{self.part}: {self.label} changed"


@dataclass(frozen=True, slots=True)
class GlobalInput:
    """A file outside all packages that a table names as an input of this suite."""

    path: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.path} changed (`files` names {self.pattern} for this suite)"


@dataclass(frozen=True, slots=True)
class UnownedFile:
    """A file that no package owns and no table covers: anything may read it."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} changed, which no package owns and `files` does not cover"


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """A part of the engine that makes keys or commands."""

    path: str

    def __str__(self) -> str:
        return f"the engine changed: {self.path}"


@dataclass(frozen=True, slots=True)
class NewTask:
    """The base did not have this task."""

    task: str

    def __str__(self) -> str:
        return f"{self.task} did not exist at the base"


@dataclass(frozen=True, slots=True)
class BaseUnknown:
    """Nothing can be said about what changed, so everything is selected."""

    reason: str

    def __str__(self) -> str:
        return f"the base is unknown: {self.reason}"


Cause = (
    ChangedFile
    | OwnerChanged
    | DependsOn
    | NeedAffected
    | LockChanged
    | ConfigChanged
    | GlobalInput
    | UnownedFile
    | EngineChanged
    | NewTask
    | BaseUnknown
)


def locked_version(value: str) -> str:
    """Return the version in `VERSION PROOF`: all of them where a lock has several."""
    return value.rpartition(" ")[0] or value


def cause_data(cause: Cause) -> dict[str, Any]:
    """Return a cause as JSON-able data, with its type and its sentence."""
    values = {item.name: getattr(cause, item.name) for item in fields(cause)}
    return {"type": type(cause).__name__, **values, "text": str(cause)}
