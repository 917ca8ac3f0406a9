"""What a registry has under a name, read whole before anything is decided about it."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

from monoyard.errors import RegistryError
from monoyard.supply.origin import PROVENANCE, REUSE
from monoyard.supply.registry import LATEST, Registry
from monoyard.supply.retention import Attached, Image, Stock, is_branch_tag, subject_of_tag

_KIND: Final = "dev.sigstore.bundle.predicateType"
_CREATED: Final = "org.opencontainers.image.created"

Item = TypeVar("Item")
Result = TypeVar("Result")


class Each(Protocol):
    """Applies a function to all items, in their order, perhaps some at a time."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return the results."""


def take_stock(registry: Registry, name: str, each: Each) -> Stock:
    """Return every image that a tag names, or that something is attached to.

    Args:
        registry: Where to look.
        name: Name of the image.
        each: How its many questions are asked.

    Raises:
        RegistryError: The registry does not say, or lists what it does not have.
    """
    tags = registry.tags(name)
    answers = each(lambda tag: registry.manifest(name, tag), tags)
    named: dict[str, list[str]] = {}
    manifests: dict[str, Mapping[str, Any]] = {}
    attached: dict[str, Attached] = {}
    lost = [tag for tag, data in zip(tags, answers, strict=True) if data is None]
    if still := set(lost).intersection(registry.tags(name) if lost else ()):
        # Without it, an image could be judged by the rest of its tags.
        tag = f"{registry.repository(name)}:{min(still)}"
        raise RegistryError(
            f"the registry lists {tag}, and does not have what it names",
            code="registry-damaged",
            hint=f"`crane delete {tag}` removes a tag that names nothing",
        )
    for tag, data in zip(tags, answers, strict=True):
        if data is None:
            continue  # it went meanwhile
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        manifest = _read(f"{registry.repository(name)}:{tag}", data)
        if (subject := subject_of_tag(tag)) and "manifests" in manifest:
            attached[subject] = Attached(digest, _digests(manifest["manifests"]))
        else:
            named.setdefault(digest, []).append(tag)
            manifests[digest] = manifest
    listed = {digest for item in attached.values() for digest in item.referrers}
    loose = [digest for digest in attached if digest not in named and digest not in listed]
    for digest, data in zip(
        loose, each(lambda digest: registry.manifest(name, digest), loose), strict=True
    ):
        named[digest] = []
        if data is not None:
            manifests[digest] = _read(registry.reference(name, digest), data)
    images = tuple(
        _image(digest, tags, manifests.get(digest)) for digest, tags in sorted(named.items())
    )
    return Stock(images, attached)


def use_since(registry: Registry, name: str, stock: Stock, digest: str) -> str:
    """Return how an image was used since stock was taken; nothing where it was not.

    It is asked right before the image is removed. Whoever publishes an image that is there says so
    before they tag it, so that a word about a commit is seen here even while no tag is set yet.

    Args:
        registry: Where to look.
        name: Name of the image.
        stock: What there was.
        digest: The image.

    Raises:
        RegistryError: The registry does not say.
    """
    image = next(item for item in stock.images if item.digest == digest)
    if image.is_gone:
        return "it is there again" if registry.manifest(name, digest) is not None else ""
    attached = stock.attached.get(digest)
    if registry.digest(name, digest.replace(":", "-")) != (attached.index if attached else None):
        return "something was attached to it"
    known = {tag for item in stock.images for tag in item.tags}
    moving = {tag for tag in known if is_branch_tag(tag) or tag == LATEST}
    for tag in (*moving.difference(image.tags), *set(registry.tags(name)) - known):
        if not subject_of_tag(tag) and registry.digest(name, tag) == digest:
            return f"it was tagged {tag}"
    return ""


def told_at(
    registry: Registry, name: str, attached: Attached | None, *, is_tagged: bool
) -> float | None:
    """Return when an image was built or last reused, in Unix seconds; None where nothing says so.

    One without a tag may be on its way in, although it was built long ago: there, the moment at
    which its provenance was attached counts as well.

    No signature is looked at: who may write to the registry may also remove from it. An image is
    no younger for being scanned again, so other statements do not count.

    Args:
        registry: Where to look.
        name: Name of the image.
        attached: What is attached to the image.
        is_tagged: A tag names it.

    Raises:
        RegistryError: The registry does not say.
    """
    times: list[float | None] = []
    for digest in attached.referrers if attached else ():
        data = registry.manifest(name, digest)
        if data is None:
            continue
        manifest = _read(registry.reference(name, digest), data)
        annotations = _at(manifest, "annotations")
        if annotations.get(_KIND) in ({REUSE} if is_tagged else {PROVENANCE, REUSE}):
            times.append(_seconds(annotations.get(_CREATED)))
        if annotations.get(_KIND) == PROVENANCE:
            layers = _digests(manifest.get("layers"))
            times += (finished_on(registry.blob(name, layer)) for layer in layers)
    return max((time for time in times if time is not None), default=None)


def finished_on(bundle: bytes) -> float | None:
    """Return when the build of a provenance ended, in Unix seconds; None where it says nothing.

    Args:
        bundle: A Sigstore bundle around the in-toto statement.
    """
    try:
        payload = _at(json.loads(bundle), "dsseEnvelope").get("payload")
        statement = json.loads(base64.b64decode(str(payload)))
    except (ValueError, binascii.Error):
        return None
    return _seconds(_at(statement, "predicate", "runDetails", "metadata").get("finishedOn"))


def _image(digest: str, tags: list[str], manifest: Mapping[str, Any] | None) -> Image:
    if manifest is None:
        return Image(digest, is_gone=True)
    parts = _digests([manifest.get("config"), *_entries(manifest.get("manifests"))])
    layers = _digests(manifest.get("layers"))
    return Image(digest, tuple(tags), parts, is_list="manifests" in manifest, layers=layers)


def _read(reference: str, data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RegistryError(f"what {reference} names is no manifest", code="registry-other")
    return found


def _entries(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _digests(value: object) -> tuple[str, ...]:
    entries = (item for item in _entries(value) if isinstance(item, dict))
    return tuple(item["digest"] for item in entries if isinstance(item.get("digest"), str))


def _at(data: object, *names: str) -> Mapping[str, Any]:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _seconds(value: object) -> float | None:
    try:
        moment = datetime.datetime.fromisoformat(str(value))
        # A moment without a zone is read as UTC, as everything of ours is written.
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
