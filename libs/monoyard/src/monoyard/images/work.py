"""What a task says of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monoyard.suites import VenvSpec


@dataclass(frozen=True, slots=True)
class Base:
    """A base image.

    Attributes:
        name: Its name in the workspace's table.
        packages: Debian packages that were asked for.
        locked: `NAME VERSION ARCHITECTURE SHA-256` of all it is made of; empty: resolve anew.
        release: Debian release.
        image: An upstream image by digest instead.
    """

    name: str
    packages: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    release: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class ImageWork:
    """Make the image of one service, and try it.

    Attributes:
        package: Package name; also the image's name.
        base: What it is built on.
        dockerfile: Its own Dockerfile from the top, or empty for the shared one.
        entrypoint: Program and arguments.
        port: Port it listens on.
        health: Path that answers 200.
        build_base: What its dependencies are built on, with a compiler; None: wheels only.
        health_command: Program and arguments that end with 0 in it, instead of that path.
        environment: Variables it is tried with.
        sources: Package name to the files its wheel is made from, for it and all it needs; paths
            from the top.
        directories: Package name to directory, for the same packages.
        requirements: Its slice of the lock, from the top.
        bundle: Directory of the page that its `build` made, from the top; empty for Python.
        included: (file from the top, path below `/srv`).
        venv: Venv that has the build backends, or None where they are fetched. The building
            process is told where it lies, so that what it reads has none.
    """

    package: str
    base: Base
    dockerfile: str
    entrypoint: tuple[str, ...]
    port: int
    health: str
    environment: Mapping[str, str]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    directories: Mapping[str, str] = field(default_factory=dict)
    requirements: str = ""
    bundle: str = ""
    included: tuple[tuple[str, str], ...] = ()
    build_base: Base | None = None
    health_command: tuple[str, ...] = ()
    venv: VenvSpec | None = None
