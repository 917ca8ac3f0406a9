"""What remembers small answers between calls; the store has one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Memo(Protocol):
    """Remembers small answers by content, so that unchanged files are not read again."""

    def get_many(self, namespace: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Return what is known of the keys."""

    def put_many(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Remember answers."""
