"""Bases that are images of a registry, which stands in for an upstream one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.images import Layout

from ..supply.yard import LocalRegistry, program  # noqa: TID252  a folder, not a package

if TYPE_CHECKING:
    from .conftest import Yard

UPSTREAM = """
[tool.monoyard.images.bases.python]
image = "{image}"
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    """A registry with nothing in it."""
    started = LocalRegistry(tmp_path / "registry")
    yield started
    started.stop()


def push_base(yard: Yard, registry: LocalRegistry) -> str:
    """Push the base with Python that a run has made; return its reference."""
    kept = yard.checkout.cache / "images" / "bases"
    layouts = [Layout(place.parent) for place in kept.glob("*/index.json")]
    (base,) = (item for item in layouts if "root.tar" in str(item.configuration["history"]))
    reference = f"{registry.address}/python@{base.digest}"
    argv = (str(program("crane")), "push", str(base.path), reference)
    subprocess.run(argv, check=True, capture_output=True)
    return reference


def on(yard: Yard, image: str) -> None:
    """Let the services of a repository be built on an image."""
    yard.checkout.root(UPSTREAM.format(image=image))
    yard.checkout.commit()


def test_base_of_a_registry_is_as_good_as_one_of_packages(
    yard: Yard, new_yard: Callable[[], Yard], registry: LocalRegistry
) -> None:
    """The same base gives the same image, wherever it is from; a bad one is one clear error."""
    yard.service("shop")
    yard.checkout.commit()
    assert yard.checkout.outcomes("images") == {"shop:image": "pass"}
    reference = push_base(yard, registry)
    other = new_yard()
    other.service("shop")
    other.service("post")
    on(other, reference)
    place, _, digest = reference.partition("@")
    manifest = registry.blob(digest)
    good = manifest.read_bytes()
    manifest.write_bytes(good.replace(b"sha256", b"SHA256", 1))
    check_error(other, reference, "digest")
    manifest.write_bytes(good)
    on(other, f"{place}@sha256:{'0' * 64}")
    check_error(other, f"{place}@sha256:{'0' * 64}", "not found")
    on(other, reference)
    registry.stop()
    check_error(other, reference, "connection refused")
    registry.start()
    assert other.checkout.outcomes("images") == {"post:image": "pass", "shop:image": "pass"}
    assert other.digest("shop") == yard.digest("shop")


def check_error(yard: Yard, reference: str, said: str) -> None:
    """Every image says that its base cannot be had, and why; none is blamed for it."""
    outcomes = yard.checkout.outcomes("images")
    results = [yard.checkout.result(f"{name}:image") for name in ("shop", "post")]
    reasons = [f"{result['reason']}\n{result['log']}" for result in results]
    assert outcomes == {"post:image": "error", "shop:image": "error"}, "\n".join(reasons)
    for reason in reasons:
        assert reason.startswith(f"base image {reference} cannot be had: "), reason
        assert said in reason
