"""Lock files: what they hold, what a package needs of them, what a change of them changes.

    lock = parse_lock("requirements/workspace.txt", content)    # never raises
    Closures(lock).of(["httpx[http2]", "click"])                # what these need
    slice_entries(closure)                                      # for the manifest of a key
    affected_roots(old, new, {"api": ["fastapi"]})              # whose closure changed

Whatever cannot be read or told apart makes a closure the whole lock, with the reason.
"""

from monoyard.locks._change import ClosureChange, Versions, affected_roots, difference
from monoyard.locks._closure import OPTIONS_LABEL, Closure, Closures, closure, slice_entries
from monoyard.locks._encoding import from_data, to_data
from monoyard.locks._reading import kind_of, parse_lock, read_lock
from monoyard.locks._values import (
    Dependency,
    Kind,
    Lock,
    LockedDistribution,
    normalise,
    split_requirement,
)

__all__ = [
    "OPTIONS_LABEL",
    "Closure",
    "ClosureChange",
    "Closures",
    "Dependency",
    "Kind",
    "Lock",
    "LockedDistribution",
    "Versions",
    "affected_roots",
    "closure",
    "difference",
    "from_data",
    "kind_of",
    "normalise",
    "parse_lock",
    "read_lock",
    "slice_entries",
    "split_requirement",
    "to_data",
]
