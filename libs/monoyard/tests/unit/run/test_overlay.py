"""Workspace packages laid over a venv: their sources and metadata, per checkout."""

import subprocess
from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from monoyard.bindings.engine import Engine
from monoyard.run import lay_over
from monoyard.workspace import Workspace

MANIFEST = """
[project]
name = "My-Lib.core"
version = "{version}"
requires-python = ">=3.11"
dependencies = ["httpx>=0.28"]

[project.optional-dependencies]
fast = ["orjson>=3; python_version > '3'"]

[project.scripts]
mylib = "mylib:main"

[project.entry-points.pytest11]
mine = "mylib.plugin"
"""

Loaded = Callable[[str], Workspace]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Return a function that writes a repository with one package of a version, and loads it."""
    top = tmp_path / "repository"
    (top / "src" / "mylib").mkdir(parents=True)
    (top / "src" / "mylib" / "__init__.py").touch()
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)

    def load(version: str) -> Workspace:
        (top / "pyproject.toml").write_text(MANIFEST.format(version=version), encoding="utf-8")
        return Engine(top, print, {"MONOYARD_CACHE_DIR": str(tmp_path / "kept")}).workspace

    return load


def found(workspace: Workspace, state: Path) -> Distribution:
    """Lay the package over, and return it as an interpreter with those directories sees it."""
    (name,) = workspace.packages
    (distribution,) = distributions(path=list(lay_over(workspace, [name], state)[name]))
    return distribution


def test_interpreter_sees_name_version_and_requirements(loaded: Loaded, tmp_path: Path) -> None:
    """The metadata of a laid-over package is what its manifest says."""
    seen = found(loaded("1.2"), tmp_path / "state")
    assert (seen.metadata["Name"], seen.version) == ("my-lib-core", "1.2")
    assert seen.metadata["Requires-Python"] == ">=3.11"
    assert seen.requires is not None
    assert seen.requires[0] == "httpx>=0.28"
    assert 'extra == "fast"' in seen.requires[1]


def test_interpreter_sees_entry_points(loaded: Loaded, tmp_path: Path) -> None:
    """Entry points of a laid-over package are found in their groups, scripts included."""
    points = found(loaded("1.2"), tmp_path / "state").entry_points
    assert [point.value for point in points.select(group="pytest11")] == ["mylib.plugin"]
    assert [point.name for point in points.select(group="console_scripts")] == ["mylib"]


def test_sources_come_from_the_checkout(loaded: Loaded, tmp_path: Path) -> None:
    """The last directory is the package's own source root."""
    workspace = loaded("1.2")
    (directories,) = lay_over(workspace, workspace.packages, tmp_path / "state").values()
    assert directories[-1] == str(tmp_path / "repository" / "src")


def test_new_version_replaces_the_old_one(loaded: Loaded, tmp_path: Path) -> None:
    """After a change of the version only the new one is seen."""
    found(loaded("1.2"), tmp_path / "state")
    assert found(loaded("1.3"), tmp_path / "state").version == "1.3"


def test_unchanged_metadata_is_not_written_again(loaded: Loaded, tmp_path: Path) -> None:
    """A second run leaves the files alone, so that no interpreter reads them anew."""
    workspace = loaded("1.2")
    times = []
    for _ in range(2):
        found(workspace, tmp_path / "state")
        times.append({p: p.stat().st_mtime_ns for p in (tmp_path / "state").rglob("*")})
    assert times[0] == times[1]


def test_runs_at_the_same_time_do_not_meet(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that lays over while another one is about to put a file in place disturbs neither."""
    workspace, state = loaded("1.2"), tmp_path / "state"
    put_in_place = Path.replace
    met: list[Path] = []

    def met_by_another(self: Path, target: Path) -> Path:
        if not met:
            met.append(target)
            lay_over(workspace, workspace.packages, state)
        return put_in_place(self, target)

    monkeypatch.setattr(Path, "replace", met_by_another)
    assert found(workspace, state).version == "1.2"
    assert met
    assert len(list(state.rglob("*.dist-info/*"))) == 3
