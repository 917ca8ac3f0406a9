"""Who is affected when packages, their borders or their edges change."""

from __future__ import annotations

import shutil

import pytest

from .repository import ATTRS, OTHER_ATTRS, Repository, dependents, tasks

BASE = "packages/base/src/base/module.py"
INNER = "packages/other/inner"


def _nest(repository: Repository, *, as_package: bool = True) -> None:
    """Put a package into the directory of `other`."""
    repository.write(f"{INNER}/pyproject.toml", '[project]\nname = "inner"\nversion = "0.1.0"\n')
    repository.write(f"{INNER}/src/inner/__init__.py", "")
    if as_package:
        _set_members(repository, '"packages/*", "packages/*/*"')
    repository.settle()


def _set_members(repository: Repository, globs: str) -> None:
    repository.edit("pyproject.toml", 'members = ["packages/*"]', f"members = [{globs}]")


def test_file_of_a_nested_package(repository: Repository) -> None:
    """A file of a package inside another's directory is no file of the outer one."""
    _nest(repository)
    repository.write(f"{INNER}/src/inner/__init__.py", "VALUE = 2\n")
    assert repository.affected().keys() == tasks("inner", suites=("lint", "type")).keys()


def test_nested_package_that_is_needed(repository: Repository) -> None:
    """The outer package is affected by the inner one where it depends on it."""
    repository.package("other", "inner")
    _nest(repository)
    repository.write(f"{INNER}/src/inner/__init__.py", "VALUE = 2\n")
    expected = tasks("inner", suites=("lint", "type")) | dependents("other")
    assert repository.affected() == expected


@pytest.mark.parametrize("how", ["edited", "removed"])
def test_conftest_around_a_nested_package(repository: Repository, how: str) -> None:
    """The conftest of the package around it counts for a nested package that pytest finds below."""
    _nest(repository)
    repository.write(f"{INNER}/tests/unit/test_it.py", "")
    repository.write("packages/other/conftest.py", "VALUE = 1\n")
    repository.configure("[tool.pytest.ini_options]\n")
    repository.settle()
    repository.learn()
    if how == "edited":
        repository.write("packages/other/conftest.py", "VALUE = 2\n")
    else:
        (repository.top / "packages/other/conftest.py").unlink()
    cause = "ChangedFile" if how == "edited" else "ConfigChanged"
    expected = tasks("other") | tasks("inner", suites=("unit",), causes=(cause,))
    assert repository.affected() == expected
    assert "inner:unit" in repository.rerun()


@pytest.mark.parametrize("imports", ["import helpers", "from .helpers import VALUE"])
def test_module_that_an_outer_conftest_imports(repository: Repository, imports: str) -> None:
    """What the conftest around a nested package imports beside itself counts for that as well."""
    _nest(repository)
    repository.write(f"{INNER}/tests/unit/test_it.py", "")
    repository.write("packages/other/conftest.py", f"{imports}\n")
    repository.write("packages/other/helpers.py", "import base.module\n")
    repository.configure("[tool.pytest.ini_options]\n")
    repository.settle()
    repository.learn()
    repository.write("packages/other/helpers.py", "import base.module\nVALUE = 2\n")
    assert repository.affected() == tasks("other") | tasks("inner", suites=("unit",))
    assert "inner:unit" in repository.rerun()
    repository.learn()
    repository.write(BASE, "VALUE = 2\n")
    assert "inner:unit" in repository.rerun()


@pytest.mark.parametrize("place", ["", "packages/other/"])
def test_distribution_that_an_outer_conftest_imports(repository: Repository, place: str) -> None:
    """A locked distribution that a conftest above a package imports counts for its tests."""
    _nest(repository)
    repository.write(f"{INNER}/tests/unit/test_it.py", "")
    repository.write(f"{place}conftest.py", "import attr\n")
    repository.configure("[tool.pytest.ini_options]\n")
    repository.settle()
    repository.edit("requirements.txt", ATTRS, OTHER_ATTRS)
    names = ("inner", "other") if place else ("app", "base", "core", "inner", "other")
    expected = tasks(*names, suites=("unit",), causes=("LockChanged",))
    expected |= tasks("other", suites=("type",), causes=("LockChanged",)) if place else {}
    assert repository.affected() == expected


@pytest.mark.parametrize("table", ["", "[tool.monoyard.suites.unit]\nisolation = 'shared'\n"])
def test_conftest_above_the_settings_of_tests(repository: Repository, table: str) -> None:
    """A conftest above pytest's settings counts where tests may share a process, and only there."""
    _nest(repository)
    repository.write(f"{INNER}/tests/unit/test_it.py", "")
    repository.write(f"{INNER}/pytest.ini", "[pytest]\n")
    repository.write("packages/other/conftest.py", "VALUE = 1\n")
    repository.configure(table)
    repository.settle()
    repository.write("packages/other/conftest.py", "VALUE = 2\n")
    expected = tasks("other") | (tasks("inner", suites=("unit",)) if table else {})
    assert repository.affected() == expected


