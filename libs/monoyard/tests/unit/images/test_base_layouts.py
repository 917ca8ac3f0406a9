"""What names a base image, and where a build takes it from."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from monoyard.images import Base, ImageWork, base_key, bases_of, kept_base
from monoyard.images.base_layouts import BaseLayouts
from monoyard.images.builder import Builder

if TYPE_CHECKING:
    from .conftest import Yard

LOCKED = Base("python", ("python3",), ("python3 1 amd64 00", "libc6 2 amd64 11"), "bookworm")
UPSTREAM = Base("python", image="host/python@sha256:00")


def test_key_follows_from_the_lock() -> None:
    """Its packages and its release are in it, its name is not; nothing is made to know it."""
    key = base_key(LOCKED)
    assert len(key) == 32
    assert base_key(replace(LOCKED, name="other")) == key
    assert base_key(replace(LOCKED, locked=LOCKED.locked[:1])) != key
    assert base_key(replace(LOCKED, release="trixie")) != key


def test_what_is_not_locked_has_no_key() -> None:
    """An upstream image has its digest, and what is resolved afresh may be anything."""
    assert base_key(UPSTREAM) == ""
    assert base_key(replace(LOCKED, locked=())) == ""


def test_bases_of_images_are_told_once(yard: "Yard") -> None:
    """Two services on one base have one; a base that nobody is built on is not among them."""
    works = [cast("ImageWork", task.work) for task in yard.tasks()]
    assert [base.name for base in bases_of((*works, *works))] == ["python"]
    assert bases_of([replace(works[0], base=UPSTREAM)]) == ()


def test_build_takes_a_base_from_where_it_is(tmp_path: Path) -> None:
    """What is kept here wins; else the registry's, by digest; an upstream one is what it says."""
    key = base_key(LOCKED)
    published = {key: "host/base-python@sha256:22"}
    layouts = BaseLayouts(tmp_path, cast("Builder", None), lambda _: tmp_path, published)
    assert layouts.context(UPSTREAM) == "docker-image://host/python@sha256:00"
    assert kept_base(LOCKED, tmp_path) is None
    assert layouts.context(LOCKED) == "docker-image://host/base-python@sha256:22"
    place = tmp_path / "bases" / key
    place.mkdir(parents=True)
    (place / "index.json").write_text('{"manifests": [{"digest": "sha256:33"}]}', "utf-8")
    found = kept_base(LOCKED, tmp_path)
    assert found is not None
    assert found.digest == "sha256:33"
