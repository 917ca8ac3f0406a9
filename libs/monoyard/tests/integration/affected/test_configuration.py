"""Who is affected by settings: of tools, of commands that read them, of the workspace itself."""

from __future__ import annotations

from .repository import ATTRS, OTHER_ATTRS, Repository, dependents, tasks

BASE = "packages/base/src/base/module.py"
LINT_OF_APP = tasks("app", suites=("lint",), causes=("ConfigChanged",))


def _with_a_further_command(repository: Repository) -> None:
    repository.configure(
        '[tool.monoyard.packages.app.suites.lint]\nalso = [["true"]]\n\n[tool.checker]\nlevel = 1\n'
    )
    repository.settle()


def test_table_that_a_further_command_reads(repository: Repository) -> None:
    """Any tool's table at the root counts for a lint that runs further commands."""
    _with_a_further_command(repository)
    repository.edit("pyproject.toml", "level = 1", "level = 2")
    assert repository.affected() == LINT_OF_APP


def test_sources_that_a_further_command_reads(repository: Repository) -> None:
    """Further commands of a lint can import what the package needs, so an edit of that counts."""
    _with_a_further_command(repository)
    repository.write(BASE, "VALUE = 2\n")
    lint = tasks("app", suites=("lint",), causes=("DependsOn",))
    assert repository.affected() == tasks("base") | dependents("core", "app") | lint


def test_distribution_that_a_further_command_reads(repository: Repository) -> None:
    """Further commands of a lint can import what the package requires, so versions count."""
    _with_a_further_command(repository)
    repository.edit("packages/app/pyproject.toml", '"core"', '"core", "attrs"')
    repository.settle()
    repository.edit("requirements.txt", ATTRS, OTHER_ATTRS)
    assert repository.affected() == tasks("app", causes=("LockChanged",))


def test_table_that_a_command_reads(repository: Repository) -> None:
    """Any tool's table at the root counts for a suite that is a command."""
    repository.configure(
        '[tool.monoyard.packages.app.suites.type]\ncommand = ["true"]\n[tool.checker]\nlevel = 1\n'
    )
    repository.settle()
    repository.edit("pyproject.toml", "level = 1", "level = 2")
    assert repository.affected() == tasks("app", suites=("type",), causes=("ConfigChanged",))


def test_settings_file_that_a_command_reads(repository: Repository) -> None:
    """A settings file that other lints are compared by counts for a lint that is a command."""
    repository.configure('[tool.monoyard.packages.app.suites.lint]\ncommand = ["true"]\n')
    repository.write("ruff.toml", "line-length = 100\n")
    repository.settle()
    repository.edit("ruff.toml", "100", "90")
    expected = tasks("app", "base", "core", "other", suites=("lint",), causes=("ConfigChanged",))
    assert repository.affected() == expected


def test_configuration_between_root_and_package(repository: Repository) -> None:
    """A settings file in a directory above some packages counts for those below it alone."""
    repository.write("tools/more/pyproject.toml", '[project]\nname = "more"\n')
    repository.write("tools/more/src/more.py", "")
    repository.edit("pyproject.toml", '["packages/*"]', '["packages/*", "tools/*"]')
    repository.settle()
    repository.write("packages/ruff.toml", "line-length = 90\n")
    expected = tasks("app", "base", "core", "other", suites=("lint",), causes=("ConfigChanged",))
    assert repository.affected() == expected
