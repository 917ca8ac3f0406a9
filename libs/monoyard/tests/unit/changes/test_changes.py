from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from monoyard.changes import Base, Changes, Event
from monoyard.errors import RepositoryError

from .conftest import Clone

ROOT = '[tool.monoyard]\nmembers = ["packages/*"]\nlock = "locks/all.txt"\n'
CORE = "packages/core/core.py"


@pytest.fixture
def packages(clone: Clone) -> Clone:
    """A committed repository of two packages: `app` imports `core`."""
    clone.write("pyproject.toml", ROOT)
    clone.write("locks/all.txt", "a==1\n")
    for name, text in (("core", "VALUE = 1\n"), ("app", "import core\n")):
        clone.write(f"packages/{name}/pyproject.toml", f'[project]\nname = "{name}"\n')
        clone.write(f"packages/{name}/{name}.py", text)
        clone.write(f"packages/{name}/data.txt", name)
    clone.commit()
    return clone


def paths(clone: Clone) -> set[str]:
    """Return what differs from the last commit."""
    return set(clone.changes(since="HEAD").paths)


def test_a_clean_tree_differs_in_nothing(packages: Clone) -> None:
    """Two equal states have no difference, and the base is known with its files."""
    found = packages.changes(since="HEAD")
    assert (found.paths, found.before) == (frozenset(), None)
    assert found.base == Base(packages.head, "where HEAD and `HEAD` parted")
    assert found.tree is not None
    assert found.tree.read(CORE) == b"VALUE = 1\n"


def test_the_settings_name_the_branch_to_compare_with(packages: Clone) -> None:
    """What `default-branch` says is where changes are counted from, with nothing typed."""
    packages.write("pyproject.toml", f'{ROOT}default-branch = "develop"\n')
    packages.commit()
    parted = packages.head
    packages.git("branch", "develop")
    packages.write("packages/core/new.txt", "x")
    packages.commit()
    found = packages.changes()
    assert found.base == Base(parted, "where this branch left `develop`")
    assert found.paths == {"packages/core/new.txt"}


def test_every_kind_of_difference_is_found(packages: Clone) -> None:
    """Committed, staged, unstaged, untracked, gone, renamed and made executable: all count."""
    packages.write("packages/core/committed.txt", "x")
    first = packages.head
    packages.commit()
    packages.write("packages/core/staged.txt", "x")
    packages.git("add", "--all")
    packages.write(CORE, "VALUE = 2\n")
    packages.write("packages/core/untracked.txt", "x")
    packages.git("mv", "packages/app/data.txt", "packages/app/renamed.txt")
    (packages.top / "locks/all.txt").unlink()
    (packages.top / "packages/app/app.py").chmod(0o755)
    assert packages.changes(since=first).paths == {
        "packages/core/committed.txt", "packages/core/staged.txt", CORE,
        "packages/core/untracked.txt", "packages/app/data.txt", "packages/app/renamed.txt",
        "locks/all.txt", "packages/app/app.py",
    }  # fmt: skip


def test_what_is_taken_back_differs_in_nothing(packages: Clone) -> None:
    """States are compared, not the steps between them."""
    first = packages.head
    packages.write(CORE, "VALUE = 2\n")
    packages.commit()
    packages.write(CORE, "VALUE = 1\n")
    assert packages.changes(since=first).paths == frozenset()


def test_ignored_files_are_no_difference(packages: Clone) -> None:
    """What git ignores is no file of either state."""
    packages.write(".git/info/exclude", "*.log\n")
    packages.write("packages/core/run.log", "x")
    assert paths(packages) == set()


def test_line_ends_that_git_converts_are_no_difference(packages: Clone) -> None:
    """A file whose bytes differ from the commit only by line ends is unchanged until edited."""
    packages.write(".gitattributes", "*.py text eol=crlf\n")
    packages.commit()
    packages.write(CORE, "VALUE = 1\r\n")
    packages.write("packages/core/new.py", "x = 1\r\n")
    assert paths(packages) == {"packages/core/new.py"}
    packages.write(CORE, "VALUE = 2\r\n")
    assert paths(packages) == {"packages/core/new.py", CORE}


