"""The JSON schema of a printed plan."""

from __future__ import annotations

from typing import Any

from monoyard.plan.plan import SCHEMA_VERSION, State


def plan_schema() -> dict[str, Any]:
    """Return the schema of `invoke plan --json`; what breaks readers raises its version."""
    text = {"type": "string"}
    cause = {
        "type": "object",
        "required": ["type", "text"],
        "properties": {"type": text, "text": text},
    }
    task = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "package", "suite", "state", "causes", "key", "needs"],
        "properties": {
            "id": {
                **text,
                "description": "PACKAGE:SUITE, with @INTERPRETER where there are several",
            },
            "package": text,
            "suite": text,
            "state": {"enum": [state.value for state in State]},
            "reason": {**text, "description": "why it is skipped or not selected"},
            "key": {"type": ["string", "null"], "description": "64 hexadecimal digits"},
            "needs": {"type": "array", "items": text},
            "causes": {"type": "array", "items": cause},
            "estimated_seconds": {"type": "number"},
        },
    }
    base = {
        "type": "object",
        "properties": {"commit": {"type": ["string", "null"]}, "how": text, "unknown": text},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A plan of monoyard",
        "type": "object",
        "required": ["schema", "version", "base", "tasks"],
        "properties": {
            "schema": text,
            "version": {"const": SCHEMA_VERSION},
            "base": base,
            "changed": {"type": "array", "items": text},
            "narrowed": {"type": "boolean"},
            "notes": {"type": "array", "items": text},
            "tasks": {"type": "array", "items": task},
        },
    }
