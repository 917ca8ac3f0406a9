"""Who is affected, and why, for each way a file can change; see docs/reference/odd-cases.md."""

from __future__ import annotations

import os
import shutil

import pytest

from .repository import ATTRS, OTHER_ATTRS, Repository, dependents, tasks

BASE = "packages/base/src/base/module.py"
LEAF = "packages/app/src/app/module.py"
EDITED = "import core.module\nVALUE = 2\n"


def test_nothing_changed(repository: Repository) -> None:
    """A clean branch affects nothing."""
    assert repository.affected() == {}


@pytest.mark.parametrize("how", ["committed", "staged", "unstaged"])
def test_edit_of_a_leaf(repository: Repository, how: str) -> None:
    """An edit selects its package whether it is committed, staged or neither."""
    repository.write(LEAF, EDITED)
    if how != "unstaged":
        repository.git("add", "-A")
    if how == "committed":
        repository.commit()
    assert repository.affected() == tasks("app")


def test_edit_of_a_base_library(repository: Repository) -> None:
    """An edit of a library selects everybody above it, at any distance, and nobody else."""
    repository.write(BASE, "VALUE = 2\n")
    assert repository.affected() == tasks("base") | dependents("core", "app")


def test_staged_and_then_edited(repository: Repository) -> None:
    """What is on disk counts, not what is staged."""
    repository.write(LEAF, EDITED)
    repository.git("add", "-A")
    repository.write(LEAF, "import core.module\nVALUE = 1\n")
    assert repository.affected() == {}


def test_committed_and_then_undone(repository: Repository) -> None:
    """A change that was taken back in the work tree is none."""
    repository.write(LEAF, EDITED)
    repository.commit()
    repository.write(LEAF, "import core.module\nVALUE = 1\n")
    assert repository.affected() == {}


@pytest.mark.parametrize("path", ["packages/base/README.md", "packages/base/tests/unit/test_it.py"])
def test_tests_and_documents_stay_at_home(repository: Repository, path: str) -> None:
    """A package's test or README selects that package alone."""
    repository.write(path, "x = 1\n")
    assert repository.affected() == tasks("base")


@pytest.mark.parametrize(
    "name", ["new.py", "with space.py", "ünïcode.py", 'quo"te.py', "back\\slash.py", "new\nline.py"]
)
def test_untracked_module_of_any_name(repository: Repository, name: str) -> None:
    """An untracked file counts, whatever its name."""
    repository.write(f"packages/app/src/app/{name}", "")
    assert repository.affected() == tasks("app")


def test_file_name_that_is_not_utf8(repository: Repository) -> None:
    """A name of bytes that are no UTF-8 is a name like any other."""
    place = os.fsencode(repository.top / "packages/app/src/app") + b"/\xff.py"
    with open(place, "w") as file:  # noqa: PTH123  a Path cannot hold the bytes as written
        file.write("")
    assert repository.affected() == tasks("app")


def test_ignored_file(repository: Repository) -> None:
    """A file that git ignores affects nothing."""
    repository.write("packages/app/.gitignore", "*.log\n")
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("packages/app/run.log", "x")
    assert repository.affected() == {}


def test_tracked_but_ignored_file(repository: Repository) -> None:
    """A tracked file counts although a pattern ignores it."""
    repository.write("packages/app/data.log", "x")
    repository.commit()
    repository.write("packages/app/.gitignore", "*.log\n")
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("packages/app/data.log", "y")
    assert repository.affected() == tasks("app")


def test_file_mode(repository: Repository) -> None:
    """A change of the executable bit is a change."""
    (repository.top / LEAF).chmod(0o755)
    assert repository.affected() == tasks("app")


def test_time_only(repository: Repository) -> None:
    """A touched file with the same bytes is no change."""
    os.utime(repository.top / BASE, (1, 1))
    assert repository.affected() == {}


