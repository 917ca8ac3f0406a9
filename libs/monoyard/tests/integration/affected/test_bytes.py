"""Who is affected, and what runs, where the bytes on disk are not those that git keeps."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from .repository import Repository, everything_of, readers_of_sources, tasks

LEAF = "packages/app/src/app/module.py"
EDITED = "import core.module\nVALUE = 2\n"
BASE = "packages/base/src/base/module.py"
ALL = ("app", "base", "core", "other")
LARGE = "packages/app/large.bin"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n"
FILTER = """\
#!/bin/sh
# Keeps contents beside the repository and pointers in it, as git-lfs does.
data=$(mktemp "{store}/new.XXXXXX")
cat >"$data"
if [ "$1" = clean ]; then
    name=$(sha256sum "$data" | cut -d' ' -f1)
    size=$(wc -c <"$data")
    mv "$data" "{store}/$name"
    printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %s\\n' "$name" "$size"
else
    name=$(sed -n 's/^oid sha256://p' "$data")
    cat "{store}/$name"
    rm "$data"
fi
"""


@pytest.fixture
def large(repository: Repository, tmp_path: Path) -> Repository:
    """A repository with one file that a filter keeps elsewhere."""
    store = tmp_path / "large"
    store.mkdir()
    program = tmp_path / "filter.sh"
    program.write_text(FILTER.format(store=store), "utf-8")
    program.chmod(0o755)
    for verb in ("clean", "smudge"):
        repository.git("config", f"filter.large.{verb}", f"{program} {verb}")
    repository.write("packages/app/.gitattributes", "*.bin filter=large\n")
    repository.write(LARGE, "contents\n")
    repository.settle()
    return repository


def test_pointer_and_contents(large: Repository) -> None:
    """A pointer in place of its contents is no change since the base, but runs the package."""
    kept = large.git("cat-file", "blob", f"HEAD:{LARGE}")
    digest = hashlib.sha256(b"contents\n").hexdigest()
    assert kept == POINTER.format(digest=digest, size=9)
    large.learn()
    assert large.affected() == {}
    large.write(LARGE, kept)
    large.git("config", "filter.large.clean", "cat")  # as where the filter was never set up
    assert large.rerun() == everything_of("app")
    assert large.affected() == {}


def test_contents_behind_a_pointer(large: Repository) -> None:
    """Other contents of a file that a filter keeps elsewhere are a change."""
    large.write(LARGE, "other contents\n")
    assert large.affected() == tasks("app")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_hidden_file_with_line_ends(repository: Repository, flag: str) -> None:
    """An edit that git was told not to look at is seen where line ends are converted, too."""
    repository.write(".gitattributes", "* text=auto\n")
    repository.settle()
    repository.git("update-index", flag, LEAF)
    assert repository.affected() == {}
    repository.write(LEAF, EDITED)
    assert repository.affected() == tasks("app")


def test_hidden_file_deleted(repository: Repository) -> None:
    """A file that git was told to assume unchanged counts as deleted when it is gone."""
    repository.git("update-index", "--assume-unchanged", LEAF)
    (repository.top / LEAF).unlink()
    assert repository.affected().keys() == tasks("app").keys()


@pytest.mark.parametrize("place", ["", "packages/app/"])
def test_attributes_changed(repository: Repository, place: str) -> None:
    """New attributes affect those below them: everybody, or the package that holds the file."""
    repository.write(f"{place}.gitattributes", "*.txt text\n")
    expected = repository.everything("UnownedFile") if not place else tasks("app")
    assert repository.affected() == expected


def test_edit_that_untracked_attributes_hide(repository: Repository) -> None:
    """An edit that a filter of attributes unknown to git hides runs what any edit does."""
    repository.git("config", "filter.upper.clean", "tr a-z A-Z")
    repository.write("packages/base/.gitattributes", "*.py filter=upper\n")
    repository.learn()
    repository.write(BASE, "value = 1\n")
    assert repository.git("status", "--porcelain").split() == ["??", "packages/base/.gitattributes"]
    assert repository.rerun() == everything_of("base") | readers_of_sources("core", "app")


def test_sparse_checkout_leaves_nothing_behind(repository: Repository) -> None:
    """What was learnt where files are left out is not taken for true where they are there."""
    for name in ALL:
        repository.write(f"packages/{name}/src/{name}/more.py", "VALUE = 1\n")
    repository.write("packages/other/src/other/more.py", "import base.module\n")
    repository.settle()
    repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/packages/*/src/*/m*.py")
    assert repository.affected() == {}
    repository.learn()
    repository.git("sparse-checkout", "disable")
    assert repository.rerun() == everything_of(*ALL)
    repository.write(BASE, "VALUE = 2\n")
    assert "other:unit" in repository.affected()


def test_submodule_that_is_not_there(repository: Repository, tmp_path: Path) -> None:
    """A submodule that is not checked out is no change, but its arrival runs the package."""
    inner = Repository(tmp_path / "inner", repository.environment)
    inner.top.mkdir()
    inner.git("init", "-q", "-b", "main")
    inner.write("file.py", "A = 1\n")
    inner.commit()
    repository.git("submodule", "add", "-q", str(inner.top), "packages/app/vendored")
    repository.settle()
    repository.git("submodule", "deinit", "-q", "--force", "packages/app/vendored")
    assert repository.affected() == {}
    repository.learn()
    repository.git("submodule", "update", "-q", "--init")
    assert repository.rerun() == everything_of("app")
    assert repository.affected() == {}
