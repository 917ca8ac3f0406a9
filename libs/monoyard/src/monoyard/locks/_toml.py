"""Reading TOML tables that somebody else wrote, without trusting their shapes."""

from __future__ import annotations

import tomllib
from typing import Any


class LockShapeError(ValueError):
    """A lock file does not have the shape that its format promises."""


def load_toml(text: str) -> dict[str, Any]:
    """Return the parsed text; raises LockShapeError when it is not TOML."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise LockShapeError(f"it is not valid TOML: {error}") from error


def tables(parent: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of tables, empty when absent; raises LockShapeError for anything else."""
    value = parent.get(key, [])
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise LockShapeError(f"`{key}` is not a list of tables")


def table(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a table, empty when absent; raises LockShapeError for anything else."""
    value = parent.get(key, {})
    if isinstance(value, dict):
        return value
    raise LockShapeError(f"`{key}` is not a table")


def texts(parent: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of strings, empty when absent; raises LockShapeError for anything else."""
    value = parent.get(key, [])
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise LockShapeError(f"`{key}` is not a list of strings")


def text_or_none(parent: dict[str, Any], key: str) -> str | None:
    """Return a string, None when absent; raises LockShapeError for anything else."""
    value = parent.get(key)
    if value is None or isinstance(value, str):
        return value
    raise LockShapeError(f"`{key}` is not a string")


def required_text(parent: dict[str, Any], key: str) -> str:
    """Return a string that must be there; raises LockShapeError when it is not."""
    value = text_or_none(parent, key)
    if not value:
        raise LockShapeError(f"an entry has no `{key}`")
    return value
