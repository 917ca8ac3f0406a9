"""House rules of OpenAPI documents: each one can be broken."""

from copy import deepcopy
from typing import Any

import pytest

from eventflow_servicekit.testing.openapi_rules import rule_faults

PROBLEM: dict[str, Any] = {"content": {"application/problem+json": {}}}
GOOD: dict[str, Any] = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "createThing",
                "summary": "Make a thing",
                "description": "Make a thing and keep it.",
                "tags": ["things"],
                "security": [{"HTTPBearer": []}],
                "parameters": [{"name": "Key", "description": "Makes a repeat harmless"}],
                "requestBody": {},
                "responses": {"201": {}, "401": PROBLEM, "403": PROBLEM, "422": PROBLEM},
            }
        }
    }
}


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("operationId", "create_thing", "operationId is not camelCase"),
        ("operationId", "", "operationId is not camelCase"),
        ("summary", "", "no summary"),
        ("description", "", "no description"),
        ("tags", [], "no tags"),
        ("parameters", [{"name": "Key"}], "parameter Key has no description"),
        ("responses", {"401": PROBLEM, "403": PROBLEM, "422": PROBLEM}, "no answer of success"),
        ("responses", {"201": {}, "403": PROBLEM, "422": PROBLEM}, "does not declare 401"),
        ("responses", {"201": {}, "401": PROBLEM, "422": PROBLEM}, "does not declare 403"),
        ("responses", {"201": {}, "401": PROBLEM, "403": PROBLEM}, "does not declare 422"),
        (
            "responses",
            {"201": {}, "401": PROBLEM, "403": PROBLEM, "422": {"content": {"text/html": {}}}},
            "422 is not a problem",
        ),
    ],
)
def test_each_rule_is_checked(part: str, value: object, fault: str) -> None:
    """Breaking one rule gives exactly its sentence."""
    document = deepcopy(GOOD)
    document["paths"]["/things"]["post"][part] = value
    assert rule_faults(document) == (f"POST /things: {fault}",)


def test_good_document_has_no_fault() -> None:
    """A document that keeps all rules is let through."""
    assert rule_faults(GOOD) == ()


def test_operation_id_is_unique() -> None:
    """Two operations with one id are named."""
    document = deepcopy(GOOD)
    document["paths"]["/more"] = deepcopy(GOOD["paths"]["/things"])
    assert rule_faults(document) == ("operationId createThing is used twice",)
