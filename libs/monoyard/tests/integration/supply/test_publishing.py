"""Publishing to a real registry with a real cosign."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monoyard.errors import ConfigurationError, ImageError
from monoyard.supply import Expected, Trust, content_tag

from .proxy import proxied
from .yard import COMMIT, SOURCE, Desk, LocalRegistry, copy_tag, key_of, wanted


def test_new_image_is_pushed_signed_and_tagged(desk: Desk) -> None:
    """A missing image ends up under its content, commit, version and branch tags, accepted."""
    publisher = desk.publisher(tags=("v1.2.0", "other-v3.0", "shop-v1.2.1"))
    item, built = wanted("one"), desk.built("one")
    assert publisher.find(item) == ("", None, "the registry does not have it")
    done = publisher.publish(item, built, "new")
    tags = {content_tag(key_of("one")), COMMIT, "1.2.0", "1.2.1", "branch-main"}
    assert set(done.tags) == tags <= set(desk.registry.tags("shop"))
    assert {desk.registry.digest("shop", tag) for tag in tags} == {built.layout.digest}
    digest, accepted, _ = publisher.find(item)
    assert digest == built.layout.digest
    assert accepted is not None
    assert (accepted.claim.commit, accepted.claim.source, accepted.level) == (COMMIT, SOURCE, 1)


def test_image_of_another_commit_is_reused(desk: Desk) -> None:
    """A commit with the same key gets its tag and a statement of reuse, and no new image."""
    item = wanted("one")
    first = desk.publisher().publish(item, desk.built("one"), "new")
    later = "2" * 40
    publisher = desk.publisher(commit=later)
    digest, accepted, _ = publisher.find(item)
    assert accepted is not None
    done = publisher.reuse(item, digest)
    assert not done.is_new
    assert later in done.tags
    assert desk.registry.digest("shop", later) == first.digest
    trust = Trust(desk.signatures, desk.policy(prod='trusts = ["own"]'), "prod")
    reference = desk.registry.reference("shop", digest)
    for commit in (COMMIT, later):
        accepted = trust.accept(reference, Expected("shop", SOURCE, commit=commit))
        assert accepted.claim.commit == COMMIT


def test_publishing_again_changes_nothing(desk: Desk) -> None:
    """The same commit once more adds no tag, no statement and no signature."""
    item = wanted("one")
    publisher = desk.publisher()
    done = publisher.publish(item, desk.built("one"), "new")
    attached = desk.attached("shop", done.digest)
    again = publisher.reuse(item, done.digest)
    assert again.tags == done.tags
    assert desk.attached("shop", done.digest) == attached


def test_what_is_as_it_should_be_is_asked_once(desk: Desk, registry: LocalRegistry) -> None:
    """Where nothing changed each tag is looked at once: that is most of what publishing costs."""
    item = wanted("one")
    desk.publisher().publish(item, desk.built("one"), "new")
    with proxied(registry) as proxy:
        publisher = desk.through(proxy)
        digest, _, _ = publisher.find(item)
        done = publisher.reuse(item, digest)
        asked = [proxy.count("HEAD", f"/manifests/{tag}$", 200) for tag in done.tags]
        assert asked == [1] * len(done.tags)
    assert set(done.tags) == {content_tag(key_of("one")), COMMIT, "branch-main"}


def test_uncommitted_changes_set_the_content_tag_alone(desk: Desk) -> None:
    """What no commit tells is named by no commit, version or branch."""
    publisher = desk.publisher(is_clean=False, tags=("v1.0",))
    done = publisher.publish(wanted("one"), desk.built("one"), "new")
    assert done.tags == (content_tag(key_of("one")),)


def test_less_trusted_key_names_no_commit_or_version(desk: Desk) -> None:
    """A key that the last environment does not trust sets content and branch tags alone."""
    policy = desk.policy(dev='trusts = ["own"]', prod='trusts = ["nobody"]')
    done = desk.publisher(policy, tags=("v1.0",)).publish(wanted("one"), desk.built("one"), "new")
    assert set(done.tags) == {content_tag(key_of("one")), "branch-main"}


def test_latest_is_what_production_may_run(desk: Desk) -> None:
    """`latest` goes along with the default branch, and only where the last environment trusts."""
    policy = desk.policy(dev='trusts = ["own"]', prod='trusts = ["nobody"]')
    item, first = wanted("one"), desk.built("one")
    desk.publisher(policy, is_default_branch=True).publish(item, first, "new")
    assert desk.registry.digest("shop", "latest") is None
    desk.publisher(branch="topic").publish(item, first, "new")
    desk.publisher(is_clean=False, is_default_branch=True).publish(item, first, "new")
    assert desk.registry.digest("shop", "latest") is None
    desk.publisher(is_default_branch=True).publish(item, first, "new")
    assert desk.registry.digest("shop", "latest") == first.layout.digest
    second = desk.built("two")
    desk.publisher(commit="2" * 40, is_default_branch=True).publish(wanted("two"), second, "new")
    assert desk.registry.digest("shop", "latest") == second.layout.digest


def test_older_run_that_ends_last_moves_nothing_back(desk: Desk) -> None:
    """Branch and `latest` stay on what a newer commit has, made for it or reused, and say so."""
    old, new = desk.built("old"), desk.built("new")
    first, again, between = (desk.publisher(commit=sign * 40, is_default_branch=True)
                             for sign in "241")  # fmt: skip
    first.publish(wanted("new"), new, "new")
    moving = {"branch-main", "latest"}
    for sign, older in (("1", between), ("3", desk.publisher(commit="3" * 40))):
        if sign == "3":
            again.reuse(wanted("new"), new.layout.digest)  # from now on it is of commit 4 as well
        done = older.publish(wanted("old"), old, "new")
        assert sign * 40 in done.tags
        assert dict.fromkeys(moving & done.left.keys(), "it is newer") == done.left
        assert "branch-main" in done.left
        assert {desk.registry.digest("shop", tag) for tag in moving} == {new.layout.digest}
    last = desk.publisher(commit="5" * 40, is_default_branch=True)
    done = last.reuse(wanted("old"), old.layout.digest)
    assert (done.left, moving <= set(done.tags)) == ({}, True)
    assert {desk.registry.digest("shop", tag) for tag in moving} == {old.layout.digest}


def test_tag_on_an_image_that_says_no_commit_is_no_older_one(desk: Desk) -> None:
    """What somebody put under a tag by hand is not taken for old, unless the branch says more."""
    built = desk.built("new")
    desk.registry.push("shop", built.layout.path, built.layout.digest)
    copy_tag(desk.registry, "shop", built.layout.digest, "branch-main")
    done = desk.publisher().publish(wanted("one"), desk.built("one"), "new")
    assert done.left == {"branch-main": "it is newer"}
    assert desk.registry.digest("shop", "branch-main") == built.layout.digest


def test_image_of_a_less_trusted_key_is_built_anew(new_desk: Callable[[str], Desk]) -> None:
    """An image of a laptop is no image for production: its content tag moves to a trusted one."""
    laptop, release = new_desk("laptop"), new_desk("release")
    release.trusts(laptop)
    item = wanted("one")
    policy = laptop.policy(dev='trusts = ["own"]', prod='trusts = ["nobody"]')
    laptop.publisher(policy).publish(item, laptop.built("of a laptop"), "new")
    publisher = release.publisher(
        release.policy(dev='trusts = ["own", "other"]', prod='trusts = ["own"]')
    )
    _, accepted, why = publisher.find(item)
    assert accepted is None
    assert "by nobody whom `prod` trusts" in why
    built = release.built("of the release")
    done = publisher.publish(item, built, why)
    assert release.registry.digest("shop", item.tag) == done.digest == built.layout.digest


def test_trusted_image_is_not_replaced_by_a_less_trusted_one(
    new_desk: Callable[[str], Desk],
) -> None:
    """Whoever trusts the release takes its image instead of putting another under the tag."""
    laptop, release = new_desk("laptop"), new_desk("release")
    laptop.trusts(release)
    item = wanted("one")
    done = release.publisher().publish(item, release.built("trusted"), "new")
    policy = laptop.policy(dev='trusts = ["own", "other"]', prod='trusts = ["other"]')
    publisher = laptop.publisher(policy)
    digest, accepted, _ = publisher.find(item)
    assert accepted is not None
    assert digest == done.digest
    # As if it had been published by the other while ours was being built.
    late = publisher.publish(item, laptop.built("of a laptop"), "new")
    assert late.digest == done.digest
    assert laptop.registry.digest("shop", item.tag) == done.digest


def test_commit_tag_never_moves(desk: Desk) -> None:
    """Another image for a commit that has one is an error, and no tag names it."""
    publisher = desk.publisher()
    first = publisher.publish(wanted("one"), desk.built("one"), "new")
    item = wanted("two")
    with pytest.raises(ImageError, match="such a tag never moves") as raised:
        publisher.publish(item, desk.built("two"), "new")
    assert raised.value.code == "tag-taken"
    assert desk.registry.digest("shop", COMMIT) == first.digest
    assert desk.registry.digest("shop", item.tag) is None


def test_key_that_nobody_trusts_publishes_nothing(new_desk: Callable[[str], Desk]) -> None:
    """Before anything is pushed it is said that no environment would take the images."""
    desk = new_desk("desk")
    desk.trusts(new_desk("stranger"))
    with pytest.raises(ConfigurationError, match="no environment trusts the key"):
        desk.publisher(desk.policy(prod='trusts = ["other"]'))


def test_moved_content_tag_is_not_believed(desk: Desk) -> None:
    """A content tag that was set on another signed image counts as missing."""
    publisher = desk.publisher(is_clean=False)
    done = publisher.publish(wanted("one"), desk.built("one"), "new")
    item = wanted("two")
    copy_tag(desk.registry, "shop", done.digest, item.tag)
    _, accepted, why = publisher.find(item)
    assert accepted is None
    assert "made for another key" in why
