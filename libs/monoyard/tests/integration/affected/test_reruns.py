"""What runs again from a warm store, for each way an input can change; one module of a library."""

from __future__ import annotations

import os

import pytest

from .repository import Repository, everything_of, readers_of_sources, tasks

BASE = "packages/base/src/base/module.py"
OF_BASE = everything_of("base") | readers_of_sources("core", "app")
ALL = ("app", "base", "core", "other")
TABLE = '\n[tool.monoyard.suites.integration]\nenv = ["REGION"]\n'


def test_nothing_runs_again(repository: Repository) -> None:
    """Where nothing changed nothing runs."""
    assert repository.rerun() == set()


def test_time_only_again(repository: Repository) -> None:
    """A touched file runs nothing."""
    os.utime(repository.top / BASE, (1, 1))
    assert repository.rerun() == set()


def test_content_again(repository: Repository) -> None:
    """An edit runs the package's tasks and those of everybody above that read its sources."""
    repository.write(BASE, "VALUE = 2\n")
    assert repository.rerun() == OF_BASE


def test_same_size_and_time_again(repository: Repository) -> None:
    """An edit that keeps the size and puts the time back runs what any edit does."""
    path = repository.top / BASE
    before = path.stat()
    path.write_text("VALUE = 2\n", "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert repository.rerun() == OF_BASE


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_hidden_file_again(repository: Repository, flag: str) -> None:
    """An edit that git was told not to look at runs what any edit does."""
    repository.git("update-index", flag, BASE)
    assert repository.rerun() == set()
    repository.write(BASE, "VALUE = 2\n")
    assert repository.rerun() == OF_BASE


def test_untracked_module_again(repository: Repository) -> None:
    """A new module counts before git knows it, with a space and an accent in its name."""
    repository.write("packages/base/src/base/nouveau modèle.py", "VALUE = 1\n")
    assert repository.rerun() == OF_BASE


def test_ignored_file_again(repository: Repository) -> None:
    """A new file that git ignores runs nothing."""
    repository.write("packages/base/.gitignore", "*.log\n")
    repository.learn()
    repository.write("packages/base/src/base/run.log", "x")
    assert repository.rerun() == set()


def test_module_deleted_again(repository: Repository) -> None:
    """A module that is gone runs what an edit of it does."""
    (repository.top / BASE).unlink()
    assert repository.rerun() == OF_BASE


def test_root_configuration_again(repository: Repository) -> None:
    """A new `ruff.toml` at the root runs every lint, and every command, which may read it."""
    repository.write("ruff.toml", "line-length = 90\n")
    assert repository.rerun() == set(tasks(*ALL, suites=("lint", "integration")))


def test_undeclared_variable_again(repository: Repository) -> None:
    """A variable that nobody declares runs nothing, and no task sees it."""
    assert repository.rerun(REGION="north") == set()


def test_declared_variable_again(repository: Repository) -> None:
    """Another value of a declared variable runs the suite that declares it."""
    manifest = repository.top / "packages/base/pyproject.toml"
    manifest.write_text(manifest.read_text("utf-8") + TABLE, "utf-8")
    repository.learn(REGION="north")
    assert repository.rerun(REGION="north") == set()
    assert repository.rerun(REGION="south") == {"base:integration"}
    assert repository.rerun() == {"base:integration"}


def test_file_mode_again(repository: Repository) -> None:
    """A file that becomes executable runs what an edit does."""
    (repository.top / BASE).chmod(0o755)
    assert repository.rerun() == OF_BASE


def test_taken_back_again(repository: Repository) -> None:
    """A file that is again what it was runs nothing."""
    text = (repository.top / BASE).read_text("utf-8")
    repository.write(BASE, "VALUE = 2\n")
    repository.learn()
    repository.write(BASE, text)
    assert repository.rerun() == set()


def test_committed_again(repository: Repository) -> None:
    """A commit of what has passed runs nothing."""
    repository.write(BASE, "VALUE = 2\n")
    repository.learn()
    repository.commit()
    assert repository.rerun() == set()
