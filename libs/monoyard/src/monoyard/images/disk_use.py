"""What images take on the disk: in the engine, in the builder, left by killed trials."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import docker
from docker.errors import APIError, NotFound

from monoyard.errors import MachineError
from monoyard.images.order import BUILDER_STATE
from monoyard.images.trial import engine, left_containers, left_images

_BLOCK: Final = 512  # bytes that `st_blocks` counts by (stat(2))


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing that an engine keeps.

    Attributes:
        count: How many.
        size: Bytes that they take.
    """

    count: int
    size: int

    @classmethod
    def of(cls, sizes: Iterable[Any]) -> Self:
        """Count things by their sizes; one that the engine does not know (-1) takes none."""
        known = [max(0, int(size or 0)) for size in sizes]
        return cls(len(known), sum(known))


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What an engine keeps on its disk.

    Attributes:
        place: Its directory.
        kept: `images`, `containers`, `volumes` and `build cache`.
        left: Containers and images of trials whose processes were killed, by name.
    """

    place: str
    kept: Mapping[str, Kept]
    left: tuple[str, ...]


def look() -> DiskUse:
    """Ask the engine what it keeps.

    Raises:
        MachineError: None answers, or it does not say.
    """
    with contextlib.closing(engine()) as client:
        return _read(client)


def prune() -> DiskUse:
    """Remove what killed trials left, and nothing else; return what was there before.

    Raises:
        MachineError: No engine answers, or it refuses.
    """
    with contextlib.closing(engine()) as client:
        found = _read(client)
        try:
            # The next build removes the same, perhaps just now.
            for container in left_containers(client):
                with contextlib.suppress(NotFound), _unless_on_its_way():
                    container.remove(force=True, v=True)
            for name in left_images(client):
                with contextlib.suppress(NotFound):
                    client.images.remove(name)
        except APIError as error:
            raise _refused(error) from error
        return found


def own_use(kept: Path) -> dict[str, int]:
    """Return the bytes that a machine's images take outside of the engine.

    Args:
        kept: The directory that all checkouts share for images.
    """
    others = (place for place in kept.glob("*") if place.name != BUILDER_STATE)
    return {
        "layers of the builder": _size_of(kept / BUILDER_STATE),
        "bases and wheels": sum(map(_size_of, others)),
    }


def _size_of(directory: Path) -> int:
    """Return the bytes that files below a directory take; what is not there takes none."""
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(f"{place}/{name}").st_blocks * _BLOCK
    return total


@contextlib.contextmanager
def _unless_on_its_way() -> Iterator[None]:
    """Take it as removed what somebody else is removing: the engine calls that a conflict."""
    try:
        yield
    except APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise


def _read(client: docker.DockerClient) -> DiskUse:
    try:
        said = client.df()
        containers = [str(item.name) for item in left_containers(client)]
        return DiskUse(
            str(client.info()["DockerRootDir"]),
            {
                # Layers that images share are counted once.
                "images": Kept(len(said.get("Images") or ()), int(said.get("LayersSize") or 0)),
                "containers": Kept.of(item.get("SizeRw") for item in said.get("Containers") or ()),
                "volumes": Kept.of(
                    (item.get("UsageData") or {}).get("Size") for item in said.get("Volumes") or ()
                ),
                "build cache": Kept.of(item.get("Size") for item in said.get("BuildCache") or ()),
            },
            (*containers, *left_images(client)),
        )
    except APIError as error:
        raise _refused(error) from error


def _refused(error: APIError) -> MachineError:
    said = str(error.explanation or error)
    return MachineError("the container engine does not do what it is asked", context=(said,))
