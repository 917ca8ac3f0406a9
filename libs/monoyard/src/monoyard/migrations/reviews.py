"""Reviewed exceptions, as a revision names them.

    monoyard = {"accept": {"blocking": "the table has 200 rows"},
                "deny": {"opaque": "online it only removes an index that it left behind itself"}}

`accept`: it does that, and it is all right. `deny`: it does not do that, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from monoyard.config import suggest
from monoyard.migrations.values import Effect, Review

_WAYS: Final = ("accept", "deny")
_EFFECTS: Final = tuple(item.value for item in Effect if item is not Effect.SAFE)


def read_reviews(said: Mapping[str, Any]) -> tuple[tuple[Review, ...], tuple[str, ...]]:
    """Return the exceptions that a revision's attribute `monoyard` names, and what is wrong."""
    reviews, faults = [], []
    for way, items in said.items():
        if way not in _WAYS or not isinstance(items, Mapping):
            known = " and ".join(f"`{item}`" for item in _WAYS)
            faults.append(
                f"monoyard: `{way}` is not known{suggest(way, _WAYS)}; {known} are tables"
            )
            continue
        for effect, reason in items.items():
            where = f"monoyard.{way}.{effect}"
            if effect not in _EFFECTS:
                near = suggest(effect, _EFFECTS)
                faults.append(f"{where}: not one of {', '.join(_EFFECTS)}{near}")
            elif not isinstance(reason, str) or not reason.strip():
                faults.append(f"{where}: a reason is missing")
            else:
                reviews.append(Review(Effect(effect), way == "deny", reason.strip()))
    return tuple(reviews), tuple(faults)
