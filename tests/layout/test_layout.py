"""The shape of the repository, which no single package can promise."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from monoyard.bindings.documenting import write_reference

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(
    path.parent
    for pattern in ("libs/*/pyproject.toml", "services/*/pyproject.toml")
    for path in ROOT.glob(pattern)
)
FIXED = {
    "alembic", "docker", "invoke", "mypy", "nox", "pip-tools", "pytest", "pytest-xdist", "ruff",
}  # fmt: skip


def _manifest(path: Path) -> dict[str, Any]:
    return tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))


def _declared(manifest: dict[str, Any]) -> set[str]:
    project = manifest.get("project", {})
    listed = list(project.get("dependencies", []))
    for items in project.get("optional-dependencies", {}).values():
        listed += items
    for items in manifest.get("dependency-groups", {}).values():
        listed += [item for item in items if isinstance(item, str)]
    return {re.split(r"[\[<>=!~ ;]", item, maxsplit=1)[0] for item in listed}


def test_the_top_level_is_what_the_design_fixes() -> None:
    """Everything that newcomers are told to look for stands at the top level."""
    for name in (
        "noxfile.py", "tasks.py", "pyproject.toml", "README.md", "services", "libs", "infra",
        "deploy", "tests", "docs", "changelog.d", "requirements", ".github/workflows",
    ):  # fmt: skip
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("name", ["noxfile.py", "tasks.py"])
def test_the_doors_hold_no_logic(name: str) -> None:
    """`noxfile.py` and `tasks.py` hand the workspace to the engine in under 30 lines."""
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) < 30


@pytest.mark.parametrize("place", ["infra", "deploy"])
def test_the_platform_folders_state_their_duty(place: str) -> None:
    """`infra/` and `deploy/` say what belongs into them."""
    assert (ROOT / place / "README.md").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_packages_are_laid_out_alike(package: Path) -> None:
    """Every Python package has a README, a typed source tree under `src`, and tests."""
    assert (package / "README.md").is_file()
    assert list(package.glob("src/*/py.typed"))
    assert list(package.glob("tests/**/test_*.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_packages_pin_nothing_from_above(package: Path) -> None:
    """Requirements state what is needed at least; the lock alone pins."""
    project = _manifest(package)["project"]
    for requirement in project.get("dependencies", []):
        assert "==" not in requirement, requirement
        assert "<" not in requirement, requirement


def test_the_fixed_tools_are_declared() -> None:
    """The tools that the product is built on are declared where they are used, and locked."""
    declared = _declared(_manifest(ROOT))
    for package in PACKAGES:
        declared |= _declared(_manifest(package))
    assert declared >= FIXED
    lock = (ROOT / "requirements" / "workspace.txt").read_text(encoding="utf-8")
    locked = {line.partition("==")[0] for line in lock.splitlines() if "==" in line}
    assert locked >= FIXED


def test_locks_name_no_index() -> None:
    """A lock holds names, versions and hashes; where they come from is each machine's matter."""
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "http://" not in text, lock.name
        assert "https://" not in text, lock.name
        assert "--find-links" not in text, lock.name


def test_the_reference_is_what_the_program_says() -> None:
    """`docs/reference` is current: `nox -s docs` would change nothing."""
    assert write_reference(ROOT, check=True) == []


def test_workflows_hold_no_logic() -> None:
    """Every `run` step of a workflow is one call: of nox or invoke, or of what they need first."""
    prefix = r'(exec |sudo |sudo --preserve-env env "PATH=\$PATH" )?'
    call = rf"{prefix}(nox|invoke|python3 -m pip|apt-get install|docker login) [^;&|]*$"
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        steps = re.findall(r"^\s*run:\s*(.+)$", workflow.read_text(encoding="utf-8"), re.MULTILINE)
        assert steps
        for step in steps:
            assert re.match(call, step), step
