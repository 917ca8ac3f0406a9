"""Which base an image is built on, as the workspace's table and the Debian lock say."""

from __future__ import annotations

from typing import Final

from monoyard.config import suggest
from monoyard.images.debian import DebianLock
from monoyard.images.work import Base
from monoyard.plan import Entries
from monoyard.workspace import Package, Workspace

_USUAL_BASE: Final = {"python": "python", "typescript": "page"}


class Bases:
    """The workspace's base images, with what their lock says."""

    def __init__(self, workspace: Workspace, *, is_refreshing: bool) -> None:
        self._settings = workspace.settings.images
        self._is_refreshing = is_refreshing
        path = self._settings.lock
        self._lock = DebianLock.parse(workspace.tree.read(path), path)
        self._faults: dict[str, None] = {}

    @property
    def faults(self) -> tuple[str, ...]:
        """What was found wrong so far, each fault once."""
        return tuple(self._faults)

    def of(self, package: Package) -> Base:
        """Return the base that a package's image is built on; a fault is kept for later."""
        return self._named(package, package.settings.image.base or _USUAL_BASE[package.kind])

    def build_of(self, package: Package) -> Base | None:
        """Return the base that its dependencies are built on, where that is another."""
        name = package.settings.image.build_base
        return self._named(package, name) if name else None

    def _named(self, package: Package, name: str) -> Base:
        known = self._settings.bases
        if name not in known:
            said = f"{package.name}: there is no base image `{name}`{suggest(name, known)}"
            self._faults[said] = None
            return Base(name)
        table = known[name]
        if bool(table.image) is bool(table.packages):
            self._faults[f"base `{name}`: either `packages` or an `image`"] = None
        if table.image and "@sha256:" not in table.image:
            self._faults[f"base `{name}`: `{table.image}` is no digest, but a tag that moves"] = (
                None
            )
        if table.image:
            return Base(name, image=table.image)
        locked = () if self._is_refreshing else self._lock.bases.get(name, ())
        if not locked and not self._is_refreshing:
            fault = f"{self._settings.lock}: base `{name}` is not locked; `invoke images.refresh`"
            self._faults[fault] = None
        return Base(name, table.packages, locked, self._settings.debian)


def base_entries(base: Base) -> Entries:
    """Return what a key says of a base: everything that decides its bytes."""
    locked = (line.split(" ", 1) for line in base.locked)
    return (
        (base.name, base.image or f"debian {base.release}"),
        *((name, rest) for name, rest in locked),
    )
