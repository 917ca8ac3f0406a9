"""The one error of this room; all other faults of the disk are misses and notes."""

from __future__ import annotations

from monoyard.errors import MachineError


class ArchiveError(MachineError):
    """An archive of the cache cannot be written, or must not be read."""

    code = "cache-archive"
