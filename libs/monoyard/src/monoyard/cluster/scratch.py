"""Images FROM scratch, as OCI layouts: files, or a root of Debian packages, and what to execute.

No engine and no Dockerfile: a layer is a tar, and equal contents make equal bytes. Layers are not
compressed, as they never leave the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_CONFIGURATION: Final = "application/vnd.oci.image.config.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_PROCESSORS: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What an image is made of.

    Attributes:
        entrypoint: Program and arguments.
        files: Path in the image to a file, or to a directory that is taken whole.
        directories: Path of an empty directory to its mode.
        root: A tar that lies below, or None.
        user: Number of the user it runs as.
        environment: Its variables.
    """

    entrypoint: Sequence[str]
    files: Mapping[str, Path] = field(default_factory=dict)
    directories: Mapping[str, int] = field(default_factory=dict)
    root: Path | None = None
    user: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


def write_layout(contents: Contents, target: Path) -> None:
    """Write an image as a layout; the directory appears when it is complete."""
    building = target.with_name(f"{target.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    blobs = building / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layers = []
    if contents.root is not None:
        layers.append(_keep_file(blobs, contents.root))
    if contents.files or contents.directories:
        tar = building / "layer.tar"
        _write_layer(contents, tar)
        layers.append(_keep_file(blobs, tar))
        tar.unlink()
    processor = platform.machine()
    configuration = {
        "architecture": _PROCESSORS.get(processor, processor),
        "os": "linux",
        "config": {
            "Entrypoint": list(contents.entrypoint),
            "Env": [f"{name}={value}" for name, value in contents.environment.items()],
            "User": str(contents.user),
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _keep_json(blobs, configuration, _CONFIGURATION),
        "layers": layers,
    }
    index = {"schemaVersion": 2, "manifests": [_keep_json(blobs, manifest, _MANIFEST)]}
    (building / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (building / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)


def _write_layer(contents: Contents, target: Path) -> None:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, mode in sorted(contents.directories.items()):
            item = _entry(name, mode, tarfile.DIRTYPE)
            item.uid = item.gid = contents.user
            tar.addfile(item)
        for name, source in sorted(contents.files.items()):
            _add(tar, name, source)


def _add(tar: tarfile.TarFile, name: str, source: Path) -> None:
    if source.is_symlink():
        item = _entry(name, 0o777, tarfile.SYMTYPE)
        item.linkname = os.fspath(source.readlink())
        tar.addfile(item)
    elif source.is_dir():
        tar.addfile(_entry(name, 0o755, tarfile.DIRTYPE))
        for inner in sorted(source.iterdir()):
            _add(tar, f"{name}/{inner.name}", inner)
    else:
        status = source.stat()
        item = _entry(name, 0o755 if status.st_mode & 0o100 else 0o644, tarfile.REGTYPE)
        item.size = status.st_size
        with source.open("rb") as stream:
            tar.addfile(item, stream)


def _entry(name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    item = tarfile.TarInfo(name.lstrip("/"))
    item.mode, item.type = mode, kind
    return item


def _keep_file(blobs: Path, source: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    target = blobs / digest.hexdigest()
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return _descriptor(_LAYER, digest.hexdigest(), target.stat().st_size)


def _keep_json(blobs: Path, value: object, kind: str) -> dict[str, Any]:
    data = json.dumps(value, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return _descriptor(kind, digest, len(data))


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}
