"""Who is affected, and what runs, where files are reached through symbolic links."""

from __future__ import annotations

from pathlib import Path

import pytest

from .repository import Repository, everything_of, readers_of_sources, tasks

OTHER = "packages/other/src/other/module.py"
LINKED = "packages/app/src/app/linked.py"


def _link(repository: Repository, path: str, target: str) -> None:
    place = repository.top / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def _expect(repository: Repository, path: str = OTHER) -> None:
    """Assert that an edit of `other` is one of `app` as well, in keys and in causes."""
    repository.settle()
    repository.learn()
    repository.write(path, "VALUE = 3\n")
    assert repository.rerun() == everything_of("other", "app")
    assert repository.affected() == tasks("other", "app")


def test_chain_of_links(repository: Repository) -> None:
    """A link to a link reads what the last one leads to."""
    _link(repository, "packages/other/src/other/near.py", "module.py")
    _link(repository, LINKED, "../../../other/src/other/near.py")
    _expect(repository)


def test_link_to_a_directory(repository: Repository) -> None:
    """A link to a directory reads every file below it, new ones too."""
    _link(repository, "packages/app/data", "../other/src")
    _expect(repository, "packages/other/src/other/new.py")


def test_link_through_a_linked_directory(repository: Repository) -> None:
    """A link whose path leads through another link reads what is there in the end."""
    _link(repository, "packages/app/data", "../other/src")
    _link(repository, LINKED, "../../data/other/module.py")
    _expect(repository)


def test_link_above_a_linked_directory(repository: Repository) -> None:
    """Two dots after a linked directory mean the directory above what it leads to."""
    repository.write("packages/other/deep/keep", "")
    _link(repository, "packages/core/door", "../other/deep")
    repository.settle()
    _link(repository, LINKED, "../../../core/door/../src/other/module.py")
    assert "VALUE = 1" in (repository.top / LINKED).read_text("utf-8")
    _expect(repository)


def test_link_that_is_turned(repository: Repository) -> None:
    """A link in the middle of a chain that leads elsewhere now affects who reads through it."""
    repository.write("packages/other/src/other/second.py", "VALUE = 9\n")
    _link(repository, "packages/other/src/other/near.py", "module.py")
    _link(repository, LINKED, "../../../other/src/other/near.py")
    repository.settle()
    repository.learn()
    (repository.top / "packages/other/src/other/near.py").unlink()
    _link(repository, "packages/other/src/other/near.py", "second.py")
    assert repository.rerun() == everything_of("other", "app")
    assert repository.affected() == tasks("other", "app")


def test_target_that_is_gone(repository: Repository) -> None:
    """A link whose target was deleted affects who reads through it."""
    _link(repository, LINKED, "../../../other/src/other/module.py")
    repository.settle()
    (repository.top / OTHER).unlink()
    assert repository.affected().keys() == tasks("other", "app").keys()


@pytest.mark.parametrize("target", ["..", "../..", "../../packages"])
def test_link_to_a_directory_above(repository: Repository, target: str) -> None:
    """Links to a directory that they lie in are followed once, not for ever."""
    for name in ("up", "up again", "and again"):
        _link(repository, f"packages/app/{name}", target)
    _expect(repository)


def test_links_in_a_ring(repository: Repository) -> None:
    """Links that lead to each other lead nowhere, and that is no fault."""
    _link(repository, "packages/app/first", "second")
    _link(repository, "packages/app/second", "first")
    assert repository.planned() == tasks("app")
    assert repository.rerun() == everything_of("app")


def test_link_to_an_ignored_file(repository: Repository) -> None:
    """Who links to a file that git ignores is affected: what it was at the base nobody knows."""
    repository.write(".gitignore", "*.out\n")
    repository.write("packages/other/made.out", "1\n")
    (repository.top / "packages/app/src/app/link").symlink_to("../../../other/made.out")
    repository.settle()
    repository.write("packages/other/made.out", "2\n")
    assert repository.affected() == tasks("app")


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_link_out_of_the_repository(repository: Repository, tmp_path: Path, kind: str) -> None:
    """What lies outside the repository is in the key of who links to it; git knows no change."""
    outside = tmp_path / "outside" / "data.txt"
    outside.parent.mkdir()
    outside.write_text("first", "utf-8")
    target = outside if kind == "file" else outside.parent
    _link(repository, "packages/app/data", str(target))
    repository.settle()
    repository.learn()
    outside.write_text("other", "utf-8")
    assert repository.rerun() == everything_of("app")
    assert repository.affected() == {}


def test_import_behind_a_link(repository: Repository) -> None:
    """What a linked module imports is a dependency of the package that links to it."""
    repository.write("shared/part.py", "VALUE = 1\n")
    repository.configure('[tool.monoyard.files]\n"shared/**" = []\n')
    _link(repository, "packages/other/src/other/part.py", "../../../../shared/part.py")
    repository.settle()
    assert repository.affected() == {}
    repository.write("shared/part.py", "import base.module\n")
    repository.settle()
    repository.learn()
    repository.write("packages/base/src/base/module.py", "VALUE = 2\n")
    expected = everything_of("base") | readers_of_sources("core", "app", "other")
    assert repository.rerun() == expected
