"""Remembers acceptances: for one digest with the same attachments, cosign says the same again.

An image, what is attached to it and the bytes of a key never change under their digests, so that a
verification that was passed need not be repeated while policy, keys and cosign are the same. Only
acceptances are kept. A memory is as trusted as the cache of results that it lies in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Final, Protocol

from monoyard.supply.origin import Claim
from monoyard.supply.registry import Registry
from monoyard.supply.trust import Accepted

_NAMESPACE: Final = "accepted-1"


class Memo(Protocol):
    """Keeps bytes by namespace and key."""

    def get_many(self, namespace: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of those keys that have one."""

    def put_many(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Keep values."""


class Remembered:
    """Acceptances of images of one registry.

    Args:
        registry: Says what is attached to an image now.
        memo: Keeps them.
    """

    def __init__(self, registry: Registry, memo: Memo) -> None:
        self._registry = registry
        self._memo = memo

    def key(self, reference: str, basis: Mapping[str, object]) -> str:
        """Return what an acceptance is kept under; nothing where no list says what is attached.

        Args:
            reference: The image by digest.
            basis: What the acceptance rests on beside the image and what is attached to it.

        Raises:
            RegistryError: The registry does not say.
        """
        repository, _, digest = reference.partition("@")
        image = repository.removeprefix(self._registry.repository(""))
        attached = self._registry.digest(image, digest.replace(":", "-"))
        if attached is None:
            return ""
        said = json.dumps([digest, attached, basis], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def recall(self, key: str) -> Accepted | None:
        """Return why an image was accepted before; None where it has to be verified."""
        found = self._memo.get_many(_NAMESPACE, [key]).get(key)
        return _read(found) if found else None

    def remember(self, key: str, accepted: Accepted) -> None:
        """Keep why an image is accepted."""
        self._memo.put_many(_NAMESPACE, {key: json.dumps(asdict(accepted)).encode()})


def _read(said: bytes) -> Accepted | None:
    try:
        found = json.loads(said)
        return Accepted(**{**found, "claim": Claim(**found["claim"])})
    except (KeyError, TypeError, ValueError):
        return None
