"""House rules of OpenAPI documents, beyond what the standard asks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from eventflow_servicekit.problems import MEDIA_TYPE

_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_CAMEL_CASE = re.compile(r"[a-z][A-Za-z0-9]*")


def rule_faults(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each rule that a part of the parsed `document` breaks.

    Operations have a unique camelCase id, a summary, a description and a tag; parameters have a
    description; errors are problems; requests that can be wrong answer 422, those whose body may be
    no text at all 400, and those that need a token 401 and 403.
    """
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    faults = [fault for name, operation in operations for fault in _faults(name, operation)]
    ids = [operation.get("operationId") for _, operation in operations]
    faults += [f"operationId {name} is used twice" for name in set(ids) if ids.count(name) > 1]
    return tuple(faults)


def _faults(name: str, operation: Mapping[str, Any]) -> Iterator[str]:
    if not _CAMEL_CASE.fullmatch(operation.get("operationId", "")):
        yield f"{name}: operationId is not camelCase"
    for part in ("summary", "description", "tags"):
        if not operation.get(part):
            yield f"{name}: no {part}"
    for parameter in operation.get("parameters", ()):
        if not parameter.get("description"):
            yield f"{name}: parameter {parameter['name']} has no description"
    yield from _response_faults(name, operation)


def _response_faults(name: str, operation: Mapping[str, Any]) -> Iterator[str]:
    responses = operation["responses"]
    if not any(status.startswith("2") for status in responses):
        yield f"{name}: no answer of success"
    expected = {"401", "403"} if operation.get("security") else set()
    if "requestBody" in operation:
        expected.add("400")
    if "requestBody" in operation or operation.get("parameters"):
        expected.add("422")
    for status in sorted(expected - set(responses)):
        yield f"{name}: does not declare {status}"
    for status, response in responses.items():
        if status.startswith(("4", "5")) and set(response.get("content", {})) != {MEDIA_TYPE}:
            yield f"{name}: {status} is not a problem"
