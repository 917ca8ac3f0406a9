"""Workspaces locked by other tools, and one that is not locked at all: installed and run."""

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from monoyard.install import installer_environment, uv_program

if TYPE_CHECKING:
    from .conftest import Checkout

ROOT = """\
[project]
name = "sample"
version = "0.1.0"
requires-python = ">=3.11"

[dependency-groups]
test = ["pytest>=9"]

[tool.uv.workspace]
members = ["libs/*"]
"""
MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = {needs}

[dependency-groups]
test = ["pytest"]

[tool.uv.sources]
beta = {{ workspace = true }}
"""
SOURCE = "import beta as beta\nimport sniffio\n\nVERSION = sniffio.__version__\n"
TEST = "import alpha\n\n\ndef test_it() -> None:\n    assert alpha.VERSION\n"


def uv(checkout: "Checkout", *words: str) -> None:
    """Run the uv beside the engine in a repository."""
    subprocess.run(
        (str(uv_program()), *words),
        cwd=checkout.top, env=installer_environment(), check=True, capture_output=True, timeout=240,
    )  # fmt: skip


@pytest.fixture
def workspace(empty: "Checkout") -> "Checkout":
    """A workspace of uv: alpha needs beta and sniffio, both are tested with pytest."""
    (empty.top / "requirements.txt").unlink()
    empty.write("pyproject.toml", ROOT)
    for name, needs in (("alpha", '["sniffio>=1.3", "beta"]'), ("beta", "[]")):
        empty.package(name)
        empty.write(f"libs/{name}/pyproject.toml", MANIFEST.format(name=name, needs=needs))
    empty.write("libs/alpha/src/alpha/__init__.py", SOURCE)
    empty.write("libs/alpha/tests/test_it.py", TEST)
    return empty


def upgrade(checkout: "Checkout", lock: str) -> None:
    """Write another version of sniffio into a lock."""
    place = checkout.top / lock
    before, name, after = place.read_text("utf-8").partition('name = "sniffio"\n')
    rest = after.partition("\n")[2]
    place.write_text(f'{before}{name}version = "1.99.0"\n{rest}', encoding="utf-8")


@pytest.mark.parametrize(
    ("lock", "reached"),
    [("uv.lock", {"alpha:unit"}), ("pylock.toml", {"alpha:unit", "beta:unit"})],
)
def test_workspace_locked_by_uv_is_installed_and_tested(
    workspace: "Checkout", lock: str, reached: set[str]
) -> None:
    """The lock is found, installed and replayed; a change of it reaches whom it can concern.

    `uv.lock` tells which package needs what; a `pylock.toml` of uv does not, so there it is all.
    """
    uv(workspace, "lock", "--quiet")
    if lock == "pylock.toml":
        uv(workspace, "export", "--quiet", "--format", "pylock.toml", "--all-packages",
           "--all-groups", "--no-emit-workspace", "--output-file", lock)  # fmt: skip
        (workspace.top / "uv.lock").unlink()
    workspace.commit()
    ended = workspace.nox("unit")
    assert ended.code == 0, ended.text
    assert f"installing {lock} for Python 3." in ended.err
    assert "PASS: 2 tasks, 0 from cache, tests: 2 passed" in ended.out
    assert workspace.outcomes("unit") == {"alpha:unit": "cached", "beta:unit": "cached"}
    upgrade(workspace, lock)
    plan = json.loads(workspace.invoke("affected", "--json", "--", "--suite", "unit").out)
    causes = {task["id"]: task["causes"] for task in plan["tasks"] if task["suite"] == "unit"}
    assert {task for task, found in causes.items() if found} == reached
    assert "sniffio" in causes["alpha:unit"][0]["text"]


def test_lock_that_cannot_be_installed_shows_what_the_installer_said(empty: "Checkout") -> None:
    """A lock whose hash no file has is told in one line for each task, with the whole story."""
    empty.write("requirements.txt", f"pytest==9.2.0 --hash=sha256:{'0' * 64}\n")
    empty.package("alpha")
    ended = empty.nox("unit")
    assert ended.code == 1, ended.text
    result = empty.result("alpha:unit")
    assert result["outcome"] == "error"
    assert result["reason"].startswith("cannot install requirements.txt for Python 3.")
    assert "error" in result["reason"]
    assert "0" * 64 in result["log"]


def test_workspace_without_a_lock_is_resolved_with_a_warning(workspace: "Checkout") -> None:
    """Without a lock the requirements are resolved once, kept, and the run says what that means."""
    workspace.commit()
    ended = workspace.nox("unit")
    assert ended.code == 0, ended.text
    assert "resolving " in ended.err
    note = "there is no lock: requirements are resolved here, and elsewhere they may be others"
    assert f"note: {note}" in ended.out
    again = workspace.nox("unit", "--force")
    assert again.code == 0, again.text
    assert "resolving " not in again.err
    assert workspace.outcomes("unit") == {"alpha:unit": "cached", "beta:unit": "cached"}
