"""Which interpreters there are, and whether a CI system asks."""

import sys
from pathlib import Path

import pytest

from monoyard.install import LocalInterpreters, is_ci


@pytest.mark.parametrize(
    ("value", "answer"),
    [("true", True), ("1", True), ("", False), ("0", False), ("False", False), (None, False)],
)
def test_ci_is_what_says_so(value: str | None, *, answer: bool) -> None:
    """`CI` counts where it is set to something else than `false`, `0` or nothing."""
    assert is_ci({} if value is None else {"CI": value}) is answer


def test_default_interpreter_is_outside_the_venv() -> None:
    """The interpreter for venvs is the one under our own, so that venvs do not build on venvs."""
    found = LocalInterpreters().default()
    assert found.path.samefile(getattr(sys, "_base_executable", sys.executable))
    assert found.version == ".".join(str(part) for part in sys.version_info[:3])
    assert LocalInterpreters().find(found.minor) == found


def shim(place: Path, name: str, script: str) -> None:
    """Write a program."""
    (place / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (place / name).chmod(0o755)


def test_interpreters_are_asked_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program on PATH counts by what it answers: broken shims and other versions are none."""
    answer = "printf '/opt/python\\n3.9.7\\ncpython\\nlinux-x\\n'"
    for name, script in (("python3.8", "exit 1"), ("python3.10", answer), ("python3.9", answer)):
        shim(tmp_path, name, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    interpreters = LocalInterpreters()
    assert interpreters.find("3.8") is None
    assert interpreters.find("3.10") is None
    found = interpreters.find("3.9")
    assert found is not None
    assert (found.path, found.identity) == (Path("/opt/python"), "cpython-3.9.7-linux-x")


def test_newest_allowed_interpreter_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own interpreter where it is allowed, else the newest one on PATH that is, else none."""
    answer = "printf '/opt/python\\n{}.7\\ncpython\\nlinux-x\\n'"
    for minor in ("3.9", "3.10"):
        shim(tmp_path, f"python{minor}", answer.format(minor))
    monkeypatch.setenv("PATH", str(tmp_path))
    interpreters = LocalInterpreters()
    assert interpreters.newest_allowed(">=3.9") == interpreters.default()
    older = interpreters.newest_allowed("<3.11")
    assert older is not None
    assert older.minor == "3.10"
    assert interpreters.newest_allowed("<3.9") is None
    assert interpreters.newest_allowed("") == interpreters.default()
