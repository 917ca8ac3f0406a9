"""What was published once stays readable: by example, and against the base revision."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from eventflow_events import event_document, latest, parse_event
from eventflow_events.frozen_versions import changed_versions
from eventflow_events.json_schema import SCHEMA_PATH, main

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.json"))
SCHEMA_IN_REPOSITORY = "libs/events/src/eventflow_events/events.schema.json"


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_published_example_still_parses_and_upgrades(path: Path) -> None:
    """A stored event of any version becomes exactly the newest version recorded beside it."""
    example = read(path)
    assert event_document(latest(parse_event(example["event"]))) == example["latest"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_fields_of_a_newer_producer_are_ignored(path: Path) -> None:
    """Unknown fields in the envelope and in the data do not stop a consumer."""
    example = read(path)
    event = example["event"]
    newer = {**event, "added": 1, "data": {**event["data"], "added_too": {"deep": True}}}
    assert event_document(latest(parse_event(newer))) == example["latest"]


def test_every_version_has_an_example() -> None:
    """No type and version is published without a stored example."""
    names = {f"{e['type']}.{e['version']}" for e in (read(path)["event"] for path in EXAMPLES)}
    definitions = read(SCHEMA_PATH)["$defs"].values()
    published = {
        f"{d['properties']['type']['const']}.{d['properties']['version']['const']}"
        for d in definitions
        if "version" in d["properties"]
    }
    assert names == published


def test_committed_schema_is_current() -> None:
    """The JSON Schema in the package says what the code does."""
    assert main(["--check"]) == 0


def test_versions_of_the_base_revision_are_unchanged() -> None:
    """Every version in the base revision's schema is in the current one, the same."""
    base_directory = os.environ.get("MONOYARD_BASE_DIR")
    if base_directory is None:
        pytest.skip("MONOYARD_BASE_DIR names no base revision")
    base_schema = Path(base_directory) / SCHEMA_IN_REPOSITORY
    if not base_schema.exists():
        pytest.skip("the base revision has no event schema")
    assert changed_versions(read(base_schema), read(SCHEMA_PATH)) == ()
