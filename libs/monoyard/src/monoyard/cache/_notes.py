"""What the store has to tell its user, once each."""

from __future__ import annotations


class Notes:
    """Sentences in the order in which they first came up."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}

    def add(self, sentence: str) -> None:
        """Keep `sentence` unless it is kept already."""
        self._sentences.setdefault(sentence)

    def as_tuple(self) -> tuple[str, ...]:
        """Return all sentences, oldest first."""
        return tuple(self._sentences)
