"""A copy of a committed repository with a warm store for each test."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from monoyard.install.uv import installer_environment

from .edits import Edits
from .repository import LOCK, ROOT, WITNESS, Repository, Verdicts


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Path, Verdicts]:
    """Return a directory with a committed repository and a warm store, and what is in that.

    Venvs are installed once for all workers.
    """
    base = tmp_path_factory.getbasetemp()
    venvs = (base if worker_id == "master" else base.parent) / "affected-venvs"
    venvs.mkdir(exist_ok=True)
    place = tmp_path_factory.mktemp("warm")
    (place / "home").mkdir()
    (place / "cache").mkdir()
    (place / "cache" / "venvs").symlink_to(venvs)
    (place / "home" / ".gitconfig").write_text(
        '[user]\nname = t\nemail = t@example.org\n[protocol "file"]\nallow = always\n', "utf-8"
    )
    found = _repository_at(place)
    found.top.mkdir()
    found.git("init", "-q", "-b", "main")
    found.write("pyproject.toml", ROOT.format(witness=WITNESS))
    found.write("requirements.txt", LOCK)
    found.write("noxfile.py", "")
    found.write("README.md", "")
    found.package("base")
    found.package("core", "base", imports="import base.module\n")
    found.package("app", "core", imports="import core.module\n")
    found.package("other")
    found.commit()
    found.git("checkout", "-qb", "work")
    verdicts = found.learn()
    assert {outcome for outcome, _ in verdicts.values()} == {"pass"}, verdicts
    return place, verdicts


@pytest.fixture
def repository(
    tmp_path: Path, warm: tuple[Path, Verdicts], monkeypatch: pytest.MonkeyPatch
) -> Repository:
    """Return a copy of the warm repository, on a branch of its own, cut from `main`."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "GITLAB_"))]:
        monkeypatch.delenv(name)
    found = _copy(warm, tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, found.environment[name])
    return found


@pytest.fixture(params=[Edits])
def edits(warm: tuple[Path, Verdicts], request: pytest.FixtureRequest) -> type[Edits]:
    """Return random edits of copies of the warm repository, of a kind."""
    return type("EditsOfCopies", (request.param,), {"copy": staticmethod(partial(_copy, warm))})


def _copy(warm: tuple[Path, Verdicts], place: Path) -> Repository:
    source, verdicts = warm
    for name in ("home", "top"):
        shutil.copytree(source / name, place / name, symlinks=True)
    shutil.copytree(source / "cache" / "store", place / "cache" / "store")
    (place / "cache" / "venvs").symlink_to(source / "cache" / "venvs")
    found = _repository_at(place)
    found.git("update-index", "-q", "--refresh")
    found.first_commit, found.first = found.git("rev-parse", "HEAD").strip(), verdicts
    return found


def _repository_at(place: Path) -> Repository:
    home = str(place / "home")
    environment = {
        **installer_environment(),
        "PATH": os.environ["PATH"],
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "MONOYARD_CACHE_DIR": str(place / "cache"),
    }
    return Repository(place / "top", environment)
