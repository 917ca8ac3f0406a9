"""Venvs by content: made once, whole or not at all, with clear words where that fails."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monoyard.errors import ConfigurationError, MachineError, ToolError
from monoyard.install import LocalInterpreters, Tools, Venvs, run_uv
from monoyard.suites import VenvSpec

PYTHON = LocalInterpreters().default()
EMPTY = VenvSpec(PYTHON)


@pytest.fixture
def said() -> list[str]:
    """What was announced."""
    return []


@pytest.fixture
def venvs(tmp_path: Path, said: list[str]) -> Venvs:
    """Venvs in an empty directory, for a work tree beside it."""
    (tmp_path / "top").mkdir()
    return Venvs(tmp_path / "kept", tmp_path / "top", said.append)


def locked(top: Path, text: str) -> VenvSpec:
    """Write a lock into a work tree and return its spec."""
    (top / "lock.txt").write_text(text, encoding="utf-8")
    return VenvSpec(PYTHON, "lock.txt", "digest")


def test_venv_is_made_once(venvs: Venvs, said: list[str]) -> None:
    """A venv is made when it is first asked for, by the base interpreter, and then used."""
    place = venvs.ensure(EMPTY)
    assert venvs.ensure(EMPTY) == place == venvs.path(EMPTY)
    assert said == [f"installing 0 requirements for Python {PYTHON.minor}"]
    asked = subprocess.run(
        (str(place / "bin" / "python"), "-c", "import platform; print(platform.python_version())"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip() == PYTHON.version


def test_venv_asked_for_at_once_is_made_once(venvs: Venvs, said: list[str]) -> None:
    """Of several that want the same venv one makes it, and the others wait."""
    with ThreadPoolExecutor(4) as pool:
        places = set(pool.map(venvs.ensure, [EMPTY] * 4))
    assert (len(places), len(said)) == (1, 1)


def test_half_made_venv_is_made_anew(venvs: Venvs, said: list[str]) -> None:
    """What a killed installation left is thrown away."""
    rubbish = venvs.path(EMPTY) / "bin" / "python"
    rubbish.parent.mkdir(parents=True)
    rubbish.touch()
    assert (venvs.ensure(EMPTY) / "bin" / "python").stat().st_size > 0
    assert len(said) == 1


def test_lock_without_hashes_is_refused(venvs: Venvs, tmp_path: Path) -> None:
    """A lock that does not fix the files it installs is a fault of the configuration."""
    with pytest.raises(ConfigurationError, match=r"lock\.txt has no hashes") as caught:
        venvs.ensure(locked(tmp_path / "top", "pytest==9.2.0\n"))
    assert "--generate-hashes" in (caught.value.hint or "")


def test_unreachable_index_is_told(
    venvs: Venvs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network one error says so, with a hint, and nothing half-made counts."""
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    spec = locked(tmp_path / "top", f"pytest==9.2.0 --hash=sha256:{'0' * 64}\n")
    for _ in range(2):
        with pytest.raises(MachineError, match="a package index cannot be reached") as caught:
            venvs.ensure(spec)
        assert caught.value.code == "no-network"
        assert "connect once" in (caught.value.hint or "")


def test_other_failures_show_what_uv_said(tmp_path: Path) -> None:
    """Where uv fails for another reason, its last words are the context."""
    with pytest.raises(ToolError, match="cannot do this") as caught:
        run_uv(("pip", "install", "--no-such-option"), cwd=tmp_path, doing="do this")
    assert caught.value.code == "install-failed"
    assert any("--no-such-option" in line for line in caught.value.context)


def test_equal_contents_share_a_venv() -> None:
    """The name of a venv follows from interpreter, lock and requirements, and from nothing else."""
    assert VenvSpec(PYTHON, "a.txt", "1").key == VenvSpec(PYTHON, "b.txt", "1").key
    keys = {
        VenvSpec(PYTHON).key, VenvSpec(PYTHON, "a.txt", "1").key,
        VenvSpec(PYTHON, "a.txt", "2").key, VenvSpec(PYTHON, requirements=("x",)).key,
    }  # fmt: skip
    assert len(keys) == 4


def test_tools_are_not_fetched_to_tell_their_version(venvs: Venvs, said: list[str]) -> None:
    """A tool that is not here yet is said to be fetched when first used, and is not fetched now."""
    tools = Tools(venvs, LocalInterpreters())
    assert tools.installed_version("ruff") == "fetched when first used"
    assert tools.installed_version("uv").startswith("uv ")
    assert said == []
