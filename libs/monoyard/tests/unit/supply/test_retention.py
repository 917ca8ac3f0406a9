"""What a registry keeps, each image with its reason, and in which order the rest goes."""

import base64
import json
from collections.abc import Iterable

import pytest

from monoyard.supply.inventory import finished_on
from monoyard.supply.retention import (
    Attached,
    Decision,
    History,
    Image,
    Retention,
    Rules,
    Stock,
    bases_of_kept,
    subject_of_tag,
)

DAY = 86_400.0
NOW = 1_000 * DAY
GRACE = 7 * DAY
OLD = NOW - 100 * DAY


def name(kind: str, number: int) -> str:
    """Return a digest of that kind: an image, a referrer or a list of them."""
    return f"sha256:{kind.encode().hex()}{number:0{64 - 2 * len(kind)}x}"


def commit(number: int) -> str:
    """Return a commit."""
    return f"{number:040x}"


def content(number: int) -> str:
    """Return a content tag."""
    return f"in-{number:064x}"


def line(numbers: Iterable[int], time: float = OLD, **branches: int) -> History:
    """Return a history in which each commit follows the one before it."""
    numbers = list(numbers)
    before = ["", *map(commit, numbers)]
    parents = {commit(number): parent for number, parent in zip(numbers, before, strict=False)}
    tips = tuple((branch, commit(number)) for branch, number in branches.items())
    return History(parents, dict.fromkeys(parents, time), tips)


def decide(
    images: Iterable[Image],
    history: History | None = None,
    attached: dict[str, Attached] | None = None,
    **rules: object,
) -> dict[str, Decision]:
    """Return the decisions by digest."""
    said = {"needed": {}, "grace": GRACE, "now": NOW, **rules}
    stock = Stock(tuple(images), attached or {})
    retention = Retention(stock, history or line([]), Rules(**said))  # type: ignore[arg-type]  # any of its fields
    return {item.image.digest: item for item in retention.decide({})}


def reason(image: Image, history: History | None = None, **rules: object) -> tuple[bool, str]:
    """Return whether one image is kept, and why or why not."""
    decision = decide([image], history, None, **rules)[image.digest]
    return decision.is_kept, decision.reason


