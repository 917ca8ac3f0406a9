"""From the door: a service is published to a real registry, verified, explained and scanned."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..supply.yard import LocalRegistry, write_database  # noqa: TID252  a folder, not a package

if TYPE_CHECKING:
    from .conftest import Yard

NOWHERE = "unix:///nowhere/docker.sock"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    """A registry with nothing in it."""
    started = LocalRegistry(tmp_path / "registry")
    yield started
    started.stop()


def test_service_is_published_once_and_then_found(
    yard: Yard, registry: LocalRegistry, tmp_path: Path
) -> None:
    """It is built where it is missing; afterwards no engine is needed to answer questions."""
    checkout = yard.checkout
    checkout.environment["MONOYARD_REGISTRY"] = registry.address
    yard.service("shop")
    checkout.git("remote", "add", "origin", "https://user:secret@git.example.org/acme/shop.git")
    checkout.commit()
    commit = checkout.git("rev-parse", "HEAD").strip()
    ended = checkout.nox("publish", "--json")
    assert ended.code == 0, ended.text
    (base, image) = json.loads(ended.out[ended.out.index("{") :])["images"]
    assert (base["image"], base["is_new"]) == ("base-python", True)
    assert image["is_new"]
    assert {commit, "branch-main"} <= set(image["tags"])
    checkout.environment["DOCKER_HOST"] = NOWHERE
    ended = checkout.nox("publish", "--json")
    assert ended.code == 0, ended.text
    (again,) = json.loads(ended.out)["images"]
    assert (again["digest"], again["is_new"]) == (image["digest"], False)
    for what in ("shop", commit, "HEAD", f"shop:{commit}", f"shop@{image['digest']}"):
        ended = checkout.invoke("images.verify", what)
        assert ended.code == 0, ended.text
        assert f"from https://git.example.org/acme/shop at {commit}" in ended.out
        assert "secret" not in ended.text
    assert "is made from the same as" in checkout.invoke("images.explain", "shop").out
    checkout.write("libs/shop/src/shop/__init__.py", "def answer():\n    return 43\n")
    said = checkout.invoke("images.explain", "shop").out
    assert f"(commit {commit})" in said
    assert "changed: libs/shop/src/shop/__init__.py" in said
    ended = checkout.invoke("images.verify", "shop")
    assert (ended.code, ended.out) == (2, ""), ended.text
    ended = checkout.nox("publish")
    assert ended.code == 20, ended.text
    assert "error[images-required]: shop had to be built" in ended.err
    checkout.git("checkout", "--quiet", "libs/shop")
    check_scans(yard, tmp_path)
    check_base(yard, tmp_path / "elsewhere")


def check_base(yard: Yard, elsewhere: Path) -> None:
    """Another machine with the same key takes the signed base, and makes none of its own."""
    checkout = yard.checkout
    if (engine := os.environ.get("DOCKER_HOST")) is None:
        del checkout.environment["DOCKER_HOST"]
    else:
        checkout.environment["DOCKER_HOST"] = engine
    kept = Path(checkout.environment["MONOYARD_CACHE_DIR"])
    shutil.copytree(kept / "signing", elsewhere / "signing")
    checkout.environment["MONOYARD_CACHE_DIR"] = str(elsewhere)
    checkout.write("libs/shop/src/shop/__init__.py", "def answer():\n    return 44\n")
    checkout.commit()
    ended = checkout.nox("publish", "--json")
    assert ended.code == 0, ended.text
    (image,) = json.loads(ended.out[ended.out.index("{") :])["images"]
    assert (image["image"], image["is_new"]) == ("shop", True)
    assert not (elsewhere / "images" / "roots").exists()


def check_scans(yard: Yard, tmp_path: Path) -> None:
    """A package of the published image is refused by a policy, which says who brings it in."""
    checkout = yard.checkout
    checkout.write(
        "infra/images/policy.toml",
        """
        [signers.desk]
        key = "generated"
        [environments.dev]
        trusts = ["desk"]
        fail-at = "high"
        """,
    )
    (name, version) = next(
        line.strip(' ",').split(" ")[:2]
        for line in (checkout.top / "infra/images/debian.lock").read_text("utf-8").splitlines()
        if line.strip().startswith('"ca-certificates')
    )
    bad = write_database(
        tmp_path / "bad", "PyPI", "npm", "Debian", package=name, fixed_in="99999999999"
    )
    ended = checkout.nox("scan", "--json", env={"MONOYARD_OSV_DATABASE": bad})
    assert ended.code == 1, ended.text
    found = json.loads(ended.out)
    assert (found["verdict"], found["errors"]) == ("fail", [])
    (refused,) = (item for item in found["findings"] if item["is_refused"])
    assert (refused["package"], refused["version"]) == (name, version)
    assert (refused["images"], refused["brought_by"]) == (["shop"], ["base python"])
    good = write_database(
        tmp_path / "good", "PyPI", "npm", "Debian", package=name, fixed_in=version
    )
    ended = checkout.nox("scan", env={"MONOYARD_OSV_DATABASE": good})
    assert ended.code == 0, ended.text
    assert "PASS: `dev`: " in ended.out
    ended = checkout.nox("scan")
    assert ended.code == 1, ended.text
    assert "there is no database of known vulnerabilities" in ended.out
