"""Images that builds start from, as OCI layouts that stay: bases of Debian packages, and uv.

They are layouts and no targets of the bake. The layers of a base that is an image already are taken
as they are, where those of a target would be written anew into every image. And an image is known
by its digest at once: where the targets of a bake share a directory that is still being sent,
BuildKit looks for steps in a registry's cache before it knows the key, and runs them
(docker/buildx#414).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monoyard.errors import ToolError
from monoyard.images.builder import Builder, log_of
from monoyard.images.contexts import shared_dockerfile, write_base, write_uv
from monoyard.images.debian import root_name, root_of
from monoyard.images.layouts import Layout
from monoyard.images.order import EPOCH
from monoyard.images.work import Base, ImageWork
from monoyard.install import exclusive
from monoyard.tools.buildx import IMAGE, Target


def base_key(base: Base) -> str:
    """Return what names the bytes of a base; empty for an upstream image, and for one not locked.

    It follows from the lock: nothing has to be made to know it.
    """
    if base.image or not base.locked:
        return ""
    return _name("base", root_name(base.release, base.locked).encode())


def bases_of(works: Iterable[ImageWork]) -> tuple[Base, ...]:
    """Return the bases of images that have a key, each once, by name."""
    named = {base for work in works for base in (work.base, work.build_base) if base}
    return tuple(sorted(filter(base_key, named), key=lambda base: base.name))


def kept_base(base: Base, kept: Path) -> Layout | None:
    """Return the layout of a base that was made on this machine, or None.

    Args:
        base: The base.
        kept: Directory of images that all checkouts share.
    """
    key = base_key(base)
    place = kept / "bases" / key
    return Layout(place) if key and (place / "index.json").is_file() else None


@dataclass(frozen=True, slots=True)
class BaseLayouts:
    """The layouts of one machine; each is built once and kept.

    Attributes:
        kept: Directory that all checkouts share.
        builder: Builds what is not there.
        new_context: Makes an empty directory for a context of some name.
        published: Key of a base to a trusted image of a registry, by digest.
    """

    kept: Path
    builder: Builder
    new_context: Callable[[str], Path]
    published: Mapping[str, str] = field(default_factory=dict)

    def context(self, base: Base) -> str:
        """Return a base as a context of a build: from its registry, from here, or made now.

        Raises:
            ConfigurationError: What the lock names is not what the archive has.
            MachineError: mmdebstrap is not installed.
            ToolError: It cannot be built.
        """
        if base.image:
            return f"{IMAGE}{base.image}"
        if kept_base(base, self.kept) is None and (found := self.published.get(base_key(base))):
            return f"{IMAGE}{found}"
        return reference(self.base(base))

    def base(self, base: Base) -> Layout:
        """Return a base that is made of packages.

        Raises:
            ConfigurationError: What the lock names is not what the archive has.
            MachineError: mmdebstrap is not installed.
            ToolError: It cannot be built.
        """
        root = root_of(base, self.kept / "roots")
        return self._layout("base", root.name.encode(), lambda place: write_base(place, root))

    def uv(self, program: Path) -> Layout:
        """Return the image that holds uv alone.

        Raises:
            ToolError: It cannot be built.
        """
        return self._layout("uv", program.read_bytes(), lambda place: write_uv(place, program))

    def _layout(self, stage: str, content: bytes, write: Callable[[Path], None]) -> Layout:
        """Return the layout of some content, which `write` makes a context of."""
        digest = _name(stage, content)
        place = self.kept / "bases" / digest
        with exclusive(self.kept / "bases" / f"{digest}.lock"):
            if not (place / "index.json").is_file():
                building = self.kept / "bases" / f"{digest}.new"
                context = self.new_context(f"base-{stage}")
                write(context)
                target = Target(
                    name=stage, context=context, dockerfile=context / "Dockerfile", stage=stage,
                    contexts={}, args={"SOURCE_DATE_EPOCH": EPOCH}, secrets={}, output=building,
                )  # fmt: skip
                done = self.builder.build((target,))
                if done.status:
                    said = log_of(done.stderr.decode("utf-8", "replace"))
                    raise ToolError(
                        f"base image `{stage}` cannot be built", context=tuple(said.splitlines())
                    )
                shutil.rmtree(place, ignore_errors=True)
                building.rename(place)
        return Layout(place)


def reference(layout: Layout) -> str:
    """Return a layout as a context of a build."""
    return f"oci-layout://{layout.path}@{layout.digest}"


def _name(stage: str, content: bytes) -> str:
    """Return the name of what a shared Dockerfile makes of some content."""
    return hashlib.sha256(content + shared_dockerfile(stage).read_bytes()).hexdigest()[:32]
