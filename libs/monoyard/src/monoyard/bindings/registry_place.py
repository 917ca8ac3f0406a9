"""Where the registry is that images are published in."""

from __future__ import annotations

from typing import Final

from monoyard.bindings.engine import Engine

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})


def registry_address(engine: Engine) -> str:
    """Return what the environment or the settings name: `HOST[:PORT]`, and perhaps a path."""
    return engine.environment.get("MONOYARD_REGISTRY") or engine.settings.images.registry


def port_on_loopback(engine: Engine) -> int | None:
    """Return the port of the registry where it is one of this machine, and None otherwise."""
    host, _, port = registry_address(engine).partition("/")[0].rpartition(":")
    return int(port) if host in _LOOPBACK and port.isdigit() else None
