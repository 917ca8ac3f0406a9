"""Which package of the workspace a dependency in a `package.json` means."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from monoyard.workspace import Repository, load, take_snapshot


class Forgetful:
    """A memo that keeps nothing."""

    def get_many(self, _name: str, _keys: Iterable[str]) -> dict[str, bytes]:
        """Return what is known: nothing."""
        return {}

    def put_many(self, _name: str, _values: Mapping[str, bytes]) -> None:
        """Keep nothing."""


def edges(top: Path, key: str, value: str) -> list[str]:
    """Return what `apps/page` needs where it has one dependency."""
    manifests = {
        "apps/page": {"name": "page", "dependencies": {key: value}},
        "libs/@acme/ui": {"name": "@acme/ui"},
        "libs/shared": {"name": "@acme/shared"},
    }
    for place, manifest in manifests.items():
        (top / place).mkdir(parents=True)
        (top / place / "package.json").write_text(json.dumps(manifest), "utf-8")
    subprocess.run(("git", "init", "--quiet", str(top)), check=True)
    found = load(take_snapshot(Repository.locate(top)), Forgetful())
    return sorted(edge.target for edge in found.graph.edges_from["page"])


@pytest.mark.parametrize(
    ("key", "value", "target"),
    [
        ("@acme/ui", "*", "ui"),
        ("@acme/ui", "workspace:^", "ui"),
        ("@acme/ui", "file:../../libs/@acme/ui", "ui"),
        ("ui", "file:../../libs/@acme/ui", "ui"),
        ("ui", "link:../../libs/@acme/ui", "ui"),
        ("ui", "portal:../../libs/@acme/ui", "ui"),
        ("ui", "workspace:../../libs/@acme/ui", "ui"),
        ("common", "npm:@acme/shared@*", "shared"),
        ("common", "workspace:@acme/shared@^1", "shared"),
        ("@ACME/Shared", "^1", "shared"),
    ],
)
def test_dependency_on_a_package_of_the_workspace(
    tmp_path: Path, key: str, value: str, target: str
) -> None:
    """It is known by its name, by the name behind an alias, and by its path."""
    assert edges(tmp_path, key, value) == [target]


@pytest.mark.parametrize(
    ("key", "value"),
    [("react", "^19"), ("react", "npm:preact@10"), ("odd", "file:../../elsewhere"), ("odd", "")],
)
def test_dependency_on_something_else(tmp_path: Path, key: str, value: str) -> None:
    """What comes from a registry, or from where no package is, is no edge."""
    assert edges(tmp_path, key, value) == []
