"""Images as archives that `docker load` takes, for engines that cannot pull from this machine."""

from __future__ import annotations

import io
import json
import tarfile
from typing import IO

from monoyard.images.layouts import Layout


def write_archive(layout: Layout, tag: str, stream: IO[bytes]) -> None:
    """Write an image; the engine compares its configuration and layers with their digests.

    Args:
        layout: The image.
        tag: What it is called in the engine.
        stream: Where to.
    """
    manifest = layout.manifest
    names = [_name(layer["digest"]) for layer in manifest["layers"]]
    configuration = _name(manifest["config"]["digest"])
    said = [{"Config": configuration, "RepoTags": [tag], "Layers": names}]
    with tarfile.open(fileobj=stream, mode="w") as archive:
        data = json.dumps(said).encode()
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
        for item in (manifest["config"], *manifest["layers"]):
            if (name := _name(item["digest"])) not in archive.getnames():
                archive.add(layout.blob(item["digest"]), name)


def _name(digest: str) -> str:
    return digest.replace(":", "-")
