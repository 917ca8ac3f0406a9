"""Finds published events whose meaning differs between two revisions of the schema."""

from typing import Any

_WORDS = frozenset({"title", "description"})


def changed_versions(base: dict[str, Any], current: dict[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each definition of `base` that is missing or different in `current`.

    Both are JSON Schemas with `$defs`. Titles and descriptions may change; nothing else may.
    """
    definitions = current["$defs"]
    faults = []
    for name, definition in base["$defs"].items():
        if name not in definitions:
            faults.append(f"{name} was published and is gone")
        elif _meaning(definition) != _meaning(definitions[name]):
            faults.append(f"{name} was published and has changed; add a new version instead")
    return tuple(faults)


def _meaning(schema: object) -> object:
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        # A field may be named `title` or `description`: those are not words about the schema.
        named = {name: _meaning(part) for name, part in properties.items()}
        rest = {
            key: _meaning(part)
            for key, part in schema.items()
            if key != "properties" and not (key in _WORDS and isinstance(part, str))
        }
        return {**rest, "properties": named} if named else rest
    if isinstance(schema, list):
        return [_meaning(part) for part in schema]
    return schema
