"""What a task says of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
        package: Package name.
        directory: Its directory from the top.
        sources: Package name to the files its wheel is made from, for it and all it needs; paths
            from the top.
        directories: Package name to directory, for the same packages.
        requirements: Its slice of the lock, from the top.
        bundle: Directory of the page that its `build` made, from the top; empty for Python.
        included: Files that are put below `/srv`, from the package's directory.
        dockerfile: Its own Dockerfile from the top, or empty for the shared one.
        base: What it is built on.
        venv: Venv that has the build backends, or None where they are fetched.
        entrypoint: Program and arguments.
        port: Port it listens on.
        health: Path that answers 200.
        environment: Variables it is tried with.
    """

    package: str
    directory: str
    sources: Mapping[str, tuple[str, ...]]
    directories: Mapping[str, str]
    requirements: str
    bundle: str
    included: tuple[str, ...]
    dockerfile: str
    base: Base
    venv: VenvSpec | None
    entrypoint: tuple[str, ...]
    port: int
    health: str
    environment: Mapping[str, str]
