"""Versions of programs on PATH: asked once, and never remembered beyond their file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from monoyard.errors import MachineError
from monoyard.install.probes import Probes

# A compiled program that is on every machine and prints what it is told.
ECHO = shutil.which("echo") or "/bin/echo"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a compiled program of our own."""
    place = tmp_path / "tool"
    shutil.copy(os.path.realpath(ECHO), place)
    return place


def broken(program: Path) -> None:
    """Have a program that cannot be started, without a change that its state tells."""
    program.chmod(0o644)


def test_compiled_program_is_asked_once(program: Path, tmp_path: Path) -> None:
    """Another run does not start a program whose file is what it was."""
    kept = tmp_path / "kept" / "probes.json"
    assert Probes(kept).ask(str(program), ("1.2",)) == "1.2\n"
    broken(program)
    assert Probes(kept).ask(str(program), ("1.2",)) == "1.2\n"
    with pytest.raises(MachineError, match="cannot run"):
        Probes(kept).ask(str(program), ("1.3",))


def test_replaced_program_is_asked_again(program: Path, tmp_path: Path) -> None:
    """A new file of the same name is a new program, even of the same size and age."""
    kept = tmp_path / "probes.json"
    before = program.stat()
    Probes(kept).ask(str(program), ("1.2",))
    other = tmp_path / "other"
    shutil.copy(program, other)
    other.replace(program)
    os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))
    broken(program)
    with pytest.raises(MachineError, match="cannot run"):
        Probes(kept).ask(str(program), ("1.2",))


def test_script_is_asked_every_time(tmp_path: Path) -> None:
    """A shim starts whatever is chosen today, although its own file never changes."""
    chosen = tmp_path / "chosen"
    shim = tmp_path / "shim"
    shim.write_text(f"#!/bin/sh\ncat {chosen}\n", encoding="utf-8")
    shim.chmod(0o755)
    said = []
    for version in ("1.2", "1.3"):
        chosen.write_text(version, encoding="utf-8")
        said.append(Probes(tmp_path / "probes.json").ask(str(shim), ()))
    assert said == ["1.2", "1.3"]


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b'{"x": 1}', b"\xff"])
def test_damaged_answers_are_asked_for_again(program: Path, tmp_path: Path, damage: bytes) -> None:
    """A file that cannot be read costs a question, and is whole again after it."""
    kept = tmp_path / "probes.json"
    kept.write_bytes(damage)
    assert Probes(kept).ask(str(program), ("1.2",)) == "1.2\n"
    broken(program)
    assert Probes(kept).ask(str(program), ("1.2",)) == "1.2\n"


def test_place_that_cannot_be_written_costs_nothing_else(program: Path) -> None:
    """Without a place to keep answers the program is asked, and nothing fails."""
    assert Probes(Path("/dev/null/probes.json")).ask(str(program), ("1.2",)) == "1.2\n"
