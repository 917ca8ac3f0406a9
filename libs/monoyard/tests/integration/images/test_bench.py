"""What the bench of images measures, with a real BuildKit and a real container engine."""

from pathlib import Path
from typing import TYPE_CHECKING

import docker

from monoyard.bindings.benching_builds import BuildBench

if TYPE_CHECKING:
    from .conftest import Yard


def test_one_edited_line_and_sizes_are_measured(yard: "Yard", tmp_path: Path) -> None:
    """A service is built with the engine and without; nothing of it stays in the engine."""
    yard.service("shop")
    yard.checkout.commit()
    figures = BuildBench(yard.checkout.top, tmp_path, 1).measure()
    assert figures["one line, nox -s images"] > 0
    assert figures["one line, plain bake"] > 0
    own, other = figures["size, nox -s images (MiB)"], figures["size, one stage on debian (MiB)"]
    assert 10 < own < other
    client = docker.from_env()
    try:
        tags = [tag for image in client.api.images() for tag in image.get("RepoTags") or ()]
    finally:
        client.close()
    assert not [tag for tag in tags if tag.startswith("monoyard-bench")]
