"""Programs built from pinned Go modules, with a real Go where there is one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.errors import MachineError
from monoyard.install import TABLE, go_tools
from monoyard.install.go_tools import (
    GoTools,
    is_new_enough,
    pinned_package,
    pinned_version,
)

MODULE = """\
module monoyard.dev/pins/hello

go 1.21

tool monoyard.dev/pins/hello/cmd
"""
PROGRAM = """\
package main

func main() { println("hello") }
"""


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pin without modules from elsewhere, whose program lies inside it."""
    place = tmp_path / "pins" / "hello"
    place.mkdir(parents=True)
    (place / "go.mod").write_text(MODULE, encoding="utf-8")
    (place / "go.sum").touch()
    monkeypatch.setattr(go_tools, "_PINS", place.parent)
    return place


def no_go(pin: str) -> Path:
    """Stand for a machine on which nothing may be built."""
    raise AssertionError(f"{pin} was built already")


@pytest.mark.parametrize("name", [tool.name for tool in TABLE if tool.is_go])
def test_every_pin_names_a_program_and_holds_its_hash(name: str) -> None:
    """Each folder of pins has a `tool` line, and a hash for the module that has the program."""
    sums = (Path(go_tools.__file__).parent / "pins" / "go" / name / "go.sum").read_text("utf-8")
    hashed = {tuple(line.split()[:2]) for line in sums.splitlines()}
    package, version = pinned_package(name), pinned_version(name)
    assert any(package.startswith(module) and found == version for module, found in hashed)


def test_program_is_built_once(
    pin: Path, tmp_path: Path, go: Path, seed_building: Callable[[Path], None]
) -> None:
    """The second call finds the program, builds nothing and says nothing."""
    said: list[str] = []
    seed_building(tmp_path / "kept")
    tools = GoTools(tmp_path / "kept", lambda _: go, said.append)
    program = tools.ensure("hello")
    assert program.read_bytes()[:4] == b"\x7fELF"
    assert said[0] == "fetching the modules of hello"
    assert said[-1].startswith("built hello in ")
    assert not list((tmp_path / "kept/tools/building").iterdir()), "caches are gone"
    assert GoTools(tmp_path / "kept", no_go, said.append).ensure("hello") == program
    (pin / "go.sum").write_text("\n", encoding="utf-8")
    assert tools.program("hello") != program, "another pin is another program"


def test_missing_proxy_is_told(tmp_path: Path, go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a module proxy there is one error that says how to name another."""
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:1")
    with pytest.raises(MachineError, match="a Go module proxy cannot be reached") as raised:
        GoTools(tmp_path, lambda _: go, lambda _: None).ensure("actionlint")
    assert raised.value.code == "no-network"


def test_old_or_broken_go_is_not_used(tmp_path: Path) -> None:
    """A Go that is too old for a pin, or that does not answer, is passed over."""
    for number, answer in enumerate(("go version go1.19.2 linux/amd64", "not found", "")):
        program = tmp_path / f"go{number}"
        program.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
        program.chmod(0o755)
        assert not is_new_enough(program, "actionlint")


@pytest.fixture
def go() -> Path:
    """A Go from PATH; a machine without one skips."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("there is no Go on PATH")
    return Path(found)


@pytest.fixture
def seed_building() -> Callable[[Path], None]:
    """Put the program's source where the pin is built, as a module would be."""

    def seed(kept: Path) -> None:
        place = GoTools(kept, no_go, lambda _: None).program("hello").parent
        source = kept / "tools" / "building" / place.name / "cmd"
        source.mkdir(parents=True)
        (source / "main.go").write_text(PROGRAM, encoding="utf-8")

    return seed
