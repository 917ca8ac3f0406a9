"""Base images from Debian packages: the lock that says which, and the root made of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from monoyard.config import parse_toml
from monoyard.errors import ConfigurationError, MachineError, ToolError
from monoyard.images.machine_faults import refuse_full_disk
from monoyard.images.work import Base
from monoyard.install import exclusive
from monoyard.process import Command, capture, clean
from monoyard.tools import mmdebstrap

_EPOCH: Final = "315619200"
_HINT: Final = "`invoke images.refresh` locks what the archive has now"
_HEADER: Final = (
    "# What the base images are made of: name, version, architecture and SHA-256 of every Debian\n"
    "# package. Written by `invoke images.refresh`.\n"
)


@dataclass(frozen=True, slots=True)
class DebianLock:
    """The packages of every base image.

    Attributes:
        bases: Name of a base to its lines, `NAME VERSION ARCHITECTURE SHA-256`, sorted.
    """

    bases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes | None, path: str) -> DebianLock:
        """Read a lock; one that is not there locks nothing.

        Raises:
            ConfigurationError: It is no lock.
        """
        faults: list[str] = []
        table = parse_toml(data or b"", path, faults)
        bases = {}
        for name, lines in table.items():
            if not isinstance(lines, list) or any(
                not isinstance(line, str) or len(line.split(" ")) != 4  # noqa: PLR2004
                for line in lines
            ):
                faults.append(f"{path}: `{name}` is no list of packages")
                continue
            bases[name] = tuple(lines)
        if faults:
            raise ConfigurationError(f"{path} cannot be read", context=tuple(faults), hint=_HINT)
        return cls(bases)

    def text(self) -> str:
        """Return the lock as it is written."""
        parts = [_HEADER]
        for name, lines in sorted(self.bases.items()):
            listed = "".join(f"    {json.dumps(line)},\n" for line in lines)
            parts.append(f"\n{name} = [\n{listed}]\n")
        return "".join(parts)

    def changes(self, new: DebianLock) -> list[str]:
        """Return what differs in another lock, a line for each package."""
        said = []
        for name in sorted({*self.bases, *new.bases}):
            before = _by_name(self.bases.get(name, ()))
            after = _by_name(new.bases.get(name, ()))
            for package in sorted({*before, *after}):
                old, now = before.get(package), after.get(package)
                if old == now:
                    continue
                versions = [line.split(" ")[1] if line else "nothing" for line in (old, now)]
                moved = " -> ".join(versions)
                if versions[0] == versions[1]:
                    moved = f"{versions[0]} has other bytes"
                said.append(f"{name}: {package} {moved}")
        return said


def resolve(base: Base, kept: Path) -> tuple[str, ...]:
    """Return the lines of a base with the newest packages that the archive has.

    Raises:
        MachineError: mmdebstrap is not installed.
        ToolError: It failed.
    """
    place = kept / "resolving"
    place.mkdir(parents=True, exist_ok=True)
    try:
        return _make(base.release, base.packages, place / f"{base.name}.tar")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def root_of(base: Base, kept: Path) -> Path:
    """Return the directory that holds `root.tar` of a base, made now where it is not there.

    Raises:
        ConfigurationError: What the lock names is not what the archive has.
        MachineError: mmdebstrap is not installed.
        ToolError: It failed.
    """
    locked = base.locked or resolve(base, kept)
    digest = root_name(base.release, locked)
    place = kept / digest
    with exclusive(kept / f"{digest}.lock"):
        if (place / "root.tar").is_file():
            return place
        building = kept / f"{digest}.new"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        wanted = ["=".join(line.split(" ")[:2]) for line in locked]
        found = _make(base.release, wanted, building / "root.tar")
        if found != locked:
            differing = sorted({*found} ^ {*locked})
            raise ConfigurationError(
                f"the archive's packages for base `{base.name}` are not those of the lock",
                context=tuple(differing[:10]),
                hint=_HINT,
            )
        building.rename(place)
    return place


def root_name(release: str, locked: Iterable[str]) -> str:
    """Return what names a root: a hash of its packages, and of what is done with them."""
    made_by = mmdebstrap.make_root(Path(), release, locked, Path(), Path())
    return hashlib.sha256("\n".join(made_by).encode()).hexdigest()[:32]


def _make(release: str, packages: Iterable[str], root: Path) -> tuple[str, ...]:
    program = shutil.which("mmdebstrap")
    if program is None:
        raise MachineError(
            "mmdebstrap is not on PATH", code="program-missing", hint="apt-get install mmdebstrap"
        )
    listing = root.with_suffix(".packages")
    argv = mmdebstrap.make_root(Path(program), release, packages, root, listing)
    environment = clean((), os.environ) | {"SOURCE_DATE_EPOCH": _EPOCH}
    done = capture(Command(argv, root.parent, environment, timeout=900.0))
    said = done.stderr.decode("utf-8", "replace")
    if gone := mmdebstrap.vanished(said):
        raise ConfigurationError(
            "the archive no longer has packages that the lock names",
            context=tuple(f"{name} {version}" for name, version in gone),
            hint=_HINT,
        )
    if done.status:
        refuse_full_disk(said, root.parent)
        telling = [line for line in said.splitlines() if line.startswith("E:")]
        raise ToolError("mmdebstrap failed", context=tuple(telling[:5] or done.last_lines))
    return tuple(" ".join(entry) for entry in mmdebstrap.parse_listing(listing.read_text("utf-8")))


def _by_name(lines: Iterable[str]) -> dict[str, str]:
    return {line.split(" ")[0]: line for line in lines}
