"""Finds the changes of an OpenAPI document that break clients of the earlier one.

A request that was good must stay good, and an answer must stay one that clients know.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from eventflow_servicekit.testing.schema_subset import Schema, SubsetCheck, resolve

Document = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def breaking_changes(base: Document, current: Document) -> tuple[str, ...]:
    """Return a sentence for each breaking change from `base` to `current` (parsed documents)."""
    return tuple(_document_changes(base, current))


def _document_changes(base: Document, current: Document) -> Iterator[str]:
    for path, item in sorted(base["paths"].items()):
        present = current["paths"].get(path)
        if present is None:
            yield f"{path}: the path was removed"
            continue
        for method in _METHODS:
            where = f"{method.upper()} {path}"
            if method in item and method not in present:
                yield f"{where}: the operation was removed"
            elif method in item:
                yield from _Operation(base, current, item, present, where).changes(method)


class _Operation:
    """One operation in both documents."""

    def __init__(
        self, base: Document, current: Document, before: Schema, after: Schema, where: str
    ) -> None:
        self._base = base
        self._current = current
        self._items = (before, after)
        self._where = where
        self._requests = SubsetCheck(base, current, direction="request")
        self._answers = SubsetCheck(current, base, direction="answer")

    def changes(self, method: str) -> Iterator[str]:
        """Yield the breaking changes of the operation."""
        before, after = (item[method] for item in self._items)
        yield from self._parameter_changes(
            _parameters(self._items[0], before, self._base),
            _parameters(self._items[1], after, self._current),
        )
        yield from self._body_changes(before.get("requestBody"), after.get("requestBody"))
        yield from self._response_changes(before["responses"], after["responses"])
        old, new = (
            operation.get("security", document.get("security"))
            for operation, document in ((before, self._base), (after, self._current))
        )
        if new and new != old:
            yield f"{self._where}: the security requirements changed"

    def _parameter_changes(
        self, before: Mapping[str, Schema], after: Mapping[str, Schema]
    ) -> Iterator[str]:
        for name, parameter in before.items():
            where = f"{self._where} {name}"
            if name not in after:
                yield f"{where}: the parameter was removed"
                continue
            if after[name].get("required") and not parameter.get("required"):
                yield f"{where}: the parameter became required"
            yield from self._requests.faults(
                parameter.get("schema", {}), after[name].get("schema", {}), where
            )
        for name, parameter in after.items():
            if name not in before and parameter.get("required"):
                yield f"{self._where} {name}: a required parameter was added"

    def _body_changes(self, before: Schema | None, after: Schema | None) -> Iterator[str]:
        where = f"{self._where} body"
        if after is None:
            if before is not None:
                yield f"{where}: the request body was removed"
            return
        after = resolve(after, self._current)
        before = resolve(before, self._base) if before is not None else {}
        if after.get("required") and not before.get("required"):
            yield f"{where}: the request body became required"
        yield from self._content_changes(before, after, where, self._requests)

    def _response_changes(self, before: Schema, after: Schema) -> Iterator[str]:
        for status, response in before.items():
            where = f"{self._where} {status}"
            if status not in after:
                yield f"{where}: the response was removed"
                continue
            old = resolve(response, self._base)
            new = resolve(after[status], self._current)
            yield from self._content_changes(old, new, where, self._answers)
            for header in sorted(set(old.get("headers", ())) - set(new.get("headers", ()))):
                yield f"{where} {header}: the response header was removed"

    def _content_changes(
        self, before: Schema, after: Schema, where: str, check: SubsetCheck
    ) -> Iterator[str]:
        for media, schema in _content(before).items():
            present = _content(after).get(media)
            if present is None:
                yield f"{where}: the media type {media} was removed"
            elif check is self._requests:
                yield from check.faults(schema, present, where)
            else:
                yield from check.faults(present, schema, where)


def _parameters(item: Schema, operation: Schema, document: Document) -> dict[str, Schema]:
    listed = [*item.get("parameters", ()), *operation.get("parameters", ())]
    resolved = [resolve(parameter, document) for parameter in listed]
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in resolved}


def _content(holder: Schema) -> dict[str, Schema]:
    return {
        media: content.get("schema", {}) for media, content in holder.get("content", {}).items()
    }
