"""The comparison that keeps published versions frozen can tell a change from a rewording."""

from copy import deepcopy
from typing import Any

from eventflow_events.frozen_versions import changed_versions

BASE: dict[str, Any] = {
    "$defs": {
        "OrderV1": {
            "description": "An order",
            "type": "object",
            "properties": {"title": {"type": "string"}, "total": {"type": "integer"}},
            "required": ["total"],
        }
    }
}


def test_rewording_is_no_change() -> None:
    """Another description and an added definition are allowed."""
    current = deepcopy(BASE)
    current["$defs"]["OrderV1"]["description"] = "An order that was placed"
    current["$defs"]["OrderV2"] = {"type": "object"}
    assert changed_versions(BASE, current) == ()


def test_removed_version_is_named() -> None:
    """A version that is gone is a fault."""
    assert changed_versions(BASE, {"$defs": {}}) == ("OrderV1 was published and is gone",)


def test_changed_field_is_named() -> None:
    """A field whose type changed is a fault, also when it is called `title`."""
    current = deepcopy(BASE)
    current["$defs"]["OrderV1"]["properties"]["title"] = {"type": "integer"}
    assert len(changed_versions(BASE, current)) == 1


def test_newly_optional_field_is_named() -> None:
    """A field that is no longer required is a fault."""
    current = deepcopy(BASE)
    current["$defs"]["OrderV1"]["required"] = []
    assert len(changed_versions(BASE, current)) == 1
