"""House rules of OpenAPI documents: each one can be broken."""

from copy import deepcopy
from typing import Any

import pytest

from eventflow_servicekit.testing.openapi_rules import rule_faults

PROBLEM: dict[str, Any] = {"content": {"application/problem+json": {}}}
PROBLEMS = dict.fromkeys(("400", "401", "403", "422"), PROBLEM)
MADE = {"201": {}, **PROBLEMS}


def without(status: str) -> dict[str, Any]:
    """Return good responses without one of them."""
    return {key: value for key, value in MADE.items() if key != status}


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
                "responses": {"201": {}, **PROBLEMS},
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
        ("responses", PROBLEMS, "no answer of success"),
        ("responses", without("400"), "does not declare 400"),
        ("responses", without("401"), "does not declare 401"),
        ("responses", without("403"), "does not declare 403"),
        ("responses", without("422"), "does not declare 422"),
        (
            "responses",
            {**MADE, "422": {"content": {"text/html": {}}}},
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
