"""`invoke affected` after an edit goes by what it remembers of what tasks read, and says the same.

The random edits hold the answer by memory against the one without, too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from unittest import mock

import pytest

from monoyard.plan import Reads, Sourced
from monoyard.workspace import Workspace

from .repository import Repository

MODULE = "packages/base/src/base/module.py"
BARE = '[project]\nname = "base"\n'
TEST = "packages/core/tests/unit/test_it.py"

Edit = Callable[[Repository], object]


@pytest.fixture(name="repository")
def remembering(repository: Repository) -> Repository:
    """The repository, of which it is remembered what tasks read."""
    repository.remember()
    return repository


def _is_remembered(repository: Repository, since: str | None = None) -> bool:
    """Ask what is affected; say whether tasks were not made for that."""
    used = []
    tasks = Reads.tasks

    def spy(self: Reads, workspace: Workspace) -> Sourced | None:
        found = tasks(self, workspace)
        used.append(found is not None)
        return found

    with mock.patch.object(Reads, "tasks", spy):
        by_memory = repository.causes(since)
    shutil.rmtree(repository.top / ".monoyard" / "seen")
    assert repository.causes(since) == by_memory
    return used == [True]


@pytest.mark.parametrize(
    "edit",
    [
        lambda repository: repository.write(MODULE, "VALUE = 2\n"),
        lambda repository: repository.write(TEST, "import core\n\nVALUE = 2\n"),
        lambda repository: repository.write(
            "packages/app/src/app/module.py", "from core import module\n"
        ),
        lambda repository: repository.git("status"),
    ],
    ids=["source", "test", "the same imports", "nothing"],
)
def test_edit_that_leaves_imports_alone_is_answered_by_memory(
    repository: Repository, edit: Edit
) -> None:
    """Python files that were there and import what they did need no task to be made."""
    edit(repository)
    assert _is_remembered(repository)


@pytest.mark.parametrize(
    "edit",
    [
        lambda repository: repository.write(MODULE, "import other\nVALUE = 1\n"),
        lambda repository: repository.write("packages/base/src/base/new.py", ""),
        lambda repository: (repository.top / MODULE).unlink(),
        lambda repository: repository.write("packages/base/data.txt", "new\n"),
        lambda repository: repository.write("packages/base/README.md", "other\n"),
        lambda repository: repository.write("packages/base/pyproject.toml", BARE),
        lambda repository: repository.write("packages/conftest.py", ""),
        lambda repository: repository.configure("[tool.pytest.ini_options]\n"),
        lambda repository: repository.git("mv", MODULE, "packages/base/src/base/moved.py"),
        lambda repository: repository.git("branch", "another"),
        lambda repository: (repository.top / "packages/base/link.py").symlink_to("README.md"),
    ],
    ids=[
        "import", "new module", "no module", "new file", "no Python", "manifest", "conftest",
        "settings", "renamed", "branch", "link",
    ],
)  # fmt: skip
def test_what_can_alter_tasks_has_them_made_again(repository: Repository, edit: Edit) -> None:
    """What is not an edit of a Python file with its imports is not answered by memory."""
    edit(repository)
    assert not _is_remembered(repository)


def test_conftest_that_is_read_for_more_than_imports(repository: Repository) -> None:
    """A `conftest.py` around another package can begin to name modules without importing them."""
    inner = "packages/other/inner"
    repository.write(f"{inner}/pyproject.toml", '[project]\nname = "inner"\nversion = "0.1.0"\n')
    repository.write(f"{inner}/tests/unit/test_it.py", "")
    repository.write("packages/other/conftest.py", "VALUE = 1\n")
    repository.edit("pyproject.toml", '"packages/*"', '"packages/*", "packages/*/*"')
    repository.configure("[tool.pytest.ini_options]\n")
    repository.settle()
    repository.remember()
    repository.write("packages/other/conftest.py", "pytest_plugins = ['other.plugin']\n")
    assert not _is_remembered(repository)


def test_module_that_another_base_had(repository: Repository) -> None:
    """Counted from `main` no module is new, but the memory is of a tree without it."""
    text = (repository.top / MODULE).read_text("utf-8")
    repository.git("rm", "-q", MODULE)
    repository.commit()
    repository.remember("HEAD")
    repository.write(MODULE, text)
    assert not _is_remembered(repository, "main")


def test_imports_that_another_base_had(repository: Repository) -> None:
    """Counted from `main` nothing about imports changed, but the memory is of a tree with more."""
    repository.write(MODULE, "import other\nVALUE = 1\n")
    repository.commit()
    repository.remember("HEAD")
    repository.write(MODULE, "VALUE = 2\n")
    assert not _is_remembered(repository, "main")


def test_damaged_memory_is_none(repository: Repository) -> None:
    """What was torn or altered on disk is not believed, and is written again."""
    (kept,) = (repository.top / ".monoyard" / "seen").iterdir()
    data = kept.read_bytes()
    for damaged in (data[:100], b"", data.replace(b"base", b"core"), os.urandom(200)):
        kept.write_bytes(damaged)
        repository.write(MODULE, "VALUE = 2\n")
        assert not _is_remembered(repository)
