"""A service's alembic project, found in the working directory as alembic itself finds it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import Script, ScriptDirectory


def read_config(directory: Path) -> Config:
    """Return the configuration in a directory: `alembic.ini`, `pyproject.toml`, or both."""
    directory = directory.resolve()
    sys.path.insert(0, str(directory))
    ini, toml = directory / "alembic.ini", directory / "pyproject.toml"
    # alembic before 1.16 knows no `toml_file`, and where it does, both files count.
    return Config(str(ini), toml_file=str(toml)) if toml.exists() else Config(str(ini))


def in_order(script: ScriptDirectory) -> list[Script]:
    """Return all revisions, each after those it follows and those it depends on."""
    return list(script.walk_revisions())[::-1]


def parents(revision: Script) -> list[str]:
    """Return what a revision follows and what it depends on."""
    found: list[str] = []
    for item in (revision.down_revision, revision.dependencies):
        found += [item] if isinstance(item, str) else list(item or ())
    return list(dict.fromkeys(found))


def ancestors(script: ScriptDirectory, heads: Iterable[str]) -> set[str]:
    """Return revisions with everything that they follow or depend on."""
    found: set[str] = set()
    left = list(heads)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += parents(script.get_revision(name))
    return found


def steps_to(script: ScriptDirectory, revision: str, heads: tuple[str, ...]) -> list[Any]:
    """Return the steps from the present heads to a revision, as `alembic upgrade` takes them.

    alembic has no public name for this; its cookbook calls the same method (since 0.7).
    """
    upgrade = getattr(script, "_upgrade_revs", None)
    if upgrade is None:
        raise RuntimeError("this version of alembic is not known: it has no `_upgrade_revs`")
    return list(upgrade(revision, heads))
