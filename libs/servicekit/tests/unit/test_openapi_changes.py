"""Breaking changes of an OpenAPI document: each kind is found, and harmless ones are not."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from eventflow_servicekit.testing.openapi_changes import breaking_changes

Document = dict[str, Any]
Change = Callable[[Document], None]

BASE: Document = {
    "openapi": "3.1.0",
    "paths": {
        "/things": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
                    {"in": "query", "name": "kind", "schema": {"enum": ["a", "b"]}},
                ],
                "responses": {
                    "200": {
                        "headers": {"ETag": {}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/List"}}
                        },
                    },
                    "404": {"description": "None"},
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}
                    }
                },
                "responses": {"201": {"description": "Made"}},
            },
        },
        "/other": {"get": {"responses": {"200": {"description": "Fine"}}}},
    },
    "components": {
        "schemas": {
            "List": {
                "type": "object",
                "required": ["items"],
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "size"],
                "properties": {
                    "id": {"type": "string", "maxLength": 10, "format": "uuid"},
                    "size": {"type": "integer"},
                    "state": {"enum": ["new", "old"]},
                    "parent": {"$ref": "#/components/schemas/Thing"},
                },
            },
            "NewThing": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 50, "pattern": "^[a-z]+$"},
                    "size": {"type": "number", "minimum": 0},
                    "colour": {"type": ["string", "null"]},
                    "shape": {
                        "oneOf": [
                            {"type": "object", "properties": {"kind": {"const": "circle"}}},
                            {"type": "object", "properties": {"kind": {"const": "square"}}},
                        ]
                    },
                },
            },
        }
    },
}


def put(path: str, value: object) -> Change:
    """Return a change that sets the value at `path`, whose parts are separated by spaces."""

    def change(document: Document) -> None:
        holder, last = reach(document, path)
        holder[last] = value

    return change


def drop(path: str) -> Change:
    """Return a change that removes what is at `path`."""

    def change(document: Document) -> None:
        holder, last = reach(document, path)
        del holder[last]

    return change


def reach(document: Document, path: str) -> tuple[Any, Any]:
    """Return the holder of the last part of `path`, and that part as its key or index."""
    *parts, last = (
        int(part) if part.isdigit() and len(part) < 3 else part for part in path.split()
    )
    holder: Any = document
    for part in parts:
        holder = holder[part]
    return holder, last


THING = "components schemas Thing"
NEW = "components schemas NewThing"
GET = "paths /things get"
BREAKING = {
    "path removed": (drop("paths /other"), "/other: the path was removed"),
    "operation removed": (
        drop("paths /things post"),
        "POST /things: the operation was removed",
    ),
    "parameter removed": (
        drop(f"{GET} parameters 0"),
        "GET /things query limit: the parameter was removed",
    ),
    "parameter required": (
        put(f"{GET} parameters 0 required", True),
        "GET /things query limit: the parameter became required",
    ),
    "required parameter added": (
        lambda d: d["paths"]["/things"]["get"]["parameters"].append(
            {"in": "header", "name": "Key", "required": True}
        ),
        "GET /things header Key: a required parameter was added",
    ),
    "parameter limit narrowed": (
        put(f"{GET} parameters 0 schema maximum", 50),
        "GET /things query limit: maximum became 50",
    ),
    "parameter enum narrowed": (
        put(f"{GET} parameters 1 schema enum", ["a"]),
        "GET /things query kind: ['b'] is not among ['a']",
    ),
    "response removed": (
        drop(f"{GET} responses 404"),
        "GET /things 404: the response was removed",
    ),
    "response header removed": (
        drop(f"{GET} responses 200 headers ETag"),
        "GET /things 200 ETag: the response header was removed",
    ),
    "response media type removed": (
        put(f"{GET} responses 200 content", {"text/csv": {}}),
        "GET /things 200: the media type application/json was removed",
    ),
    "response field removed": (
        drop(f"{THING} properties state"),
        "GET /things 200.items[].state: the field was removed",
    ),
    "response field optional": (
        put(f"{THING} required", ["id"]),
        "GET /things 200.items[].size: is no longer always there",
    ),
    "response type changed": (
        put(f"{THING} properties size type", "number"),
        "GET /things 200.items[].size: number is not integer",
    ),
    "response nullable": (
        put(f"{THING} properties size type", ["integer", "null"]),
        "GET /things 200.items[].size: null is not integer",
    ),
    "response enum widened": (
        put(f"{THING} properties state enum", ["new", "old", "lost"]),
        "GET /things 200.items[].state: ['lost'] is not among ['new', 'old']",
    ),
    "response format changed": (
        drop(f"{THING} properties id format"),
        "GET /things 200.items[].id: format is different",
    ),
    "request field required": (
        put(f"{NEW} required", ["name", "size"]),
        "POST /things body.size: became required",
    ),
    "request field removed": (
        drop(f"{NEW} properties colour"),
        "POST /things body.colour: the field was removed",
    ),
    "request type narrowed": (
        put(f"{NEW} properties size type", "integer"),
        "POST /things body.size: number is not integer",
    ),
    "request null refused": (
        put(f"{NEW} properties colour type", "string"),
        "POST /things body.colour: null is not string",
    ),
    "request limit narrowed": (
        put(f"{NEW} properties name maxLength", 20),
        "POST /things body.name: maxLength became 20",
    ),
    "request limit added": (
        put(f"{NEW} properties name minLength", 2),
        "POST /things body.name: minLength became 2",
    ),
    "request pattern changed": (
        put(f"{NEW} properties name pattern", "^[a-f]+$"),
        "POST /things body.name: pattern is different",
    ),
    "request alternative removed": (
        drop(f"{NEW} properties shape oneOf 1"),
        "POST /things body.shape.kind: ['square'] is not among ['circle']",
    ),
    "request fields closed": (
        put(f"{NEW} additionalProperties", False),
        "POST /things body: fields without a name in the schema are no longer allowed",
    ),
    "request body required": (
        put("paths /things post requestBody required", True),
        "POST /things body: the request body became required",
    ),
    "request body removed": (
        drop("paths /things post requestBody"),
        "POST /things body: the request body was removed",
    ),
    "request media type removed": (
        put("paths /things post requestBody content", {"text/csv": {}}),
        "POST /things body: the media type application/json was removed",
    ),
    "security added": (
        put(f"{GET} security", [{"HTTPBearer": []}]),
        "GET /things: the security requirements changed",
    ),
    "keyword not understood": (
        put(f"{NEW} properties size not", {"const": 7}),
        "POST /things body.size: not is different",
    ),
}
HARMLESS = {
    "nothing": lambda _: None,
    "path added": put("paths /new", {"get": {"responses": {}}}),
    "optional parameter added": lambda d: d["paths"]["/things"]["get"]["parameters"].append(
        {"in": "query", "name": "sort", "schema": {"type": "string"}}
    ),
    "response field added": put(f"{THING} properties added", {"type": "string"}),
    "response field always there": put(f"{THING} required", ["id", "size", "state"]),
    "response limit widened": put(f"{THING} properties id maxLength", 99),
    "response enum narrowed": put(f"{THING} properties state enum", ["new"]),
    "response never null": put("components schemas List properties next", {"type": "string"}),
    "optional request field added": put(f"{NEW} properties weight", {"type": "number"}),
    "request field optional": put(f"{NEW} required", []),
    "request limit widened": put(f"{NEW} properties name maxLength", 60),
    "request alternative added": lambda d: d["components"]["schemas"]["NewThing"]["properties"][
        "shape"
    ]["oneOf"].append({"type": "object", "properties": {"kind": {"const": "star"}}}),
    "words changed": put(f"{THING} description", "Another way to say it"),
    "response status added": put(f"{GET} responses 429", {"description": "Too many"}),
}


@pytest.mark.parametrize(("change", "message"), BREAKING.values(), ids=BREAKING.keys())
def test_breaking_change_is_found_and_named(change: Change, message: str) -> None:
    """The one breaking change of a document is reported, with its place, and nothing else is."""
    current = deepcopy(BASE)
    change(current)
    assert breaking_changes(BASE, current) == (message,)


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_harmless_change_is_let_through(change: Change) -> None:
    """A change that no client can notice as a break is not reported."""
    current = deepcopy(BASE)
    change(current)
    assert breaking_changes(BASE, current) == ()
