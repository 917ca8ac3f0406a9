"""TOML and JSON files as plain data, with one clear fault for a file that cannot be read."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from monoyard.config.kinds import Faults


def parse_toml(data: bytes, path: str, faults: Faults) -> dict[str, Any]:
    """Parse a TOML document; a fault is added and an empty table returned where it is broken."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{path}: not valid TOML: {error}")
        return {}


def parse_json(data: bytes, path: str, faults: Faults) -> dict[str, Any]:
    """Parse a JSON document that holds an object; a fault is added where it does not."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{path}: not valid JSON: {error}")
        return {}
    if not isinstance(value, dict):
        faults.append(f"{path}: expected an object")
        return {}
    return value


def table_at(document: Any, *keys: str) -> dict[str, Any]:
    """Return the table at a key path of a foreign document, or an empty one.

    Foreign documents are not ours to validate: what has another shape counts as absent.
    """
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}
