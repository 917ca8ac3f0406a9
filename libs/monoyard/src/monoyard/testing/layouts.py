"""Small images, made without an engine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from monoyard.images import Layout


def write_layout(place: Path, content: str | Mapping[str, str]) -> Layout:
    """Write an image of one layer, with one file or with files by path, as an OCI layout."""
    files = {"content": content} if isinstance(content, str) else content
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        above = {str(parent) for name in files for parent in PurePosixPath(name).parents}
        for name in sorted(above - {"."}):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    plain = packed.getvalue()
    layer = gzip.compress(plain, mtime=0)
    blobs = place / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def keep(data: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

    base = "application/vnd.oci.image"
    configuration = {
        "architecture": "amd64", "os": "linux", "config": {"User": "10001"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]},
    }  # fmt: skip
    manifest = {
        "schemaVersion": 2, "mediaType": f"{base}.manifest.v1+json",
        "config": keep(json.dumps(configuration).encode(), f"{base}.config.v1+json"),
        "layers": [keep(layer, f"{base}.layer.v1.tar+gzip")],
    }  # fmt: skip
    found = keep(json.dumps(manifest).encode(), f"{base}.manifest.v1+json")
    index = {"schemaVersion": 2, "manifests": [found]}
    (place / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (place / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return Layout(place)
