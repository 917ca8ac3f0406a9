"""Manifests of every tool as one value."""

import json

import pytest

from monoyard.workspace.manifests import Manifest, parse_manifest


def read(text: str, path: str = "pyproject.toml") -> Manifest:
    """Parse a manifest without a fault."""
    faults: list[str] = []
    found = parse_manifest(text.encode(), path, faults)
    assert faults == []
    assert found is not None
    return found


def test_standard_manifest() -> None:
    """The tables of the standards are read, with names in the form that compares equal."""
    found = read("""
        [build-system]
        requires = ["hatchling>=1.27"]
        [project]
        name = "Event_Flow.Api"
        version = "1.2"
        requires-python = ">=3.11"
        dependencies = ["httpx[http2]>=0.28", "shared @ file:../shared ; python_version > '3'"]
        [project.optional-dependencies]
        Extra_One = ["rich"]
        [project.scripts]
        serve = "api:main"
        [project.entry-points.pytest11]
        plugin = "api.plugin"
    """)
    assert (found.kind, found.name, found.version) == ("python", "event-flow-api", "1.2")
    assert found.requires_python == ">=3.11"
    assert found.extras == {"extra-one": ("rich",)}
    assert found.sources == {"shared": "../shared"}
    assert found.build_requires == ("hatchling>=1.27",)
    assert found.entry_points["pytest11"] == {"plugin": "api.plugin"}
    assert found.entry_points["console_scripts"] == {"serve": "api:main"}


def test_groups_include_each_other() -> None:
    """A group contains what it includes, under any spelling; a ring of groups ends."""
    found = read("""
        [project]
        name = "a"
        [dependency-groups]
        Test_Tools = ["pytest", {include-group = "lint.rules"}]
        "lint-rules" = ["ruff", {include-group = "ring"}, {include-group = "missing"}]
        ring = ["x", {include-group = "Test_Tools"}]
    """)
    assert found.groups["test-tools"] == ("pytest", "ruff", "x")
    assert found.groups["ring"] == ("x", "pytest", "ruff")


def test_uv_manifest() -> None:
    """The workspace, sources and development requirements of uv are read."""
    found = read("""
        [project]
        name = "a"
        [tool.uv]
        dev-dependencies = ["pytest"]
        [tool.uv.workspace]
        members = ["libs/*"]
        exclude = ["libs/old"]
        [tool.uv.sources]
        one = { workspace = true }
        two = { path = "../two" }
        three = [{ git = "https://example.org", marker = "x" }, { path = "../three" }]
        four = { index = "own" }
    """)
    assert (found.members, found.excluded) == (("libs/*",), ("libs/old",))
    assert found.groups == {"dev": ("pytest",)}
    assert found.sources == {"one": "workspace", "two": "../two", "three": "../three"}


def test_poetry_manifest() -> None:
    """Requirements, groups and directories of poetry are read; `python` is no requirement."""
    found = read("""
        [tool.poetry]
        name = "Old-Style"
        version = "0.3"
        [tool.poetry.dependencies]
        python = "^3.11"
        httpx = "^0.28"
        anything = "*"
        shared = { path = "../shared", develop = true }
        [tool.poetry.group.Test.dependencies]
        pytest = ">=8"
        fakes = { path = "../fakes" }
    """)
    assert (found.name, found.version) == ("old-style", "0.3")
    assert found.requirements == ("httpx (^0.28)", "anything", "shared")
    assert found.groups == {"test": ("pytest (>=8)", "fakes")}
    assert found.sources == {"shared": "../shared", "fakes": "../fakes"}


def test_hatch_tables_inherit() -> None:
    """Tables of hatch have what they inherit; one that is detached, or in a ring, has its own."""
    found = read("""
        [project]
        name = "a"
        [tool.hatch.envs.default]
        dependencies = ["base"]
        [tool.hatch.envs.test]
        extra-dependencies = ["pytest"]
        [tool.hatch.envs.more]
        template = "test"
        dependencies = ["own"]
        [tool.hatch.envs.alone]
        detached = true
        extra-dependencies = ["x"]
        [tool.hatch.envs.left]
        template = "right"
        extra-dependencies = ["l"]
        [tool.hatch.envs.right]
        template = "left"
        dependencies = ["r"]
    """)
    assert found.groups == {
        "hatch.default": ("base",), "hatch.test": ("base", "pytest"),
        "hatch.more": ("own", "pytest"), "hatch.alone": ("x",), "hatch.left": ("r", "l"),
        "hatch.right": ("r", "l"),
    }  # fmt: skip


def test_npm_manifest() -> None:
    """A `package.json` has requirements with their ranges, scripts, members and our table."""
    found = read(
        json.dumps(
            {
                "name": "@Scope/Page", "version": "2.0.0", "workspaces": {"packages": ["apps/*"]},
                "dependencies": {"preact": "^11"}, "peerDependencies": {"vite": "*"},
                "devDependencies": {"typescript": "^7"}, "monoyard": {"role": "service"},
                "scripts": {"lint": "biome ci", "odd": 1},
            }
        ),
        "package.json",
    )  # fmt: skip
    assert (found.kind, found.name, found.version) == ("typescript", "@scope/page", "2.0.0")
    assert found.requirements == ("preact@^11", "vite@*")
    assert found.groups == {"dev": ("typescript@^7",)}
    assert (found.members, found.scripts) == (("apps/*",), {"lint": "biome ci"})
    assert found.settings == {"role": "service"}


@pytest.mark.parametrize("name", ["$name", "{{ cookiecutter.name }}", "-x"])
def test_template_is_no_package(name: str) -> None:
    """A name that cannot be one, as in a template's manifest, is kept apart and told later."""
    found = read(f'[project]\nname = "{name}"\n')
    assert (found.name, found.refused_name) == ("", name)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("[project", "a/pyproject.toml", "a/pyproject.toml: not valid TOML: "),
        ("{", "a/package.json", "a/package.json: not valid JSON: "),
    ],
)
def test_broken_manifest_is_a_fault(text: str, path: str, said: str) -> None:
    """A file that cannot be parsed is one fault with its path, and no manifest."""
    faults: list[str] = []
    assert parse_manifest(text.encode(), path, faults) is None
    assert len(faults) == 1
    assert faults[0].startswith(said)


def test_manifest_survives_the_memo() -> None:
    """A manifest that went through JSON is the same value, tuples included."""
    found = read("""
        [project]
        name = "a"
        dependencies = ["x"]
        [project.optional-dependencies]
        e = ["y"]
        [dependency-groups]
        test = ["z"]
    """)
    assert Manifest.from_data(json.loads(json.dumps(found.to_data()))) == found
