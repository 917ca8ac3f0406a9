"""What a registry keeps: values in, decisions out, and in which order something is removed.

Nothing here asks a registry or git. Whatever cannot be told is a reason to keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from monoyard.changes import branch_tag
from monoyard.supply.registry import is_commit

PER_BRANCH: Final = 10
"""How many of its newest images a living branch keeps."""

_CONTENT: Final = re.compile(r"in-[0-9a-f]{64}")
_ATTACHED: Final = re.compile(r"sha256-([0-9a-f]{64})")
_BRANCH: Final = "branch-"


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a registry, which is a manifest.

    Attributes:
        digest: Of the manifest.
        tags: What names it.
        parts: Digests that it is known by as well: its configuration, the images of a list.
        is_list: It is a list of images.
        is_gone: It is removed already; only what was attached to it is left.
        told_at: Unix seconds of the newest statement about its making; None where there is none.
        layers: Digests of its layers, the lowest first.
    """

    digest: str
    tags: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    is_list: bool = False
    is_gone: bool = False
    told_at: float | None = None
    layers: tuple[str, ...] = ()

    @property
    def commits(self) -> tuple[str, ...]:
        """The commits among its tags."""
        return tuple(tag for tag in self.tags if is_commit(tag))

    @property
    def versions(self) -> tuple[str, ...]:
        """Its tags that follow from no key, commit or branch: somebody chose them."""
        return tuple(
            tag for tag in self.tags
            if not (is_commit(tag) or _CONTENT.fullmatch(tag) or tag.startswith(_BRANCH))
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attached:
    """What is attached to an image: signatures and statements.

    Attributes:
        index: Digest of the list that names them, which the registry keeps under a tag.
        referrers: Their digests.
    """

    index: str
    referrers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """All that a registry has under one name.

    Attributes:
        images: The images.
        attached: What is attached to a manifest, by its digest.
    """

    images: tuple[Image, ...]
    attached: Mapping[str, Attached]


@dataclass(frozen=True, slots=True)
class History:
    """What git knows.

    Attributes:
        parents: Each commit of a living branch with its first parent; empty for none.
        times: Unix seconds of commits, also of those that are on no branch.
        branches: Living branches with the commit they point at; a name may stand for several.
    """

    parents: Mapping[str, str]
    times: Mapping[str, float]
    branches: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is never removed.

    Attributes:
        needed: Digests that run somewhere or may be gone back to, each with who says so.
        grace: Seconds that every image is kept for.
        now: Unix seconds.
        per_branch: How many images a living branch keeps.
    """

    needed: Mapping[str, str]
    grace: float
    now: float
    per_branch: int = PER_BRANCH


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an image.

    Attributes:
        image: The image.
        is_kept: It stays.
        reason: Why it stays, or why it does not.
    """

    image: Image
    is_kept: bool
    reason: str


class Retention:
    """Decides about the images of one name.

    Args:
        stock: What there is.
        history: What git knows.
        rules: What is never removed.
    """

    def __init__(self, stock: Stock, history: History, rules: Rules) -> None:
        self._stock = stock
        self._history = history
        self._rules = rules
        self._living = {branch_tag(name): name for name, _ in history.branches}
        lists = (image for image in stock.images if image.is_list)
        self._listed = {part: image.digest for image in lists for part in image.parts}
        self._newest = self._find_newest()

    def depending_on_age(self) -> tuple[Image, ...]:
        """Return the images that nothing keeps, unless they are too young."""
        return tuple(
            image for image in self._stock.images
            if not image.is_gone and not self._reason_to_stay(image) and not self._is_young(image)
        )  # fmt: skip

    def decide(self, told_at: Mapping[str, float | None]) -> tuple[Decision, ...]:
        """Return a decision for each image, and for each that left something behind.

        Args:
            told_at: What `Image.told_at` becomes, by digest.
        """
        dated = [
            replace(image, told_at=told_at.get(image.digest, image.told_at))
            for image in self._stock.images
        ]
        decisions = [self._decide(image) for image in dated]
        protected = self._protected(item.image.digest for item in decisions if item.is_kept)
        return tuple(item if item.is_kept else self._spare(item, protected) for item in decisions)

    def removals(self, decisions: Iterable[Decision]) -> dict[str, tuple[str, ...]]:
        """Return the manifests that go with each image that is removed, in their order.

        The image is the first: its tags vanish with it, so that at no moment a tag names an image
        without its signatures. The list of what was attached is the last, so that an interrupted
        removal can be finished. What also belongs to an image that is kept is left out, and an
        image that is gone is not removed again: it could have come back meanwhile.
        """
        decisions = tuple(decisions)
        seen = self._protected(item.image.digest for item in decisions if item.is_kept)
        return {
            item.image.digest: tuple(self._tree(item.image.digest, seen))[item.image.is_gone :]
            for item in decisions
            if not item.is_kept
        }

    def _spare(self, decision: Decision, protected: set[str]) -> Decision:
        image = decision.image
        if image.digest in protected:
            return Decision(image, True, "it is attached to an image that is kept")
        if image.is_gone and self._stock.attached[image.digest].index in protected:
            return Decision(image, True, "it is gone, and what it left is that of a kept image")
        return decision

    def _protected(self, kept: Iterable[str]) -> set[str]:
        seen: set[str] = set()
        for digest in (*self._rules.needed, *kept):
            for _ in self._tree(digest, seen):
                pass
        return seen

    def _tree(self, digest: str, seen: set[str]) -> Iterator[str]:
        """Yield a manifest, what is attached to it, and the list of that, but nothing twice."""
        if digest in seen:
            return
        seen.add(digest)
        yield digest
        attached = self._stock.attached.get(digest)
        if attached is None:
            return
        for referrer in attached.referrers:
            yield from self._tree(referrer, seen)
        if attached.index not in seen:
            seen.add(attached.index)
            yield attached.index

    def _decide(self, image: Image) -> Decision:
        if reason := self._reason_to_stay(image):
            return Decision(image, True, reason)
        if image.is_gone:
            return Decision(image, False, "the image is gone, and left what was attached to it")
        if self._made_at(image) is None:
            return Decision(image, True, "nothing tells its age")
        if self._is_young(image):
            return Decision(image, True, "it is younger than the grace period")
        return Decision(image, False, self._reason_to_go(image))

    def _reason_to_stay(self, image: Image) -> str:
        for digest in (image.digest, *image.parts):
            if digest in self._rules.needed:
                return self._rules.needed[digest]
        if image.digest in self._listed:
            return f"the list {self._listed[image.digest]} names it"
        if image.is_list:
            return "it is a list of images"
        if image.versions:
            return f"it is tagged {', '.join(image.versions)}"
        for tag in image.tags:
            if tag in self._living:
                return f"branch {self._living[tag]} names it"
        return self._newest.get(image.digest, "")

    def _reason_to_go(self, image: Image) -> str:
        if not image.tags:
            return "no tag names it"
        if not image.commits:
            gone = [tag.removeprefix(_BRANCH) for tag in image.tags if tag.startswith(_BRANCH)]
            return f"branch {gone[0]} is gone" if gone else "only its content tag names it"
        for commit in image.commits:
            if commit in self._lines:
                return f"branch {self._lines[commit]} has {self._rules.per_branch} newer images"
        if any(commit in self._history.parents for commit in image.commits):
            return "it was made on a branch that was merged"
        return "its commits are on no living branch"

    def _made_at(self, image: Image) -> float | None:
        times = [self._history.times.get(commit) for commit in image.commits]
        return max((time for time in (*times, image.told_at) if time is not None), default=None)

    def _is_young(self, image: Image) -> bool:
        made_at = self._made_at(image)
        return made_at is not None and self._rules.now - made_at < self._rules.grace

    def _find_newest(self) -> dict[str, str]:
        """Return the newest images of every living branch, each with that as its reason.

        A branch's own line goes along first parents: what was merged into it is another branch's.
        """
        parents = self._history.parents
        owner = {commit: image.digest for image in self._stock.images for commit in image.commits}
        self._lines: dict[str, str] = {}
        following: dict[str, str] = {}  # from a commit to the next at or below it with an image
        found: dict[str, str] = {}
        for branch, tip in self._history.branches:
            commit = tip
            while commit and commit not in self._lines:
                self._lines[commit] = branch
                commit = parents.get(commit, "")
            newest: list[str] = []
            commit = _next(tip, owner, parents, following)
            while commit and len(newest) < self._rules.per_branch:
                if owner[commit] not in newest:
                    newest.append(owner[commit])
                commit = _next(parents.get(commit, ""), owner, parents, following)
            for digest in newest:
                last = f"it is one of the last {self._rules.per_branch} images of branch {branch}"
                found.setdefault(digest, last)
        return found


def bases_of_kept(bases: Stock, kept: Iterable[tuple[str, Image]]) -> dict[str, str]:
    """Return the bases that kept images were made from, each with why it is needed.

    An image that is built on another has the layers of that, untouched, as its lowest. What a list
    of images was made from is not looked up: it could be any of the bases.

    Args:
        bases: What there is of a base image.
        kept: Images that stay, each with its name.
    """
    found: dict[str, str] = {}
    for name, image in kept:
        for base in bases.images:
            lowest = image.layers[: len(base.layers)]
            if image.is_list or (base.layers and lowest == base.layers):
                reason = f"{name}@{image.digest} is made from it, and kept"
                found.setdefault(base.digest, reason)
    return found


def is_branch_tag(tag: str) -> bool:
    """Say whether a tag is that of a branch."""
    return tag.startswith(_BRANCH)


def subject_of_tag(tag: str) -> str:
    """Return the digest whose attachments a tag lists; nothing for another tag.

    The rule is the fallback of the OCI distribution specification 1.1 for registries that do not
    answer who refers to a manifest.
    """
    match = _ATTACHED.fullmatch(tag)
    return f"sha256:{match[1]}" if match else ""


def _next(
    commit: str, owner: Mapping[str, str], parents: Mapping[str, str], following: dict[str, str]
) -> str:
    """Return the first commit with an image, from one downwards; no commit is walked twice."""
    path = []
    while commit and commit not in owner and commit not in following:
        path.append(commit)
        commit = parents.get(commit, "")
    end = following.get(commit, commit)
    following.update(dict.fromkeys(path, end))
    return end