def test_directory_becomes_a_package(repository: Repository) -> None:
    """New member globs that cut a package in two affect both halves, without any file changed."""
    _nest(repository, as_package=False)
    _set_members(repository, '"packages/*", "packages/*/*"')
    expected = tasks("other", causes=("OwnerChanged",))
    expected |= tasks("inner", suites=("lint", "type"), causes=("NewTask", "OwnerChanged"))
    assert repository.affected() == expected


def test_package_is_excluded(repository: Repository) -> None:
    """A package that is excluded leaves its files to the one around it, which is affected."""
    _nest(repository)
    repository.edit("pyproject.toml", "lock =", f'exclude = ["{INNER}"]\nlock =')
    assert repository.affected() == tasks("other", causes=("OwnerChanged",))


def test_excluded_library(repository: Repository) -> None:
    """A library that is excluded affects its former dependents: what they need is gone."""
    repository.edit("pyproject.toml", "lock =", 'exclude = ["packages/base"]\nlock =')
    found = repository.affected()
    assert found.keys() >= tasks("core", "app", suites=("type", "unit")).keys()
    assert not [task for task in found if task.startswith(("base", "other"))]


@pytest.mark.parametrize("how", ["committed", "work tree"])
def test_package_moved(repository: Repository, how: str) -> None:
    """A package that moves to another directory is affected, and so is everybody above it."""
    _set_members(repository, '"packages/*", "libs/*"')
    repository.settle()
    (repository.top / "libs").mkdir()
    shutil.move(repository.top / "packages/base", repository.top / "libs/base")
    if how == "committed":
        repository.commit()
    found = repository.affected()
    assert found.keys() == (tasks("base") | dependents("core", "app")).keys()


def test_lock_inside_a_package(repository: Repository) -> None:
    """A lock that lies in a package is the lock of all of them."""
    lock = (repository.top / "requirements.txt").read_text("utf-8")
    (repository.top / "requirements.txt").unlink()
    repository.write("packages/other/requirements.txt", lock)
    repository.edit("pyproject.toml", 'lock = "', 'lock = "packages/other/')
    repository.edit("packages/app/pyproject.toml", '"core"', '"core", "pytest"')
    repository.settle()
    without = lock.replace("pluggy==1.7.0", "pluggy==1.6.0")
    repository.write("packages/other/requirements.txt", without)
    found = repository.planned()
    assert found["app:type"] == {"LockChanged"}
    assert found["app:unit"] == {"LockChanged"}


def test_lint_of_a_ring(repository: Repository) -> None:
    """An import that closes a ring of packages affects the lint of all in the ring."""
    repository.write(BASE, "import app.module\n")
    found = repository.affected()
    assert found.keys() == tasks("base", "core", "app").keys()
    assert found["app:lint"] == found["core:lint"] == {"ConfigChanged"}
    assert {"app:lint", "core:lint", "base:lint"} <= repository.rerun()


def test_module_that_takes_over_a_name(repository: Repository) -> None:
    """A new module that answers another package's import gives that package a new dependency."""
    repository.write("packages/app/src/app/late.py", "import plugins.extra\n")
    repository.settle()
    repository.write("packages/other/src/plugins/extra.py", "")
    found = repository.affected()
    assert found.keys() == tasks("other", "app").keys()
    assert found["app:lint"] == {"ConfigChanged"}
    assert found["app:unit"] == {"DependsOn"}


@pytest.mark.parametrize("name", ["changes", "license_check", "notices", "authors"])
def test_module_named_like_a_document(repository: Repository, name: str) -> None:
    """A module at the top of a package without `src` is source, whatever its name begins with."""
    repository.write("packages/flat/pyproject.toml", '[project]\nname = "flat"\n')
    repository.write(f"packages/flat/{name}.py", "VALUE = 1\n")
    repository.package("app", "core", "flat", imports=f"import {name}\n")
    repository.settle()
    repository.write(f"packages/flat/{name}.py", "VALUE = 2\n")
    expected = tasks("flat", suites=("lint", "type")) | dependents("app")
    assert repository.affected() == expected


def test_group_of_the_root(repository: Repository) -> None:
    """A distribution that a group of the root gains affects the suites that the group is for."""
    repository.configure('[dependency-groups]\nshared = []\ntest = [{include-group = "shared"}]\n')
    repository.edit("pyproject.toml", "lock =", 'groups = { test = "test" }\nlock =')
    repository.settle()
    repository.edit("pyproject.toml", "shared = []", 'shared = ["attrs"]')
    everybody = ("app", "base", "core", "other")
    expected = tasks(*everybody, suites=("type", "unit"), causes=("LockChanged",))
    assert repository.affected() == expected


def test_fault_at_the_base(repository: Repository) -> None:
    """Where the tables of the base have faults, their correction selects everything."""
    table = '[tool.monoyard.packages.app.suites.unit]\nneeds = ["base:missing"]\n'
    repository.configure(table)
    repository.settle()
    repository.edit("pyproject.toml", "base:missing", "base:unit")
    assert repository.affected() == repository.everything("BaseUnknown")