def removals(
    images: Iterable[Image], attached: dict[str, Attached], needed: Iterable[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return what is removed, by image."""
    rules = Rules(dict.fromkeys(needed, "prod.txt names it"), GRACE, NOW)
    retention = Retention(Stock(tuple(images), attached), line([]), rules)
    return retention.removals(retention.decide({}))


def old(number: int, *tags: str) -> Image:
    """Return an image that only its tags can save."""
    return Image(name("i", number), tags or (content(number),), told_at=OLD)


@pytest.mark.parametrize("is_tagged", [True, False])
@pytest.mark.parametrize("is_part", [True, False])
def test_what_runs_is_kept(is_tagged: bool, is_part: bool) -> None:
    """A digest in a list is kept whatever else holds, named by its manifest or a part of it."""
    part = name("c", 1)
    image = Image(name("i", 1), (content(1),) if is_tagged else (), (part,), told_at=OLD)
    needed = {part if is_part else image.digest: "prod.txt names it"}
    assert reason(image, needed=needed) == (True, "prod.txt names it")
    assert not reason(image)[0]


@pytest.mark.parametrize("tag", ["1.2.0", "latest", "v1", "in-2024.1", "sha256-cafe", "f" * 39])
def test_chosen_tags_are_kept(tag: str) -> None:
    """Every tag that follows from no key, commit or branch is somebody's choice."""
    assert reason(old(1, content(1), tag)) == (True, f"it is tagged {tag}")


@pytest.mark.parametrize("tag", [content(1), commit(9), "e" * 64, "branch-gone"])
def test_other_tags_alone_keep_nothing(tag: str) -> None:
    """Keys, commits and branches that are gone do not hold an old image."""
    assert not reason(old(1, tag))[0]


def test_young_images_are_kept() -> None:
    """The newest time that is known counts: that of a commit, or of a statement."""
    young = NOW - GRACE + 1
    tagged = old(1, commit(1))
    assert reason(tagged, History({}, {commit(1): young}, ())) == (
        True, "it is younger than the grace period",
    )  # fmt: skip
    stated = Image(name("i", 1), (commit(1),), told_at=young)
    assert reason(stated, History({}, {commit(1): OLD}, ()))[0]
    assert not reason(stated, History({}, {commit(1): OLD}, ()), grace=GRACE - 2)[0]


def test_images_of_unknown_age_are_kept() -> None:
    """Where neither git nor a statement tells how old an image is, it stays."""
    kept = (True, "nothing tells its age")
    assert reason(Image(name("i", 1), (content(1),))) == kept
    assert reason(Image(name("i", 1), (commit(1),))) == kept
    assert reason(Image(name("i", 1))) == kept


def test_lists_of_images_are_kept() -> None:
    """What is no single image was not made here, and is left alone."""
    image = Image(name("i", 1), (content(1),), is_list=True, told_at=OLD)
    assert reason(image) == (True, "it is a list of images")


@pytest.mark.parametrize("is_running", [True, False])
def test_images_of_a_list_are_kept(*, is_running: bool) -> None:
    """A list is kept, so what it is a list of is kept with it: a pull needs both."""
    part = Image(name("i", 1), (), told_at=OLD)
    listed = Image(name("i", 2), ("1.0",), (part.digest,), is_list=True, told_at=OLD)
    needed = {listed.digest: "prod.txt names it"} if is_running else {}
    attached = {part.digest: Attached(name("x", 1), (name("s", 1),))}
    assert removals([part, listed], attached, needed) == {}
    assert decide([part, listed])[part.digest].reason == f"the list {listed.digest} names it"


def test_what_a_branch_names_is_kept_while_it_lives() -> None:
    """The tag of a branch holds its image as long as the branch is there, odd characters or not."""
    image = old(1, content(1), "branch-fix-a-b")
    living = History({}, {}, (("fix/a+b", commit(1)),))
    assert reason(image, living) == (True, "branch fix/a+b names it")
    assert reason(image) == (False, "branch fix-a-b is gone")


def test_last_images_of_each_living_branch_are_kept() -> None:
    """Ten different images by order of commits are kept for each branch, and no more."""
    images = [old(number, commit(number)) for number in range(1, 31)]
    decisions = decide(images, line(range(1, 31), main=30, side=15))
    kept = [number for number in range(1, 31) if decisions[name("i", number)].is_kept]
    assert kept == [*range(6, 16), *range(21, 31)]
    words = {decisions[name("i", number)].reason for number in (5, 6, 30)}
    assert words == {
        "branch main has 10 newer images",
        "it is one of the last 10 images of branch side",
        "it is one of the last 10 images of branch main",
    }


def test_commits_without_an_image_or_with_the_same_do_not_count() -> None:
    """An image that twenty commits share is one of the ten, and so is one a long way back."""
    shared = old(1, *(commit(number) for number in range(80, 100)))
    others = [old(number, commit(number)) for number in range(2, 20)]
    decisions = decide([shared, *others], line(range(1, 100), main=99))
    kept = {digest for digest, decision in decisions.items() if decision.is_kept}
    assert kept == {name("i", 1), *(name("i", number) for number in range(11, 20))}


def test_images_of_merged_and_deleted_branches_go() -> None:
    """Only a branch's own line counts, and what is on none goes when it is old."""
    history = line([1, 2, 3], main=3)
    merged = {**history.parents, commit(7): commit(1)}  # the second parent of a merge
    history = History(merged, {**history.times, commit(7): OLD, commit(8): OLD}, history.branches)
    images = [old(number, commit(number)) for number in (3, 7, 8)]
    decisions = decide(images, history)
    assert [decisions[image.digest].is_kept for image in images] == [True, False, False]
    assert decisions[name("i", 7)].reason == "it was made on a branch that was merged"
    assert decisions[name("i", 8)].reason == "its commits are on no living branch"


def test_ages_are_asked_for_where_they_decide() -> None:
    """Statements need not be read of images that are kept anyway, or young by their commits."""
    images = [
        old(1, "1.0"), old(2, commit(2)), old(3, content(3)), old(4, commit(4)),
        Image(name("i", 5), is_gone=True),
    ]  # fmt: skip
    history = History({}, {commit(2): NOW, commit(4): OLD}, ())
    retention = Retention(Stock(tuple(images), {}), history, Rules({}, GRACE, NOW))
    asked = [image.digest for image in retention.depending_on_age()]
    assert asked == [name("i", 3), name("i", 4)]


def test_image_goes_first_and_what_was_attached_after_it() -> None:
    """The image is the first to go and the list of its attachments the last, nested ones too."""
    attached = {
        name("i", 1): Attached(name("l", 1), (name("r", 1), name("r", 2))),
        name("r", 1): Attached(name("l", 2), (name("r", 3),)),
    }
    assert removals([old(1)], attached) == {
        name("i", 1): (
            name("i", 1), name("r", 1), name("r", 3), name("l", 2), name("r", 2), name("l", 1),
        )
    }  # fmt: skip


def test_what_is_attached_to_kept_images_stays() -> None:
    """Referrers and lists that a kept image shares with a removed one are not removed."""
    shared = Attached(name("l", 1), (name("r", 1),))
    attached = {
        name("i", 1): shared,
        name("i", 2): shared,
        name("i", 3): Attached(name("l", 3), (name("r", 1), name("r", 3), name("i", 2))),
    }
    images = [old(1, "1.0"), old(2), old(3)]
    assert removals(images, attached) == {
        name("i", 2): (name("i", 2),),
        name("i", 3): (name("i", 3), name("r", 3), name("l", 3)),
    }
    assert removals(images, attached, needed=[name("i", 2)]) == {
        name("i", 3): (name("i", 3), name("r", 3), name("l", 3)),
    }


def test_image_that_is_attached_to_a_kept_one_stays() -> None:
    """Where a tag names what is attached to a kept image, it is kept with that reason."""
    attached = {name("i", 1): Attached(name("l", 1), (name("i", 2),))}
    decision = decide([old(1, "1.0"), old(2)], attached=attached)[name("i", 2)]
    assert (decision.is_kept, decision.reason) == (True, "it is attached to an image that is kept")


def test_running_referrers_stay() -> None:
    """A digest that runs is never among the removed ones, although a removed image lists it."""
    attached = {name("i", 1): Attached(name("l", 1), (name("r", 1), name("r", 2)))}
    gone = removals([old(1)], attached, needed=[name("r", 1)])
    assert gone == {name("i", 1): (name("i", 1), name("r", 2), name("l", 1))}


def test_remains_of_a_gone_image_are_removed() -> None:
    """What an interrupted removal left goes now, but not the image: it could have come back."""
    attached = {name("i", 1): Attached(name("l", 1), (name("r", 1),))}
    gone = Image(name("i", 1), is_gone=True)
    assert removals([gone], attached) == {name("i", 1): (name("r", 1), name("l", 1))}
    assert removals([gone], attached, needed=[name("i", 1)]) == {}
    attached[name("i", 2)] = attached[name("i", 1)]
    assert removals([gone, old(2, "1.0")], attached) == {}


def test_circles_end() -> None:
    """Lists that name each other, or themselves, are gone through once."""
    attached = {
        name("i", 1): Attached(name("l", 1), (name("r", 1), name("i", 1), name("l", 1))),
        name("r", 1): Attached(name("l", 1), (name("i", 1),)),
    }
    assert set(removals([old(1)], attached)[name("i", 1)]) == {
        name("i", 1), name("r", 1), name("l", 1),
    }  # fmt: skip


def test_tags_of_attachments() -> None:
    """Only the tag that the distribution specification names lists attachments."""
    assert subject_of_tag(f"sha256-{'a' * 64}") == f"sha256:{'a' * 64}"
    for tag in (f"sha256-{'a' * 64}.sig", f"sha256-{'a' * 63}", "a" * 64):
        assert subject_of_tag(tag) == ""


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2023-11-14T22:13:20+00:00", 1_700_000_000.0),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        ("yesterday", None),
        (17, None),
        (None, None),
    ],
)
def test_end_of_a_build(said: object, seconds: float | None) -> None:
    """The moment in a provenance is read with its zone; nonsense tells nothing."""
    statement = {"predicate": {"runDetails": {"metadata": {"finishedOn": said}}}}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    assert finished_on(json.dumps({"dsseEnvelope": {"payload": payload}}).encode()) == seconds


