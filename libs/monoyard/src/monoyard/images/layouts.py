"""OCI image layouts: what is in one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Layout:
    """The one image of a layout.

    Attributes:
        path: The layout's directory.
    """

    path: Path

    @cached_property
    def descriptor(self) -> Mapping[str, Any]:
        """What the index says of the image.

        Raises:
            ValueError: There is not exactly one image.
        """
        index = json.loads((self.path / "index.json").read_bytes())
        manifests = index.get("manifests", ())
        if len(manifests) != 1:
            raise ValueError(f"{self.path}: {len(manifests)} images instead of one")
        found: Mapping[str, Any] = manifests[0]
        return found

    @property
    def digest(self) -> str:
        """Digest of its manifest."""
        return str(self.descriptor["digest"])

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Its manifest."""
        found: Mapping[str, Any] = json.loads(self.blob(self.digest).read_bytes())
        return found

    @cached_property
    def configuration(self) -> Mapping[str, Any]:
        """Its configuration: user, entry point, environment."""
        digest = self.manifest["config"]["digest"]
        found: Mapping[str, Any] = json.loads(self.blob(digest).read_bytes())
        return found

    @property
    def size(self) -> int:
        """Bytes that a registry keeps for it."""
        layers = sum(layer["size"] for layer in self.manifest["layers"])
        return int(layers + self.manifest["config"]["size"] + self.descriptor["size"])

    def blob(self, digest: str) -> Path:
        """Return the file of a digest."""
        return self.path / "blobs" / digest.replace(":", "/")

    def files(self) -> dict[str, Path]:
        """Return the files that belong to the image, by their paths in the layout."""
        digests = [self.digest, self.manifest["config"]["digest"]]
        digests += [layer["digest"] for layer in self.manifest["layers"]]
        names = [
            "oci-layout",
            "index.json",
            *(f"blobs/{name.replace(':', '/')}" for name in digests),
        ]
        return {name: self.path / name for name in names}
