"""The images tasks of the invoke door."""

from __future__ import annotations

import sys
from pathlib import Path

from monoyard.bindings.engine import Engine
from monoyard.errors import ConfigurationError
from monoyard.images import Base, DebianLock, resolve


def refresh_bases(directory: Path) -> None:
    """Resolve the Debian packages of all base images anew, write the lock, print what changed.

    Raises:
        ConfigurationError: No base is made of packages.
    """
    engine = Engine(directory, lambda words: print(f"{words} ...", file=sys.stderr, flush=True))
    settings = engine.workspace.settings.images
    bases = {name: base for name, base in settings.bases.items() if base.packages}
    if not bases:
        raise ConfigurationError(
            "no base image is made of Debian packages",
            hint='set `[tool.monoyard.images.bases.python] packages = ["python3-minimal", ...]`',
        )
    path = engine.repository.top / settings.lock
    old = DebianLock.parse(path.read_bytes() if path.is_file() else None, settings.lock)
    found = {}
    for name, base in bases.items():
        engine.announce(f"resolving base `{name}`")
        wanted = Base(name, base.packages, release=settings.debian)
        found[name] = resolve(wanted, engine.kept / "images" / "roots")
    new = DebianLock(found)
    changes = old.changes(new)
    for line in changes:
        print(line)
    if not changes:
        print("every base image is current")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new.text(), encoding="utf-8")
    print(f"written: {settings.lock}")
