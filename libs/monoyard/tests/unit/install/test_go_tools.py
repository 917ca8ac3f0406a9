"""Programs built from pinned Go modules, with a real Go where there is one."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from monoyard.errors import MachineError, ToolError
from monoyard.install import TABLE, Tool, go_tools
from monoyard.install.go_tools import (
    GoTools,
    is_new_enough,
    linker_flags,
    pinned_packages,
    pinned_tags,
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
QUICK_GO = """\
#!/bin/sh
mkdir -p "$GOCACHE" "$GOMODCACHE"
[ "$1" = list ] || [ ! -e {place}/fails ] || exit 1
while [ $# -gt 1 ]; do
  [ "$1" != -o ] || touch "$2"
  shift
done
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


@pytest.mark.parametrize("tool", [tool for tool in TABLE if tool.is_go], ids=lambda tool: tool.name)
def test_every_pin_names_a_program_and_holds_its_hash(tool: Tool) -> None:
    """Each folder of pins has a `tool` line, and a hash for the module that has the program."""
    name = tool.pin or tool.name
    sums = (Path(go_tools.__file__).parent / "pins" / "go" / name / "go.sum").read_text("utf-8")
    hashed = {tuple(line.split()[:2]) for line in sums.splitlines()}
    packages, version = pinned_packages(name), pinned_version(name)
    for package in packages:
        assert any(package.startswith(module) and found == version for module, found in hashed)
    assert len(packages) == 1 or tool.name in {package.split("/")[-1] for package in packages}


def test_versions_are_stamped() -> None:
    """A stamp is one variable for the version, or assignments that name its parts."""
    assert linker_flags("kubernetes", "") == "-s -w"
    assert linker_flags("kubernetes", "a.b") == "-s -w -X a.b=v1.34.4"
    assert linker_flags("kubernetes", "a={version} b={major} c={minor}") == (
        "-s -w -X a=v1.34.4 -X b=1 -X c=34"
    )


def test_build_tags_stand_in_the_pin() -> None:
    """They are part of what names the program, so another choice is another program."""
    assert pinned_tags("prometheus") == ("-tags=remove_all_sd,enable_kubernetes_sd",)
    assert pinned_tags("traefik") == ()


def test_programs_of_one_pin_are_built_together(
    pin: Path, tmp_path: Path, go: Path, seed_building: Callable[[Path], None]
) -> None:
    """A pin with two `tool` lines is built once, and both programs are there afterwards."""
    text = MODULE + "\ntool monoyard.dev/pins/hello/other\n"
    (pin / "go.mod").write_text(text, encoding="utf-8")
    said: list[str] = []
    seed_building(tmp_path / "kept")
    tools = GoTools(tmp_path / "kept", lambda _: go, said.append)
    assert tools.ensure("cmd", pin="hello").read_bytes()[:4] == b"\x7fELF"
    again = GoTools(tmp_path / "kept", no_go, said.append)
    assert again.ensure("other", pin="hello").name == "other"
    assert sum(line.startswith("built hello") for line in said) == 1


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


def test_builds_share_caches_until_the_last(
    pin: Path, tmp_path: Path, go: Path, seed_building: Callable[..., None]
) -> None:
    """What a build compiled serves those that are expected, and goes with the last of them."""
    names = ("hello", "again", "last")
    building = tmp_path / "kept/tools/building"
    tools = GoTools(tmp_path / "kept", lambda _: go, lambda _: None)
    for name in names:
        if name != pin.name:
            shutil.copytree(pin, pin.parent / name)
        seed_building(tmp_path / "kept", name)

    def compiled() -> int:
        return len(list((building / "shared" / "cache").glob("*/*-d")))

    tools.expect(names)
    tools.ensure("hello")
    first = compiled()
    tools.ensure("again")
    assert compiled() - first < first / 4, "the runtime is not compiled again"
    tools.ensure("last")
    assert not list(building.iterdir()), "caches are gone"


def test_what_was_interrupted_keeps_caches_for_a_day(
    pin: Path, tmp_path: Path, quick_go: Path
) -> None:
    """Another build that ends leaves the caches of one that was killed, unless it is long ago."""
    building = tmp_path / "kept/tools/building"
    tools = GoTools(tmp_path / "kept", lambda _: quick_go, lambda _: None)
    killed = building / "killed-0123456789abcdef"
    killed.mkdir(parents=True)
    tools.ensure("hello")
    assert {item.name for item in building.iterdir()} == {killed.name, "shared"}
    assert sorted(item.name for item in (building / "shared").iterdir()) == ["cache", "modules"]
    os.utime(killed, (0, 0))
    (pin / "go.sum").write_text("\n", encoding="utf-8")
    tools.ensure("hello")
    assert not list(building.iterdir())


@pytest.mark.usefixtures("pin")
def test_failed_build_keeps_caches(tmp_path: Path, quick_go: Path) -> None:
    """What a build that failed has fetched and compiled is there when it is tried again."""
    building = tmp_path / "kept/tools/building"
    tools = GoTools(tmp_path / "kept", lambda _: quick_go, lambda _: None)
    (tmp_path / "fails").touch()
    with pytest.raises(ToolError, match="cannot build hello"):
        tools.ensure("hello")
    assert (building / "shared" / "cache").is_dir()
    (tmp_path / "fails").unlink()
    tools.ensure("hello")
    assert not list(building.iterdir())


def test_little_room_shares_nothing(
    pin: Path, tmp_path: Path, quick_go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where little room is left, a build's caches go with it although others are expected."""
    shutil.copytree(pin, pin.parent / "again")
    building = tmp_path / "kept/tools/building"
    tools = GoTools(tmp_path / "kept", lambda _: quick_go, lambda _: None)
    monkeypatch.setattr(go_tools, "_ROOM", 1 << 60)
    tools.expect(["hello", "again"])
    tools.ensure("hello")
    assert [item.name for item in building.iterdir()] == [tools.program("again").parent.name]


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


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have room for what builds share, however full this machine is."""
    monkeypatch.setattr(go_tools, "_ROOM", 0)


@pytest.fixture
def quick_go(tmp_path: Path) -> Path:
    """What Go leaves behind, without compiling anything; a file `fails` lets it fail."""
    program = tmp_path / "quick_go"
    program.write_text(QUICK_GO.format(place=tmp_path), encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture
def seed_building() -> Callable[..., None]:
    """Put the program's source where the pin is built, as a module would be."""

    def seed(kept: Path, pin: str = "hello") -> None:
        place = GoTools(kept, no_go, lambda _: None).program(pin).parent
        for name in ("cmd", "other"):
            source = kept / "tools" / "building" / place.name / name
            source.mkdir(parents=True)
            (source / "main.go").write_text(PROGRAM, encoding="utf-8")

    return seed