def test_same_size_and_time(repository: Repository) -> None:
    """An edit that keeps size and modification time is seen."""
    path = repository.top / LEAF
    before = path.stat()
    text = path.read_text("utf-8")
    path.write_text(text.replace("1", "2"), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert repository.affected() == tasks("app")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_hidden_file(repository: Repository, flag: str) -> None:
    """An edit that git was told not to look at is seen."""
    repository.git("update-index", flag, LEAF)
    repository.write(LEAF, EDITED)
    assert repository.affected() == tasks("app")


@pytest.mark.parametrize("how", ["committed", "work tree"])
def test_module_deleted(repository: Repository, how: str) -> None:
    """A module that is gone selects its package and everybody above it."""
    (repository.top / BASE).unlink()
    if how == "committed":
        repository.commit()
    found = repository.affected()
    assert found.keys() == (tasks("base") | dependents("core", "app")).keys()


@pytest.mark.parametrize("how", ["committed", "staged"])
def test_module_moved_to_another_package(repository: Repository, how: str) -> None:
    """A rename between packages selects both, and everybody above either."""
    repository.git("mv", BASE, "packages/other/src/other/moved.py")
    if how == "committed":
        repository.commit()
    found = repository.affected()
    assert found.keys() == (tasks("base", "other") | dependents("core", "app")).keys()


@pytest.mark.parametrize("how", ["committed", "work tree"])
def test_library_deleted(repository: Repository, how: str) -> None:
    """A package that is gone selects its former dependents, which were not edited."""
    shutil.rmtree(repository.top / "packages/base")
    if how == "committed":
        repository.commit()
    found = repository.affected()
    assert found.keys() >= dependents("core", "app").keys()
    assert not [task for task in found if task.startswith("other")]


def test_leaf_deleted(repository: Repository) -> None:
    """A package that nobody needs goes without a trace."""
    shutil.rmtree(repository.top / "packages/app")
    repository.commit()
    assert repository.affected() == {}


def test_new_package(repository: Repository) -> None:
    """A new package selects itself, untracked as it is."""
    repository.package("fresh")
    assert repository.affected().keys() == tasks("fresh").keys()


def test_dependency_removed(repository: Repository) -> None:
    """A package that needs less is changed, and so is everybody above it."""
    repository.package("core")
    found = repository.affected()
    assert found.keys() == (tasks("core") | dependents("app")).keys()


def test_import_without_declaration(repository: Repository) -> None:
    """An import alone is an edge: what nobody declared is affected all the same."""
    repository.package("other", imports="import base.module\n")
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write(BASE, "VALUE = 2\n")
    assert repository.affected() == tasks("base") | dependents("core", "app", "other")


def test_dynamic_import(repository: Repository) -> None:
    """A module loaded by a literal name is an edge too."""
    line = 'import importlib\nMODULE = importlib.import_module("base.module")\n'
    repository.package("other", imports=line)
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write(BASE, "VALUE = 2\n")
    assert repository.affected() == tasks("base") | dependents("core", "app", "other")


def test_symbolic_link_to_another_package(repository: Repository) -> None:
    """Who reads a file through a link is affected by the file."""
    link = repository.top / "packages/app/src/app/linked.py"
    link.symlink_to("../../../other/src/other/module.py")
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("packages/other/src/other/module.py", "VALUE = 3\n")
    assert repository.affected() == tasks("other", "app")


@pytest.mark.parametrize(
    "path", ["README.md", "noxfile.py", "tasks.py", ".github/workflows/ci.yml"]
)
def test_files_that_no_task_reads(repository: Repository, path: str) -> None:
    """Root READMEs, doors and workflows affect nothing where no package owns them."""
    repository.write(path, "# x\n")
    assert repository.affected() == {}


def test_doors_of_a_declared_root(repository: Repository) -> None:
    """Where the root is a package, its doors are read by its lint and type alone."""
    text = (repository.top / "pyproject.toml").read_text("utf-8")
    repository.write("pyproject.toml", text.replace("lock =", 'root-package = "workspace"\nlock ='))
    repository.write("tests/test_all.py", "")
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("noxfile.py", "# x\n")
    assert repository.affected() == tasks("workspace", suites=("lint", "type"))


def test_unowned_file(repository: Repository) -> None:
    """A file that nobody owns and no table covers may be read by anything."""
    repository.write("scripts/build.sh", "x")
    assert repository.affected() == repository.everything("UnownedFile")


def test_unowned_file_in_the_table(repository: Repository) -> None:
    """The `files` table says which suites read a file; the others are not affected."""
    text = (repository.top / "pyproject.toml").read_text("utf-8")
    repository.write(
        "pyproject.toml",
        text.replace(
            "[tool.ruff]", '[tool.monoyard.files]\n"scripts/**" = ["type"]\n\n[tool.ruff]'
        ),
    )
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("scripts/build.sh", "x")
    expected = tasks("app", "base", "core", "other", suites=("type",), causes=("GlobalInput",))
    assert repository.affected() == expected


def test_tool_setting(repository: Repository) -> None:
    """Another value of a tool's setting selects the suite of that tool, everywhere."""
    text = (repository.top / "pyproject.toml").read_text("utf-8")
    repository.write("pyproject.toml", text.replace("line-length = 100", "line-length = 90"))
    expected = tasks("app", "base", "core", "other", suites=("lint",), causes=("ConfigChanged",))
    assert repository.affected() == expected


def test_white_space_in_a_configuration(repository: Repository) -> None:
    """A comment or white space in the configuration is no change."""
    text = (repository.top / "pyproject.toml").read_text("utf-8")
    repository.write("pyproject.toml", text.replace("= 100", "  =   100  # wide"))
    assert repository.affected() == {}


def test_lock_of_one_distribution(repository: Repository) -> None:
    """A bumped distribution selects only who has it in its closure."""
    repository.write(
        "packages/app/pyproject.toml",
        '[project]\nname = "app"\nversion = "0.1.0"\ndependencies = ["core", "attrs"]\n',
    )
    repository.commit()
    repository.git("branch", "-f", "main")
    text = (repository.top / "requirements.txt").read_text("utf-8")
    repository.write("requirements.txt", text.replace(ATTRS, OTHER_ATTRS))
    expected = tasks("app", suites=("type", "unit"), causes=("LockChanged",))
    assert repository.affected() == expected


def test_lock_that_cannot_be_told_apart(repository: Repository) -> None:
    """A lock without the reasons of its entries counts as needed whole by everybody."""
    text = (repository.top / "requirements.txt").read_text("utf-8")
    without = "".join(line + "\n" for line in text.splitlines() if "# via" not in line)
    repository.write("requirements.txt", without)
    repository.commit()
    repository.git("branch", "-f", "main")
    repository.write("requirements.txt", without.replace(ATTRS, OTHER_ATTRS))
    suites = {task for task in repository.affected() if not task.endswith(":lint")}
    assert suites == tasks("app", "base", "core", "other", suites=("type", "unit")).keys()


def test_autocrlf(repository: Repository) -> None:
    """Line ends that git converts are no change; an edit beside them is."""
    repository.converts_bytes = True
    repository.git("config", "core.autocrlf", "true")
    repository.git("rm", "-q", "--cached", "-r", ".")
    repository.git("reset", "-q", "--hard")
    assert b"\r\n" in (repository.top / LEAF).read_bytes()
    assert repository.affected() == {}
    (repository.top / LEAF).write_bytes(b"import core.module\r\nVALUE = 5\r\n")
    assert repository.affected() == tasks("app")


def test_filtered_file(repository: Repository) -> None:
    """A file whose bytes on disk are not its blob (as with LFS) is no change until it changes."""
    repository.git("config", "filter.big.clean", "sed s/BIG/pointer/")
    repository.git("config", "filter.big.smudge", "sed s/pointer/BIG/")
    repository.write("packages/app/.gitattributes", "*.bin filter=big\n")
    repository.write("packages/app/data.bin", "BIG\n")
    repository.commit()
    repository.git("branch", "-f", "main")
    assert repository.affected() == {}
    repository.write("packages/app/data.bin", "BIG and more\n")
    assert repository.affected() == tasks("app")


def test_sparse_checkout(repository: Repository) -> None:
    """Files that a sparse checkout leaves out are unchanged, not deleted."""
    repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/packages/*/src/*/module.py")
    assert not (repository.top / BASE).exists()
    assert repository.affected() == {}


def test_sparse_checkout_of_changed_files(repository: Repository) -> None:
    """A changed file that a sparse checkout leaves out counts, one with attributes of git too."""
    repository.write(".gitattributes", "*.py text eol=lf\n")
    repository.settle()
    repository.write(BASE, "VALUE = 2\n")
    repository.commit()
    expected = repository.affected()
    assert "base:unit" in expected
    repository.git("sparse-checkout", "set", "--no-cone", "/*", "!/packages/*/src/*/module.py")
    assert not (repository.top / BASE).exists()
    assert repository.affected() == expected


def test_submodule(repository: Repository) -> None:
    """Changed content inside a submodule is a change of the package that holds it."""
    inner = repository.top.parent / "inner"
    inner.mkdir()
    other = Repository(inner, repository.environment)
    other.git("init", "-q", "-b", "main")
    other.write("file.py", "A = 1\n")
    other.commit()
    repository.git("submodule", "add", "-q", str(inner), "packages/app/vendored")
    repository.commit()
    repository.git("branch", "-f", "main")
    assert repository.affected() == {}
    repository.write("packages/app/vendored/file.py", "A = 2\n")
    assert repository.affected() == tasks("app")
