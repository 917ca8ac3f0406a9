from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from monoyard.plan import plan_schema

from .conftest import BASE, Scene


def test_a_plan_as_data_is_what_its_schema_says(scene: Scene) -> None:
    """Every field of a printed plan is there, as its schema has it, odd names included."""
    scene.after["packages/app/\udcff.py"] = "x"
    scene.source.settings = {
        "app:unit": {"needs": ("app:lint",)},
        "app:lint": {"estimate": 1.23456},
    }
    plan = replace(scene.plan(packages=("app",)), notes=("a note",))
    data = json.loads(json.dumps(plan.to_data()))
    jsonschema.validate(data, plan_schema())
    rows = {row["id"]: row for row in data.pop("tasks")}
    assert data == {
        "schema": "https://monoyard.dev/schemas/plan.json",
        "version": 1,
        "base": {"commit": BASE.commit, "how": BASE.how, "unknown": ""},
        "changed": ["packages/app/\\udcff.py"],
        "narrowed": False,
        "notes": ["a note"],
    }
    (manifest,) = (item.manifest for item in plan.tasks if item.task.id == "app:lint")
    assert manifest is not None
    (cause,) = rows["app:lint"].pop("causes")
    assert cause["type"] == "ChangedFile"
    assert rows["app:lint"] == {
        "id": "app:lint", "package": "app", "suite": "lint", "state": "run", "reason": "",
        "key": manifest.key, "needs": [], "estimated_seconds": 1.235,
    }  # fmt: skip
    assert rows["app:unit"]["needs"] == ["app:lint"]
    assert rows["base:unit"] == {
        "id": "base:unit", "package": "base", "suite": "unit", "state": "not-selected",
        "reason": "the package was not named", "key": None, "needs": [], "causes": [],
        "estimated_seconds": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["schema", "version", "base", "tasks"])
def test_the_schema_asks_for_what_readers_need(scene: Scene, missing: str) -> None:
    """A plan without a part that readers rely on is refused, and so is an unknown state."""
    data = scene.plan().to_data()
    del data[missing]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, plan_schema())


@pytest.mark.parametrize("field", ["id", "package", "suite", "state", "causes", "key", "needs"])
def test_the_schema_asks_for_every_field_of_a_task(scene: Scene, field: str) -> None:
    """A task that lacks a field, has one of another type or one more is refused."""
    for change in ({field: object()}, {field: None, "more": 1}):
        data = scene.plan().to_data()
        data["tasks"][0] |= change
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, plan_schema())
    data = scene.plan().to_data()
    del data["tasks"][0][field]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, plan_schema())


@pytest.mark.parametrize(
    "place",
    [
        "schema", "version", "base", "base.commit", "base.how", "base.unknown", "changed",
        "changed.0", "narrowed", "notes", "notes.0", "tasks", "tasks.0", "tasks.0.needs.0",
        "tasks.0.causes.0", "tasks.0.causes.0.type", "tasks.0.causes.0.text",
        "tasks.0.estimated_seconds", "tasks.0.reason",
    ],
)  # fmt: skip
def test_the_schema_says_the_type_of_every_value(scene: Scene, place: str) -> None:
    """A value that is no JSON of the promised kind is refused, wherever in a plan it stands."""
    scene.after["packages/app/app.py"] = "changed"
    scene.source.settings = {"app:lint": {"needs": ("base:lint",)}}
    data = replace(scene.plan(), notes=("a note",)).to_data()
    jsonschema.validate(data, plan_schema())
    holder: Any = data
    *way, last = (int(name) if name.isdecimal() else name for name in place.split("."))
    for step in way:
        holder = holder[step]
    holder[last] = object()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, plan_schema())


def test_a_cause_without_its_sentence_is_refused(scene: Scene) -> None:
    """Readers may rely on the type of a cause and on its words."""
    scene.after["packages/app/app.py"] = "changed"
    for field in ("type", "text"):
        data = scene.plan().to_data()
        del data["tasks"][0]["causes"][0][field]
        with pytest.raises(jsonschema.ValidationError, match=field):
            jsonschema.validate(data, plan_schema())


def test_the_schema_is_of_a_known_dialect_and_asks_for_a_table() -> None:
    """Any validator knows how to read the schema, and takes nothing but an object for a plan."""
    schema = plan_schema()
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([], schema)
