"""Writes what a build reads: one directory for each image, with nothing that it does not need.

BuildKit compares files by size and time, and directories by their last name (moby/buildkit#2592,
docker/buildx#3093). So a file's time follows from its content, and a directory's name from its
path.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from monoyard.errors import ToolError

_HERE: Final = Path(__file__).parent / "dockerfiles"
_WHEELS_ONLY: Final = '"--only-binary", ":all:"'
# What builds is locked with the build base; a backend of an index would be locked by nothing.
_BACKENDS_OF_BASE: Final = '"--no-build-isolation"'
_PREPARED: Final = "FROM build AS prepared\n"
# Debugging information names the directory of the build, which differs each time.
_COMPILER: Final = "ENV CFLAGS=-g0 PYTHONPATH=/usr/lib/python3/dist-packages\n"
_FIRST_SECOND: Final = 1_000_000_000
_SECONDS: Final = 500_000_000
_COMPRESSIBLE: Final = frozenset({".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".wasm"})


def unique_directory(place: Path, name: str, owner: str) -> Path:
    """Make and return an empty directory whose last name no other owner's has."""
    digest = hashlib.sha256(f"{owner}/{name}".encode()).hexdigest()[:10]
    directory = place / f"{name}-{digest}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def write_service(
    directory: Path,
    *,
    dockerfile: Path | None,
    requirements: Path,
    wheels: Iterable[Path],
    included: Iterable[tuple[Path, str]],
    entrypoint: Sequence[str],
    port: int,
    compiles: bool = False,
) -> None:
    """Write the context of a Python service.

    Args:
        directory: An empty directory.
        dockerfile: The service's own Dockerfile, or None for the shared one.
        requirements: Its slice of the lock.
        wheels: Workspace packages.
        included: Files, each with its path below `/srv`.
        entrypoint: Program and arguments.
        port: Port it listens on.
        compiles: Distributions without a wheel are built, by what the build base brings.
    """
    _write_dockerfile(directory, dockerfile, "python.Dockerfile", entrypoint, port)
    if compiles and dockerfile is None:
        shared = directory / "Dockerfile"
        text = shared.read_text("utf-8").replace(_WHEELS_ONLY, _BACKENDS_OF_BASE)
        shared.write_text(text.replace(_PREPARED, _PREPARED + _COMPILER), encoding="utf-8")
    shutil.copyfile(_HERE / "finish.py", directory / "finish.py")
    shutil.copyfile(requirements, directory / "requirements.txt")
    (directory / "wheels").mkdir()
    named = []
    for wheel in sorted(wheels, key=lambda path: path.name):
        shutil.copyfile(wheel, directory / "wheels" / wheel.name)
        named.append(f"/in/wheels/{wheel.name}\n")
    (directory / "wheels" / "requirements.txt").write_text("".join(named), encoding="utf-8")
    (directory / "include").mkdir()
    for source, inner in included:
        target = directory / "include" / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    _settle(directory)


def write_page(
    directory: Path,
    *,
    dockerfile: Path | None,
    bundle: Path,
    files: Mapping[str, str],
    entrypoint: Sequence[str],
    port: int,
    health: str,
) -> None:
    """Write the context of a page.

    Args:
        directory: An empty directory.
        dockerfile: The service's own Dockerfile, or None for the shared one.
        bundle: Directory that its `build` left.
        files: What it left there, as path to digest; what compresses well stands there compressed
            too.
        entrypoint: Program and arguments.
        port: Port it listens on.
        health: Path that answers 200.

    Raises:
        ToolError: The directory does not have what `build` left there.
    """
    _write_dockerfile(directory, dockerfile, "page.Dockerfile", entrypoint, port)
    settings = (_HERE / "nginx.conf").read_text("utf-8")
    settings = settings.replace("@PORT@", str(port)).replace("@HEALTH@", health)
    (directory / "etc" / "nginx").mkdir(parents=True)
    (directory / "etc" / "nginx" / "nginx.conf").write_text(settings, encoding="utf-8")
    for name, digest in files.items():
        target = directory / "www" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_exactly(bundle / name, target, digest)
    for path in sorted((directory / "www").rglob("*")):
        if path.suffix in _COMPRESSIBLE:
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)
    _settle(directory)


def write_base(directory: Path, root: Path) -> None:
    """Write the context of a base image of Debian packages; `root` holds `root.tar`."""
    shutil.copyfile(shared_dockerfile("base"), directory / "Dockerfile")
    os.link(root / "root.tar", directory / "root.tar")
    _set_time(directory / "Dockerfile")


def shared_dockerfile(name: str) -> Path:
    """Return a Dockerfile that ships with the engine."""
    return _HERE / f"{name}.Dockerfile"


def write_uv(directory: Path, program: Path) -> None:
    """Write the context of the image that holds uv."""
    shutil.copyfile(shared_dockerfile("uv"), directory / "Dockerfile")
    shutil.copy(program, directory / "uv")
    _settle(directory)


def _write_dockerfile(
    directory: Path, own: Path | None, shared: str, entrypoint: Sequence[str], port: int
) -> None:
    text = (own or _HERE / shared).read_text("utf-8")
    if own is None:
        text += f"ENV PORT={port}\nEXPOSE {port}\nENTRYPOINT {json.dumps(list(entrypoint))}\n"
    (directory / "Dockerfile").write_text(text, encoding="utf-8")


def _copy_exactly(source: Path, target: Path, digest: str) -> None:
    """Copy a file whose content is known.

    Raises:
        ToolError: It is not there, or has another content.
    """
    try:
        shutil.copy(source, target)
        found = hashlib.sha256(target.read_bytes()).hexdigest()
    except FileNotFoundError:
        found = ""
    if found != digest:
        fault = "has another content" if found else "is gone"
        raise ToolError(
            f"{source} {fault}: something wrote there after `build`",
            code="outputs-changed", hint="repeat it when nothing else builds in this checkout",
        )  # fmt: skip


def _settle(directory: Path) -> None:
    """Give every file a time that follows from its content, and a mode that no umask decides."""
    for path in directory.rglob("*"):
        if path.is_file():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            _set_time(path)
        else:
            path.chmod(0o755)
            os.utime(path, (_FIRST_SECOND, _FIRST_SECOND))


def _set_time(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    second = _FIRST_SECOND + int(digest[:8], 16) % _SECONDS
    os.utime(path, (second, second))
