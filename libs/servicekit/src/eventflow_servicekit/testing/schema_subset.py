"""Tells whether every value that one JSON Schema allows is allowed by another.

This is the question behind every breaking change: a request that was good must stay good (the old
schema is a subset of the new one), and an answer must stay one that clients know (the new schema
is a subset of the old one). Objects are open: fields that a schema does not name may be there.
A difference that is not understood counts as breaking.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Schema = dict[str, Any]
Direction = Literal["request", "answer"]

_WORDS = frozenset(
    {"$defs", "default", "deprecated", "description", "discriminator", "example", "examples"}
    | {"externalDocs", "title", "writeOnly", "readOnly", "xml"}
)
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UNDERSTOOD = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "items", "oneOf"}
    | {"properties", "required", "type"}
    | set(_UPPER_BOUNDS)
    | set(_LOWER_BOUNDS)
)
_SPECIAL_TYPES = {"integer": "number"}
_REQUIRED_WORDS = {"request": "became required", "answer": "is no longer always there"}


@dataclass(frozen=True)
class SubsetCheck:
    """Compares schemas of two documents; `direction` says which of the two is the older.

    In a request the older schema must be the subset, in an answer the newer one. Limits and
    patterns of an answer may change: no client depends on the longest string it can get.
    """

    subset_document: Mapping[str, Any]
    superset_document: Mapping[str, Any]
    direction: Direction
    _compared: set[tuple[str, str]] = field(default_factory=set)

    def faults(self, subset: Schema, superset: Schema, where: str) -> Iterator[str]:
        """Yield a sentence for each way in which a value of `subset` may not be in `superset`."""
        pair = (subset.get("$ref"), superset.get("$ref"))
        if pair[0] is not None and pair[1] is not None:
            if pair in self._compared:
                return
            self._compared.add((pair[0], pair[1]))
        wide = _branches(superset, self.superset_document)
        for branch in _branches(subset, self.subset_document):
            tried = [list(self._branch_faults(branch, other, where)) for other in wide]
            yield from min(tried, key=len)

    def _branch_faults(self, subset: Schema, superset: Schema, where: str) -> Iterator[str]:
        yield from _type_faults(subset, superset, where)
        yield from _value_faults(subset, superset, where)
        yield from self._object_faults(subset, superset, where)
        yield from self._nested_faults(subset, superset, where)
        if self.direction == "request":
            yield from _bound_faults(subset, superset, where)
        for word in sorted(set(superset) - _UNDERSTOOD - _WORDS):
            if word.startswith("x-") or (word == "pattern" and self.direction == "answer"):
                continue
            if subset.get(word) != superset[word]:
                yield f"{where}: {word} is different"

    def _object_faults(self, subset: Schema, superset: Schema, where: str) -> Iterator[str]:
        narrow, wide = subset.get("properties", {}), superset.get("properties", {})
        before, after = (narrow, wide) if self.direction == "request" else (wide, narrow)
        removed = set(before) - set(after)
        yield from (f"{where}.{name}: the field was removed" for name in sorted(removed))
        missing = set(superset.get("required", ())) - set(subset.get("required", ())) - removed
        for name in sorted(missing):
            yield f"{where}.{name}: {_REQUIRED_WORDS[self.direction]}"
        for name in sorted(set(narrow) & set(wide)):
            yield from self.faults(narrow[name], wide[name], f"{where}.{name}")

    def _nested_faults(self, subset: Schema, superset: Schema, where: str) -> Iterator[str]:
        is_closed, was_closed = (
            schema.get("additionalProperties") is False for schema in (superset, subset)
        )
        if self.direction == "request" and is_closed and not was_closed:
            yield f"{where}: fields without a name in the schema are no longer allowed"
        for word, label in (("items", "[]"), ("additionalProperties", ".*")):
            wide = superset.get(word)
            if isinstance(wide, dict):
                narrow = subset.get(word)
                yield from self.faults(
                    narrow if isinstance(narrow, dict) else {}, wide, f"{where}{label}"
                )


def resolve(schema: Schema, document: Mapping[str, Any]) -> Schema:
    """Return what `schema` means: follows `$ref` and joins `allOf`."""
    while "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        schema = {**target, **rest}
    if "allOf" not in schema:
        return schema
    joined = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        resolved = resolve(part, document)
        properties = {**joined.get("properties", {}), **resolved.get("properties", {})}
        required = [*joined.get("required", ()), *resolved.get("required", ())]
        joined = {**joined, **resolved, "properties": properties, "required": required}
    return joined


def _branches(schema: Schema, document: Mapping[str, Any]) -> list[Schema]:
    """Return the alternatives of `schema`: those of unions, and one for each of several types."""
    resolved = resolve(schema, document)
    for word in ("anyOf", "oneOf"):
        if word in resolved:
            rest = {key: value for key, value in resolved.items() if key != word}
            return [
                {**rest, **branch}
                for member in resolved[word]
                for branch in _branches(member, document)
            ]
    if isinstance(resolved.get("type"), list):
        return [{**resolved, "type": kind} for kind in resolved["type"]]
    return [resolved]


def _type_faults(subset: Schema, superset: Schema, where: str) -> Iterator[str]:
    wide, narrow = superset.get("type"), subset.get("type")
    if wide is not None and wide not in {narrow, _SPECIAL_TYPES.get(narrow or "")}:
        yield f"{where}: {narrow or 'any type'} is not {wide}"


def _value_faults(subset: Schema, superset: Schema, where: str) -> Iterator[str]:
    wide, narrow = _values(superset), _values(subset)
    if wide is None:
        return
    if narrow is None:
        yield f"{where}: any value is not one of {wide}"
        return
    extra = [value for value in narrow if value not in wide]
    if extra:
        yield f"{where}: {extra} is not among {wide}"


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _bound_faults(subset: Schema, superset: Schema, where: str) -> Iterator[str]:
    for word in _UPPER_BOUNDS:
        if word in superset and subset.get(word, float("inf")) > superset[word]:
            yield f"{where}: {word} became {superset[word]}"
    for word in _LOWER_BOUNDS:
        if word in superset and subset.get(word, float("-inf")) < superset[word]:
            yield f"{where}: {word} became {superset[word]}"
