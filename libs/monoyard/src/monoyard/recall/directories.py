"""Where things are kept: one directory for the machine, one for the checkout."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from monoyard.recall.memory import STATE_DIRECTORY


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Return the directory that all checkouts of a user share.

    `MONOYARD_CACHE_DIR` wins; then `XDG_CACHE_HOME`; then the platform's usual place.
    """
    if chosen := environment.get("MONOYARD_CACHE_DIR"):
        return Path(chosen).absolute()
    if xdg := environment.get("XDG_CACHE_HOME"):
        return Path(xdg) / "monoyard"
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "monoyard"
    return home / ".cache" / "monoyard"


def state_directory(top: Path) -> Path:
    """Return the directory of this checkout's own state, made so that git ignores it."""
    directory = top / STATE_DIRECTORY
    marker = directory / ".gitignore"
    if not marker.exists():
        directory.mkdir(exist_ok=True)
        marker.write_text("*\n", encoding="utf-8")
    return directory
