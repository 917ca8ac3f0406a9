"""Pruning and publishing at the same moment, in an order that the test decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from monoyard.errors import RegistryError
from monoyard.supply import Expected, Trust

from .proxy import Proxy, Rule, proxied
from .test_interrupts import LIST
from .test_retention import Shop
from .yard import COMMIT, SOURCE, Desk, LocalRegistry, wanted

if TYPE_CHECKING:
    from pathlib import Path

    from ..checkouts import Checkout  # noqa: TID252  a folder, not a package

DELETE = r"/manifests/sha256:[0-9a-f]{64}$"


@pytest.fixture
def proxy(registry: LocalRegistry) -> Iterator[Proxy]:
    """A proxy that only one of the two goes through."""
    with proxied(registry) as started:
        yield started


@pytest.fixture
def shop(
    new_checkout: Callable[[], Checkout], desk: Desk, registry: LocalRegistry, tmp_path: Path
) -> Shop:
    """A service without an image yet."""
    place = tmp_path / "layouts"
    place.mkdir()
    return Shop(new_checkout(), desk, registry, place)


def accepted(desk: Desk, digest: str) -> bool:
    """Say whether an image is accepted; it raises where it is not."""
    trust = Trust(desk.signatures, desk.policy(prod='trusts = ["own"]'), "prod")
    return bool(trust.accept(desk.registry.reference("shop", digest), Expected("shop", SOURCE)))


def test_image_that_is_taken_up_again_is_not_removed(shop: Shop, proxy: Proxy) -> None:
    """An old image that a commit reuses between decision and removal stays, with that reason."""
    desk, item = shop.desk, wanted("one")
    digest = desk.publisher(is_clean=False).publish(item, desk.built("one"), "new").digest
    publisher = desk.publisher(commit="2" * 40)

    def reuse() -> None:
        proxy.rule = None
        assert publisher.reuse(item, digest).digest == digest

    # The first look at the attachments is for the decision, the second right before the removal.
    proxy.rule = Rule("HEAD", LIST, then=reuse)
    shop.checkout.environment["MONOYARD_REGISTRY"] = proxy.address
    ended = shop.prune("--apply", "--grace", "0s")
    assert ended.code == 0, ended.text
    assert "is kept after all: something was attached to it meanwhile" in ended.err
    assert shop.has(digest)
    assert accepted(desk, digest)


def test_base_of_an_image_that_is_taken_up_again_is_not_removed(shop: Shop, proxy: Proxy) -> None:
    """The base of an old image stays with it, where both would have gone until the last moment."""
    commits = shop.commits(3, days=100)
    base, needless = shop.push_base("base", commits[0]), shop.push_base("needless", commits[1])
    digest = shop.push_on(base, "old", commits[2])

    def tag() -> None:
        proxy.rule = None
        shop.registry.tag("shop", digest, "again")

    # Stock says that nothing is attached to it; that is asked again right before the removal.
    proxy.rule = Rule("HEAD", f"shop{LIST}", then=tag)
    shop.checkout.environment["MONOYARD_REGISTRY"] = proxy.address
    ended = shop.prune("--apply", "--grace", "0s")
    assert ended.code == 0, ended.text
    assert f"shop@{digest} is kept after all:" in ended.err
    assert f"base-python@{base.digest} is kept after all: shop@{digest} is made" in ended.err
    left = [shop.registry.manifest("base-python", item.digest) for item in (base, needless)]
    assert left[0] is not None
    assert left[1] is None


def test_image_that_is_removed_while_it_is_tagged_is_told(desk: Desk, proxy: Proxy) -> None:
    """Where the removal comes after the last look, the publisher sees it, and says what to do."""
    item = wanted("one")
    digest = desk.publisher(is_clean=False).publish(item, desk.built("one"), "new").digest
    through = desk.through(proxy)

    def remove() -> None:
        proxy.rule = None
        desk.registry.delete("shop", digest)

    # Once before the content tag would be set, and once more when all is done.
    proxy.rule = Rule("HEAD", r"/manifests/in-", passing=1, then=remove)
    with pytest.raises(RegistryError) as raised:
        through.reuse(item, digest)
    assert raised.value.code == "removed-meanwhile"
    assert "`nox -s publish` again builds it" in str(raised.value.hint)
    assert desk.registry.digest("shop", item.tag) is None
    # The next publication has what it needs to build and push it anew.
    done = desk.publisher().publish(item, desk.built("one"), "new")
    assert accepted(desk, done.digest)


def test_new_image_that_is_removed_while_it_is_tagged_is_pushed_again(
    desk: Desk, proxy: Proxy
) -> None:
    """A publisher that has the image at hand makes it whole, whatever was taken of it."""
    item, built = wanted("one"), desk.built("one")
    through = desk.through(proxy)
    taken: list[str] = []

    def remove() -> None:
        proxy.rule = None
        taken.extend(desk.attached("shop", built.layout.digest))
        for referrer in taken:
            desk.registry.delete("shop", referrer)
        desk.registry.delete("shop", built.layout.digest)
        index = desk.registry.digest("shop", built.layout.digest.replace(":", "-"))
        assert index is not None
        desk.registry.delete("shop", index)

    # After the content tag is set, the tag is read back: before that answer everything goes.
    def tagged() -> None:
        proxy.rule = Rule("HEAD", r"/manifests/in-", then=remove)

    proxy.rule = Rule("PUT", r"/manifests/in-", then=tagged)
    done = through.publish(item, built, "new")
    assert taken
    assert desk.registry.digest("shop", item.tag) == done.digest == built.layout.digest
    assert desk.registry.digest("shop", COMMIT) == done.digest
    assert accepted(desk, done.digest)


def test_image_on_its_way_in_is_young(shop: Shop, proxy: Proxy) -> None:
    """An image that was built long ago and has no tag yet is spared while it is being published."""
    desk, item, built = shop.desk, wanted("one"), shop.desk.built("one")
    assert built.built_at < time.time() - 30 * 86_400
    said: list[str] = []

    def prune() -> None:
        proxy.rule = None
        ended = shop.prune("--apply")
        assert ended.code == 0, ended.text
        said.append(ended.out)

    proxy.rule = Rule("PUT", f"/manifests/{COMMIT}$", then=prune)
    done = desk.through(proxy).publish(item, built, "new")
    assert f"{done.digest}  keep    it is younger than the grace period" in said[0]
    assert proxy.count("PUT", f"/manifests/{COMMIT}$", 201) == 1, "nothing had to be done again"
    assert accepted(desk, done.digest)
