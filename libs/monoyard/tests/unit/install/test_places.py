"""Where things are kept, and which interpreters there are."""

import sys
from pathlib import Path

import pytest

from monoyard.install import LocalInterpreters, cache_directory, is_ci, state_directory


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"MONOYARD_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/monoyard"),
    ],
)
def test_cache_directory_can_be_chosen(environment: dict[str, str], place: str) -> None:
    """The variable of our own wins, then the XDG one."""
    assert cache_directory(environment) == Path(place)


def test_cache_directory_is_the_platforms_usual_one() -> None:
    """Without a variable it is where the platform keeps caches, below the home directory."""
    usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
    assert cache_directory({"HOME": "/c"}) == Path("/c") / usual / "monoyard"


def test_state_directory_is_ignored_by_git(tmp_path: Path) -> None:
    """The checkout's own state carries a file that makes git ignore it; making it twice is fine."""
    assert state_directory(tmp_path) == state_directory(tmp_path) == tmp_path / ".monoyard"
    assert (tmp_path / ".monoyard" / ".gitignore").read_text("utf-8") == "*\n"


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
