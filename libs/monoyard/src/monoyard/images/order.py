"""What the building process is told, and what it answers; both are files of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from monoyard.errors import MonoyardError
from monoyard.images.layer_cache import LayerCache
from monoyard.images.work import Base, ImageWork

BUILDER_STATE: Final = "buildkit"
"""Directory of the builder's layers, below the one that all checkouts share for images."""
EPOCH: Final = "315619200"
"""Second that wheels and layers carry as their time: the first that a zip can hold is 1980."""


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
        log: File for everything that the builder says.
        images: The images.
        cache: Where layers of other builders are, if anywhere.
        published: Key of a base to an image of a registry, by digest, that is trusted.
        state: The checkout's state directory.
        pages: Package to the files of its page, as path from its directory to digest.
    """

    top: str
    scratch: str
    kept: str
    uv: str
    buildx: str
    buildkitd: str
    python: str
    is_isolated: bool
    log: str
    images: tuple[ImageWork, ...]
    cache: LayerCache | None = None
    published: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    pages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the order."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Order:
        """Read an order that was written here."""
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        images = tuple(_image(item) for item in data.pop("images"))
        cache = data.pop("cache")
        if cache is not None:
            cache = LayerCache(**{**cache, "reads": tuple(cache["reads"])})
        return cls(**data, images=images, cache=cache)


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

    @classmethod
    def of(cls, error: MonoyardError) -> Made:
        """Return that nothing became of an image, and that it is not the image's fault."""
        hint = f" ({error.hint})" if error.hint else ""
        log = "\n".join(error.context)
        return cls(problem=f"{error.message}{hint}", log=log, is_error=True)


def write_made(path: Path, made: Mapping[str, Made], notes: Sequence[str]) -> None:
    """Write what became of the images, by package, and what a person should know."""
    images = {name: asdict(item) for name, item in made.items()}
    path.write_text(json.dumps({"images": images, "notes": notes}), "utf-8")


def read_made(path: Path) -> tuple[dict[str, Made], tuple[str, ...]]:
    """Read what became of the images; nothing where the process did not get so far."""
    if not path.is_file():
        return {}, ()
    data = json.loads(path.read_text("utf-8"))
    made = {name: Made(**item) for name, item in data["images"].items()}
    return made, tuple(data["notes"])


def _image(data: dict[str, Any]) -> ImageWork:
    data["base"] = _base(data["base"])
    data["build_base"] = _base(data["build_base"]) if data["build_base"] else None
    data["sources"] = {name: tuple(paths) for name, paths in data["sources"].items()}
    data["included"] = tuple((place, inner) for place, inner in data["included"])
    for name in ("entrypoint", "health_command"):
        data[name] = tuple(data[name])
    return ImageWork(**data)


def _base(data: dict[str, Any]) -> Base:
    return Base(**{**data, "packages": tuple(data["packages"]), "locked": tuple(data["locked"])})
