"""Images that cannot be published, among others that can, from the nox door without an engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.bindings.arguments import parse_arguments
from monoyard.bindings.engine import Engine
from monoyard.cache import StoredFile, StoredResult
from monoyard.images import ImageWork
from monoyard.results import Outcome, TaskResult
from monoyard.testing.layouts import write_layout

from .proxy import Rule, proxied
from .yard import Desk, LocalRegistry

if TYPE_CHECKING:
    from ..checkouts import Checkout, Ended  # noqa: TID252  a folder, not a package

NAMES = ("first", "second", "third")
ROOT = """
[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""


class Shops:
    """A repository with services whose images are built, in its store.

    Args:
        checkout: The repository.
        registry: Where to publish.
        place: Directory for layouts.
    """

    def __init__(self, checkout: Checkout, registry: LocalRegistry, place: Path) -> None:
        self.checkout = checkout
        self._place = place
        checkout.root(ROOT)
        checkout.write("infra/images/debian.lock", 'python = ["python3-minimal 3 amd64 00"]\n')
        for name in NAMES:
            checkout.package(name, table='[tool.monoyard]\nrole = "service"\n')
            checkout.write(f"{name}.txt", "")
        checkout.commit()
        checkout.environment["MONOYARD_REGISTRY"] = registry.address
        checkout.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"

    def build(self, broken: str = "") -> None:
        """Put an image of each into the store, as builds do; one may have a broken layer."""
        engine = Engine(self.checkout.top, lambda _: None, self.checkout.environment)
        plan = engine.plan(engine.selection(parse_arguments([])), has_engine=True)
        for planned in plan.selected:
            name, manifest = planned.task.package, planned.manifest
            if not isinstance(planned.task.work, ImageWork) or manifest is None:
                continue
            files = {"etc/os-release": "ID=debian\nVERSION_ID=12\n", "name": name}
            layout = write_layout(self._place / name, files)
            if name == broken:
                layout.blob(layout.manifest["layers"][0]["digest"]).write_bytes(b"no layer")
            paths = [path for path in layout.path.rglob("*") if path.is_file()]
            kept = [
                StoredFile.of_file(f"oci/{path.relative_to(layout.path)}", path) for path in paths
            ]
            said = TaskResult(planned.task.id, Outcome.PASS).to_data()
            engine.store.put(
                StoredResult(manifest.key, planned.task.id, said, (), tuple(kept), 1.0, 1.7e9),
                {file.digest: path for file, path in zip(kept, paths, strict=True)},
            )
        engine.store.close()

    def publish(self) -> tuple[Ended, dict[str, bool]]:
        """Publish; return how it ended, and each image that was published with whether it is new.

        Where it ended before it could say so there is none.
        """
        ended = self.checkout.nox("publish", "--json")
        images = json.loads(ended.out)["images"] if ended.out.startswith("{") else []
        return ended, {item["image"]: item["is_new"] for item in images}


@pytest.fixture
def shops(new_checkout: Callable[[], Checkout], registry: LocalRegistry, tmp_path: Path) -> Shops:
    """Three services, none of which was built."""
    return Shops(new_checkout(), registry, tmp_path / "layouts")


def test_image_that_cannot_be_listed_fails_alone(shops: Shops) -> None:
    """Where an image has a layer that cannot be read the others are published, and it is told."""
    shops.build(broken="second")
    ended, published = shops.publish()
    assert ended.code == 21, ended.text
    assert published == {"first": True, "third": True}
    assert "error[tool-failed]: the SBOM of second cannot be made" in ended.err
    ended, published = shops.publish()
    assert (ended.code, published) == (21, {"first": False, "third": False}), ended.text


def test_image_that_the_registry_says_nothing_of_fails_alone(
    shops: Shops, registry: LocalRegistry, desk: Desk
) -> None:
    """Where the registry refuses to speak of one image the others are published, and it is told."""
    shops.build()
    with proxied(registry) as proxy:
        shops.checkout.environment["MONOYARD_REGISTRY"] = proxy.address
        proxy.rule = Rule("HEAD|GET", "/second/manifests/", status=403)
        ended, published = shops.publish()
        assert ended.code == 31, ended.text
        assert published == {"first": True, "third": True}
        assert "error[registry-credentials]" in ended.err
        assert desk.registry.tags("second") == ()
        proxy.rule = Rule("HEAD|GET", "/manifests/", status=403)
        ended, published = shops.publish()
        assert (ended.code, published) == (31, {}), ended.text
        assert ended.err.count("error[registry-credentials]") == 1
