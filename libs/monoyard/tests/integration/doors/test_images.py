"""Images where no container engine answers: named, skipped with the reason, and demanded."""

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Checkout

BASES = """
[tool.monoyard.images.bases.python]
packages = ["python3-minimal"]
"""
SERVICE = '[tool.monoyard]\nrole = "service"\n'


@pytest.fixture
def shop(empty: "Checkout") -> "Checkout":
    """A service whose image cannot be made here, because its engine is elsewhere."""
    empty.root(BASES)
    empty.package("shop", table=SERVICE)
    empty.write("shop.txt", "")
    empty.write("infra/images/debian.lock", 'python = ["python3-minimal 3 amd64 00"]\n')
    empty.environment["DOCKER_HOST"] = f"unix://{empty.top}/nowhere.sock"
    empty.commit()
    return empty


def reason(shop: "Checkout") -> str:
    """Return why the image is not made."""
    return (
        f"no container engine answers at unix://{shop.top}/nowhere.sock "
        "(`invoke tools.start docker` starts one)"
    )


def test_images_are_skipped_with_the_reason(shop: "Checkout") -> None:
    """Everything else is checked, also in CI, and the verdict says what was not made and why."""
    ended = shop.nox("ci", "--suite", "lint", "--suite", "image", env={"CI": "true"})
    assert ended.code == 0, ended.text
    assert f"skipped: shop:image: {reason(shop)}" in ended.out
    assert "PASS: 2 tasks, 1 skipped" in ended.out


def test_required_images_are_an_error(shop: "Checkout") -> None:
    """Where `MONOYARD_REQUIRE` names images, nothing is run without them."""
    ended = shop.nox("ci", env={"MONOYARD_REQUIRE": "images"})
    assert ended.code not in {0, 1}, ended.text
    assert f"error[images-required]: cannot make shop:image: {reason(shop)}" in ended.err
    assert "MONOYARD_REQUIRE" in ended.err


def test_images_are_listed(shop: "Checkout") -> None:
    """The list names each image with the reason it is not there; as JSON, too."""
    assert shop.invoke("images.list").out == f"shop  {reason(shop)}\n"
    listed = json.loads(shop.invoke("images.list", "--json").out)
    assert listed["images"][0]["image"] == "shop"
    assert listed["images"][0]["state"] == "skip"


def test_workspace_without_images_says_so(checkout: "Checkout") -> None:
    """No bases, no images, no task of theirs."""
    assert checkout.invoke("images.list").out == "the workspace has no images\n"
    ended = checkout.invoke("images.refresh")
    assert ended.code not in {0, 1}
    assert "no base image is made of Debian packages" in ended.err
