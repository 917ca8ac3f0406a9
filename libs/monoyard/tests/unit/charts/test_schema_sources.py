"""Modules that schemas are made of: each is what was pinned, or nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monoyard.charts import SchemaSource, make_schemas
from monoyard.errors import ConfigurationError, ToolError

DOCUMENT = {
    "definitions": {
        "Thing": {
            "type": "object",
            "properties": {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}},
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Thing"}],
        }
    }
}
SOURCE = SchemaSource("k8s.io/kubernetes", "v1.34.4", "h1:right", "swagger.json", ("v1/Thing",))


def go(directory: Path, script: str) -> Path:
    """Write a Go program that answers like `go mod download -json`."""
    (directory / "swagger.json").write_text(json.dumps(DOCUMENT), "utf-8")
    program = directory / "go"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return program


def answer(directory: Path, **said: str) -> str:
    """Return the script of a Go program that answers this."""
    return f"echo '{json.dumps({'Dir': str(directory), 'Sum': 'h1:right', **said})}'"


def test_schemas_name_the_kubernetes_they_are_of(tmp_path: Path) -> None:
    """Beside the kinds stands the version that charts are rendered for."""
    files = make_schemas([SOURCE], go(tmp_path, answer(tmp_path)))

    assert set(files) == {"VERSION", "thing-v1.json"}
    assert files["VERSION"] == "1.34.4\n"


def test_another_module_under_the_same_version_is_refused(tmp_path: Path) -> None:
    """A proxy that serves other bytes than were pinned changes no schema."""
    with pytest.raises(ConfigurationError, match="is not what was pinned") as caught:
        make_schemas([SOURCE], go(tmp_path, answer(tmp_path, Sum="h1:wrong")))

    assert caught.value.context == ("pinned h1:right", "is     h1:wrong")


def test_a_module_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    """What Go says of it is told, with the setting that helps."""
    script = 'echo \'{"Error": "dial tcp: no route"}\'; exit 1'

    with pytest.raises(ToolError, match=r"cannot fetch k8s\.io/kubernetes") as caught:
        make_schemas([SOURCE], go(tmp_path, script))

    assert caught.value.context == ("dial tcp: no route",)
    assert "GOPROXY" in str(caught.value.hint)


def test_a_kind_that_went_is_told(tmp_path: Path) -> None:
    """A newer module that has a kind no longer is an error with the kind's name."""
    source = SchemaSource("k8s.io/kubernetes", "v1.34.4", "h1:right", "swagger.json", ("v1/Gone",))

    with pytest.raises(ConfigurationError, match="has no v1/Gone"):
        make_schemas([source], go(tmp_path, answer(tmp_path)))
