"""The published JSON schemas say what the reader says."""

from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monoyard.config import (
    Faults,
    PackageSettings,
    SuiteSettings,
    WorkspaceSettings,
    json_schema,
    package_json_schema,
    read_package_settings,
    read_workspace_settings,
)

# For every setting of a suite: values that are right, and values that are wrong.
SUITE_VALUES: dict[str, tuple[list[object], list[object]]] = {
    "timeout": ([90, 0.5, "90s", "1h30m"], [0, -1, "", "soon", "0s", True, None, ["1s"]]),
    "memory": ([1, "512MiB", "1.5 GB"], [0, "big", "0", 1.5, True, None]),
    "cpus": ([1, 64], [0, -1, "2", 1.5, True]),
    "workers": (["auto", 1, 64], [0, -1, "all", "2", 1.5, True, None]),
    "isolation": (["process", "shared"], ["thread", "", 1, None]),
    "resources": ([[], ["postgres"]], ["postgres", ["redis"], [1]]),
    "also": ([[], [["a", "b"]]], [["a"], "a", [[1]]]),
}
FLAGS: tuple[list[object], list[object]] = ([True, False], ["true", 1, None])
WORDS: tuple[list[object], list[object]] = ([[], ["a", "b"]], ["a", [1], {"a": "b"}, None])
ROOT_VALUES: dict[str, tuple[list[object], list[object]]] = {
    "cache-limit": SUITE_VALUES["memory"],
    "cpus": SUITE_VALUES["cpus"],
    "groups": ([{}, {"test": "dev"}, {"test": ["dev", "ci"]}], [[], {"test": 1}, {"test": [1]}]),
    "files": ([{}, {"*.md": []}, {"x/**": ["unit"]}], [{"x": "unit"}, {"x": ["unti"]}, []]),
    "suites": ([{}, {"unit": {}}], [{"unti": {}}, {"unit": []}, {"unit": {"timeuot": 1}}, []]),
    "packages": ([{"a": {"role": "lib"}}], [{"a": {"rol": "lib"}}, {"a": {"role": "x"}}, []]),
    "lock": (["uv.lock"], [1, ["uv.lock"]]),
    "no-such-key": ([], [1]),
}
FLAG_KEYS = {"enabled", "cache", "coverage", "dependencies"}


def suite_samples() -> list[tuple[dict[str, object], bool]]:
    """Return package tables with one setting of a suite each, and whether it is right."""
    found: list[tuple[dict[str, object], bool]] = []
    for item in fields(SuiteSettings):
        name = item.name.replace("_", "-")
        right, wrong = SUITE_VALUES.get(name, FLAGS if name in FLAG_KEYS else WORDS)
        for values, is_right in ((right, True), (wrong, False)):
            found += [({"suites": {"unit": {name: value}}}, is_right) for value in values]
    return found


def root_samples() -> list[tuple[dict[str, object], bool]]:
    """Return root tables with one setting each, and whether it is right."""
    return [
        ({name: value}, is_right)
        for name, (right, wrong) in ROOT_VALUES.items()
        for values, is_right in ((right, True), (wrong, False))
        for value in values
    ]


@pytest.mark.parametrize(("table", "is_right"), suite_samples(), ids=repr)
def test_package_schema_and_reader_agree(table: dict[str, Any], *, is_right: bool) -> None:
    """A package table is valid by the schema exactly where the reader finds no fault."""
    faults: Faults = []
    read_package_settings(table, "table", faults)
    assert (not faults) is is_right, faults
    assert Draft202012Validator(package_json_schema()).is_valid(table) is is_right


@pytest.mark.parametrize(("table", "is_right"), root_samples(), ids=repr)
def test_root_schema_and_reader_agree(table: dict[str, Any], *, is_right: bool) -> None:
    """A root table is valid by the schema exactly where the reader finds no fault."""
    faults: Faults = []
    read_workspace_settings({}, table, faults)
    assert (not faults) is is_right, faults
    assert Draft202012Validator(json_schema()).is_valid(table) is is_right


@pytest.mark.parametrize("schema", [json_schema(), package_json_schema()], ids=["root", "package"])
def test_schemas_are_schemas_and_document_every_key(schema: dict[str, Any]) -> None:
    """Each schema is valid itself, and has a sentence for every key."""
    Draft202012Validator.check_schema(schema)
    for name, rule in schema["properties"].items():
        assert rule["description"].endswith("."), name


def test_every_setting_has_a_key() -> None:
    """What the program can be told, a table can say: no setting lacks its key."""
    suite = package_json_schema()["properties"]["suites"]["additionalProperties"]["properties"]
    for properties, settings, inner in (
        (suite, SuiteSettings, set()),
        (package_json_schema()["properties"], PackageSettings, set()),
        (json_schema()["properties"], WorkspaceSettings, {"source"}),
    ):
        names = {item.name.replace("_", "-") for item in fields(settings)} - inner
        assert set(properties) == names