@pytest.mark.parametrize("hide", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_was_told_not_to_look_at_are_looked_at(packages: Clone, hide: str) -> None:
    """An edit is found though git was told to overlook it, and line ends are still none."""
    packages.write(".gitattributes", "*.py text eol=crlf\n")
    packages.commit()
    packages.git("update-index", hide, CORE, "packages/app/app.py")
    packages.write(CORE, "VALUE = 1\r\n")
    assert paths(packages) == set()
    packages.write(CORE, "VALUE = 2\r\n")
    packages.write("packages/app/app.py", "import core\r\n")
    assert paths(packages) == {CORE}


@pytest.mark.parametrize(
    ("name", "differs"), [("\udce4.py", False), ("ä.py", False), ("a\nb.py", True)]
)
def test_odd_names_that_git_was_told_not_to_look_at(
    packages: Clone, name: str, differs: bool
) -> None:
    """Line ends are no difference in a file of any name but one that git cannot be asked about."""
    path = f"packages/core/{name}"
    packages.write(".gitattributes", "*.py text eol=crlf\n")
    packages.write(path, "VALUE = 1\n")
    packages.commit()
    packages.git("update-index", "--assume-unchanged", path)
    packages.write(path, "VALUE = 1\r\n")
    assert paths(packages) == ({path} if differs else set())
    packages.write(path, "VALUE = 2\r\n")
    assert paths(packages) == {path}


def test_files_that_the_base_lacks_may_be_hidden_from_git(packages: Clone) -> None:
    """A new file that git was told not to look at differs, converted line ends or not."""
    first = packages.head
    packages.write(".gitattributes", "*.py text eol=crlf\n")
    packages.write("packages/core/new.py", "VALUE = 1\n")
    packages.write("packages/core/new.txt", "new")
    packages.commit()
    packages.git("update-index", "--assume-unchanged", "packages/core/new.py")
    packages.git("update-index", "--assume-unchanged", "packages/core/new.txt")
    packages.write(CORE, "VALUE = 1\r\n")
    new = {".gitattributes", "packages/core/new.py", "packages/core/new.txt"}
    assert packages.changes(since=first).paths == new


def test_an_edit_that_git_overlooks_is_a_difference(packages: Clone) -> None:
    """Same size and same time, where git looks at nothing else: the bytes on disk count."""
    packages.git("config", "core.trustctime", "false")
    for text in ("VALUE = 1\n", "VALUE = 2\n"):
        packages.write(CORE, text)
        os.utime(packages.top / CORE, (1, 1))
        if text == "VALUE = 1\n":
            packages.git("add", "--all")
    assert packages.git("status", "--porcelain") == ""
    assert paths(packages) == {CORE}


def test_links_differ_with_what_is_behind_them(packages: Clone) -> None:
    """A link to a file or a directory that differs, or lost a file, differs as well."""
    inside = packages.top / "packages/app"
    (inside / "file").symlink_to("../core/core.py")
    (inside / "directory").symlink_to("../core")
    (inside / "again").symlink_to("directory")
    (inside / "other").symlink_to("../app/data.txt")
    packages.commit()
    through = {"packages/app/directory", "packages/app/again"}
    packages.write(CORE, "VALUE = 2\n")
    assert paths(packages) == {CORE, "packages/app/file", *through}
    packages.write(CORE, "VALUE = 1\n")
    (packages.top / "packages/core/data.txt").unlink()
    assert paths(packages) == {"packages/core/data.txt", *through}
    packages.write("packages/core/data.txt", "core")
    (packages.top / CORE).unlink()
    assert paths(packages) == {CORE, "packages/app/file", *through}


def test_links_to_everything_and_to_elsewhere(packages: Clone, tmp_path: Path) -> None:
    """A link to the top lost what the repository lost; one that leaves the repository nothing."""
    inside = packages.top / "packages/app"
    (inside / "whole").symlink_to("../..")
    (inside / "outside").symlink_to(tmp_path)
    (inside / "ring").symlink_to("ring")
    packages.commit()
    (packages.top / "packages/core/data.txt").unlink()
    assert paths(packages) == {"packages/core/data.txt", "packages/app/whole"}


def test_a_link_to_a_directory_that_is_gone_differs(packages: Clone) -> None:
    """A link that leads to nothing now differs, one to a directory called alike does not."""
    packages.write("packages/corefiles/data.txt", "kept")
    for target in ("core", "corefiles"):
        (packages.top / "packages/app" / f"to-{target}").symlink_to(f"../{target}")
    packages.commit()
    shutil.rmtree(packages.top / "packages/core")
    found = paths(packages)
    assert {path for path in found if "/to-" in path} == {"packages/app/to-core"}


def test_an_unknown_base_says_why_and_nothing_else(packages: Clone) -> None:
    """Where there is no base there are no paths that anyone could mistake for all."""
    found = packages.changes(event=Event("push", is_first_push=True, is_default_branch=True))
    reason = "the default branch was pushed for the first time"
    assert found == Changes(Base(None, "", reason))


def test_a_base_whose_files_are_lost_is_unknown_unless_it_was_typed(packages: Clone) -> None:
    """A commit without its trees cannot be compared: CI runs everything, a person is told."""
    first = packages.head
    tree = packages.git("rev-parse", "HEAD^{tree}")
    packages.write(CORE, "VALUE = 2\n")
    packages.commit()
    lost = packages.top / ".git/objects" / tree[:2] / tree[2:]
    lost.unlink()
    found = packages.changes(event=Event("push", base_commit=first))
    assert found == Changes(Base(None, "", "the base cannot be read: git ls-tree failed"))
    with pytest.raises(RepositoryError, match="git ls-tree failed"):
        packages.changes(since=first)


def test_a_base_with_faults_in_its_settings_is_unknown(packages: Clone) -> None:
    """Packages that nobody can name cannot be compared; the paths are known all the same."""
    packages.write("pyproject.toml", ROOT.replace("members", "membres"))
    packages.commit()
    packages.write("pyproject.toml", ROOT)
    found = packages.changes(since="HEAD")
    assert (found.base.commit, found.base.how) == (None, "")
    assert found.base.unknown.startswith("the configuration at the base has faults: pyproject.toml")
    assert found.paths == {"pyproject.toml"}
    assert (found.before, found.tree) == (None, None)


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "packages/core/pyproject.toml",
        "packages/core/package.json",
        "packages/core/settings.yaml",
        "packages/core/mypy.ini",
        "packages/core/setup.cfg",
        "packages/core/.coveragerc",
        "packages/core/new.py",
        "packages/core/new.pyi",
        "locks/all.txt",
        "loose.txt",
    ],
)
def test_the_base_is_read_where_more_than_files_can_differ(packages: Clone, path: str) -> None:
    """Settings, manifests, locks, new modules and files of nobody can change who is affected."""
    place = packages.top / path
    known = place.read_text(encoding="utf-8") if place.exists() else ""
    packages.write(path, f"{known}\n" if not path.endswith(".json") else "{}")
    found = packages.changes(since="HEAD")
    assert found.before is not None
    assert found.before.packages.keys() == {"app", "core"}
    assert found.base == Base(packages.head, "where HEAD and `HEAD` parted")


