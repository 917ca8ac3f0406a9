"""What the building process is told, and what it answers; both are files of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monoyard.images.work import Base, ImageWork


@dataclass(frozen=True, slots=True)
class Order:
    """Images to make in one go.

    Attributes:
        top: Root of the work tree.
        scratch: An empty directory.
        kept: Directory shared by all checkouts, for base images and the builder's state.
        uv: uv's program.
        buildx: buildx's program.
        buildkitd: BuildKit's program.
        python: Python that builds wheels; where it has the backends they are not fetched.
        is_isolated: The backends have to be fetched.
        images: The images.
    """

    top: str
    scratch: str
    kept: str
    uv: str
    buildx: str
    buildkitd: str
    python: str
    is_isolated: bool
    images: tuple[ImageWork, ...]

    def write(self, path: Path) -> None:
        """Write the order."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Order:
        """Read an order that was written here."""
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        images = data.pop("images")
        return cls(**data, images=tuple(_image(item) for item in images))


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an image.

    Attributes:
        digest: Digest of its manifest; empty where there is none.
        size: Bytes that a registry keeps for it.
        problem: Why it is no good, in a line; empty where it is.
        log: What was said about that.
        is_error: It is not the image's fault.
    """

    digest: str = ""
    size: int = 0
    problem: str = ""
    log: str = ""
    is_error: bool = False


def write_made(path: Path, made: Mapping[str, Made]) -> None:
    """Write what became of the images, by package."""
    path.write_text(json.dumps({name: asdict(item) for name, item in made.items()}), "utf-8")


def read_made(path: Path) -> dict[str, Made]:
    """Read what became of the images; nothing where the process did not get so far."""
    if not path.is_file():
        return {}
    return {name: Made(**item) for name, item in json.loads(path.read_text("utf-8")).items()}


def _image(data: dict[str, Any]) -> ImageWork:
    base = data.pop("base")
    base = Base(**{**base, "packages": tuple(base["packages"]), "locked": tuple(base["locked"])})
    data["sources"] = {name: tuple(paths) for name, paths in data["sources"].items()}
    data["included"] = tuple((place, inner) for place, inner in data["included"])
    data["entrypoint"] = tuple(data["entrypoint"])
    return ImageWork(**data, base=base)