@pytest.mark.parametrize(
    "bundle", [b"", b"{", b"[]", b'{"dsseEnvelope": 1}', b'{"dsseEnvelope": {"payload": "!"}}']
)
def test_broken_bundle_tells_nothing(bundle: bytes) -> None:
    """What cannot be read is no age, and so a reason to keep."""
    assert finished_on(bundle) is None


def test_bases_of_images_that_are_kept_are_needed() -> None:
    """A base is needed where its layers are the lowest of an image; any may be that of a list."""
    old_base = Image(name("b", 1), layers=("one",))
    base = Image(name("b", 2), layers=("two", "three"))
    emptied = Image(name("b", 3), is_gone=True)
    bases = Stock((old_base, base, emptied), {})
    made = Image(name("i", 1), layers=("two", "three", "own"))
    other = Image(name("i", 2), layers=("own", "one"))
    short = Image(name("i", 3), layers=("two",))
    assert bases_of_kept(bases, [("shop", other), ("shop", short)]) == {}
    reason = f"shop@{made.digest} is made from it, and kept"
    assert bases_of_kept(bases, [("shop", other), ("shop", made)]) == {base.digest: reason}
    listed = Image(name("l", 1), is_list=True)
    assert bases_of_kept(bases, [("shop", listed)]).keys() == {name("b", n) for n in (1, 2, 3)}