def test_a_lost_file_has_the_base_read(packages: Clone) -> None:
    """A file that is gone may have been a package, or a module that others import."""
    (packages.top / "packages/core/data.txt").unlink()
    assert packages.changes(since="HEAD").before is not None


def test_a_lost_package_is_known_to_the_base(packages: Clone) -> None:
    """The workspace of the base has what the work tree no longer has."""
    shutil.rmtree(packages.top / "packages/core")
    before = packages.changes(since="HEAD").before
    assert before is not None
    assert before.graph.direct["app"] == ("core",)


@pytest.mark.parametrize(
    ("path", "text", "is_read"),
    [
        (CORE, "VALUE = 2\n", False),
        ("packages/core/data.txt", "other", False),
        ("packages/app/app.py", "import core\nVALUE = 2\n", False),
        (CORE, "import json\n", True),
        ("packages/app/app.py", "VALUE = 2\n", True),
    ],
)
def test_an_edit_has_the_base_read_only_where_imports_differ(
    packages: Clone, path: str, text: str, is_read: bool
) -> None:
    """The edit of a function costs no second workspace; the edit of an import does."""
    packages.write(path, text)
    found = packages.changes(since="HEAD")
    assert (found.before is not None) is is_read
    assert found.paths == {path}
    assert found.tree is not None


def test_an_edit_behind_a_link_has_the_base_read(packages: Clone) -> None:
    """A module that is a link is not compared by its imports, for they stand elsewhere."""
    (packages.top / "packages/app/linked.py").symlink_to("../core/core.py")
    packages.commit()
    packages.write(CORE, "VALUE = 2\n")
    assert packages.changes(since="HEAD").before is not None
