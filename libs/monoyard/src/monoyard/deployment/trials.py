"""What versions of a service try on a copy of its database before the database is migrated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monoyard.delivery import Object
from monoyard.delivery.workloads import WATCHED
from monoyard.errors import DeliveryError

TRIAL: Final = "monoyard.dev/trial"
"""Annotation of a workload: a JSON list of words, the version's own program for it."""
RUNNING: Final = "the running version"
NEW: Final = "the new version"
_KINDS: Final = frozenset(kind.name for kind in WATCHED)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one version tries.

    Attributes:
        version: Which one it is, in words.
        image: Reference of its image, by digest.
        words: Its own program.
    """

    version: str
    image: str
    words: tuple[str, ...]

    @classmethod
    def of_header(cls, said: Mapping[str, Any]) -> Trial:
        """Read what `asdict` made of one."""
        return cls(said["version"], said["image"], tuple(said["words"]))


def trials_of(
    running: tuple[str, Sequence[Object]], new: tuple[str, Sequence[Object]], *, is_broken: bool
) -> tuple[Trial, ...]:
    """Return what is tried, the running version first: it works beside the migrated database.

    Args:
        running: Reference of the image that runs and what its chart comes to; empty for none.
        new: The same of the new one.
        is_broken: The migrations are known to break the running version.

    Raises:
        DeliveryError: What a chart says of it is no list of words.
    """
    asked = ((RUNNING, running), (NEW, new)) if running[0] and not is_broken else ((NEW, new),)
    return tuple(
        Trial(version, image, words)
        for version, (image, objects) in asked
        for words in _words(objects)
    )


def _words(objects: Iterable[Object]) -> Iterator[tuple[str, ...]]:
    for thing in objects:
        said = (thing["metadata"].get("annotations") or {}).get(TRIAL)
        if thing["kind"] in _KINDS and said:
            yield _parsed(str(said))


def _parsed(said: str) -> tuple[str, ...]:
    try:
        words = json.loads(said)
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise DeliveryError(
            f"{TRIAL}: {said} is no JSON list of words",
            code="unusable-trial",
            hint='such as ["python3", "-m", "shop.trial"]',
        )
    return tuple(words)
