"""Who is affected by settings: of tools, of commands that read them, of the workspace itself."""

from __future__ import annotations

import pytest

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


def _lints(*packages: str) -> dict[str, set[str]]:
    return tasks(*packages, suites=("lint",), causes=("ConfigChanged",))


def _changed_lints(repository: Repository) -> dict[str, set[str]]:
    """Return the affected lints, which run again from a store that was warm before the change."""
    found = repository.affected()
    lints = {task: causes for task, causes in found.items() if task.endswith(":lint")}
    assert lints.keys() <= repository.rerun()
    return lints


@pytest.mark.parametrize("own", ["pyproject.toml", "ruff.toml"])
def test_root_table_that_a_package_extends(repository: Repository, own: str) -> None:
    """A package whose own settings of ruff extend the root's is affected by those as all are."""
    if own == "ruff.toml":
        repository.write("packages/app/ruff.toml", 'extend = "../../pyproject.toml"\n')
    else:
        repository.edit(
            "packages/app/pyproject.toml",
            "[project]",
            '[tool.ruff]\nextend = "../../pyproject.toml"\n[project]',
        )
    repository.settle()
    repository.learn()
    repository.edit("pyproject.toml", "line-length = 100", "line-length = 90")
    assert _changed_lints(repository) == _lints("app", "base", "core", "other")


def test_root_file_that_a_package_extends(repository: Repository) -> None:
    """A ruff.toml that extends the root's is affected by a setting there, but by no remark."""
    repository.write("ruff.toml", "line-length = 100\n")
    repository.write("packages/app/ruff.toml", 'extend = "../../ruff.toml"\n')
    repository.settle()
    repository.learn()
    repository.write("ruff.toml", "# a remark\nline-length = 100\n")
    assert _changed_lints(repository) == {}
    repository.write("ruff.toml", "line-length = 90\n")
    assert _changed_lints(repository) == _lints("app", "base", "core", "other")


def test_chain_of_settings_with_a_ring(repository: Repository) -> None:
    """Settings of ruff count through each file that extends another, up to one that was seen."""
    extended = 'extend = "../{}/ruff.toml"\nline-length = {}\n'
    repository.write("packages/app/ruff.toml", extended.format("core", 90))
    repository.write("packages/core/ruff.toml", extended.format("other", 91))
    repository.write("packages/other/ruff.toml", extended.format("app", 92))
    repository.write("packages/base/ruff.toml", 'extend = "~/ruff.toml"\n')
    repository.settle()
    repository.learn()
    repository.write("packages/other/ruff.toml", extended.format("core", 93))
    own = tasks("other", suites=("lint",), causes=("ChangedFile", "ConfigChanged"))
    assert _changed_lints(repository) == own | _lints("app", "core")


@pytest.mark.parametrize("name", ["rules", "rules.conf", "rules.toml"])
def test_settings_of_any_name_that_a_package_extends(repository: Repository, name: str) -> None:
    """A file of another package that settings of ruff extend counts, whatever it is called."""
    repository.write("packages/app/ruff.toml", f'extend = "../other/{name}"\n')
    repository.write(f"packages/other/{name}", "line-length = 90\n")
    repository.settle()
    repository.learn()
    repository.write(f"packages/other/{name}", "line-length = 91\n")
    assert _changed_lints(repository).keys() == {"app:lint", "other:lint"}


@pytest.mark.parametrize("table", ["[tool.ruff]\nline-length = 100", "[tool.none]"])
def test_python_that_the_root_requires(repository: Repository, table: str) -> None:
    """The Python that ruff takes from the root's project, with settings there or none, counts."""
    project = '[project]\nname = "root"\nversion = "1"\nrequires-python = ">=3.9"\n'
    repository.edit("pyproject.toml", "[tool.ruff]\nline-length = 100", f"{project}{table}")
    repository.write("packages/app/ruff.toml", "")
    repository.settle()
    repository.learn()
    repository.edit("pyproject.toml", ">=3.9", ">=3.12")
    assert _changed_lints(repository) == _lints("base", "core", "other")


def test_settings_of_the_user(repository: Repository) -> None:
    """Settings of ruff at home count where the repository has none, for ruff takes them there."""
    repository.edit("pyproject.toml", "[tool.ruff]\nline-length = 100\n", "")
    repository.write("packages/app/ruff.toml", "")
    repository.settle()
    repository.learn()
    repository.write("../home/.config/ruff/ruff.toml", "line-length = 90\n")
    assert repository.rerun() == {"base:lint", "core:lint", "other:lint"}


def test_compiler_settings_that_a_page_extends(repository: Repository) -> None:
    """Settings of TypeScript of another package count where they are extended, or referred to."""
    for name in ("page", "shared", "model", "paths"):
        scripts = '"scripts": {"type": "tsc -b"}' if name == "page" else '"scripts": {}'
        manifest = f'{{"name": "{name}", {scripts}}}'
        repository.write(f"packages/{name}/package.json", manifest)
    repository.write("packages/page/package-lock.json", "{}")
    repository.write(
        "packages/page/tsconfig.json",
        '{"extends": "../shared/more", /* x */ "references": [{"path": "../model"}], '
        '"compilerOptions": {"paths": {"p/*": ["../paths/src/*"]}}}',
    )
    repository.write("packages/shared/more.json", '{"extends": "./most.json"}')
    repository.write("packages/shared/most.json", "{}")
    repository.write("packages/model/tsconfig.json", "{}")
    repository.write("packages/model/index.ts", "")
    repository.write("packages/paths/src/index.ts", "")
    repository.settle()
    for path in ("shared/most.json", "model/index.ts", "paths/src/index.ts"):
        repository.write(f"packages/{path}", "{ }")
        assert "page:type" in repository.planned()
        repository.git("checkout", "-q", ".")
        assert repository.planned() == {}
