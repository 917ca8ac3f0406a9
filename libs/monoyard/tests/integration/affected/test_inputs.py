"""Who is affected, and what runs, by inputs beyond a package's own files and its dependencies."""

from __future__ import annotations

from .repository import ATTRS, OTHER_ATTRS, Repository, tasks

BASE = "packages/base/src/base/module.py"
ALL = ("app", "base", "core", "other")
EXTRA = """\
pyyaml==6.0.3 \\
    --hash=sha256:3333333333333333333333333333333333333333333333333333333333333333
    # via -r workspace.in
"""


def _suite(repository: Repository, task: str, *lines: str) -> None:
    package, suite = task.split(":")
    body = "\n".join(lines)
    repository.configure(f"[tool.monoyard.packages.{package}.suites.{suite}]\n{body}\n")


def test_ignored_file_that_is_declared(repository: Repository) -> None:
    """A declared input that git ignores is in the key, and changed as far as anybody can know."""
    _suite(repository, "app:unit", 'inputs = ["data/*.bin"]')
    repository.write(".gitignore", "*.bin\n")
    repository.settle()
    assert repository.affected() == {}
    repository.write("packages/app/data/large.bin", "first")
    assert repository.affected() == tasks("app", suites=("unit",))
    repository.learn()
    repository.write("packages/app/data/large.bin", "other")
    assert repository.rerun() == {"app:unit"}


def test_compiled_files_are_no_inputs(repository: Repository) -> None:
    """What Python writes beside declared sources changes nothing."""
    _suite(repository, "app:unit", 'inputs = ["/packages/other/src/**"]')
    repository.write(".gitignore", "__pycache__/\n")
    repository.settle()
    repository.learn()
    repository.write("packages/other/src/other/__pycache__/module.pyc", "x")
    assert repository.rerun() == set()
    assert repository.affected() == {}


def test_two_lists_of_inputs_that_read_alike(repository: Repository) -> None:
    """Declared inputs are told apart where their names hold spaces."""
    _suite(repository, "app:type", 'inputs = ["/a b", "/c"]')
    _suite(repository, "app:unit", 'inputs = ["/a", "/b c"]')
    repository.configure('[tool.monoyard.files]\n"[abc]*" = []\n"a*" = []\n"b*" = []\n"c" = []\n')
    repository.settle()
    repository.learn()
    repository.write("b c", "x")
    assert repository.rerun() == {"app:unit"}


def test_file_of_the_base(repository: Repository) -> None:
    """A file that is read as it was at the base runs its reader when the base moves."""
    _suite(repository, "app:contract", 'command = ["true"]', 'base-inputs = ["openapi.json"]')
    repository.write("packages/app/openapi.json", "{}")
    repository.settle()
    repository.write("packages/app/openapi.json", '{"openapi": "3.1.0"}')
    repository.commit()
    repository.learn()
    assert repository.rerun() == set()
    repository.git("branch", "-f", "main")
    assert repository.rerun() == {"app:contract"}
    assert repository.affected() == {}


def test_what_a_needed_task_makes(repository: Repository) -> None:
    """Who reads what another task makes runs when that one does, before it is made anew."""
    _suite(repository, "base:build", 'command = ["true"]', 'outputs = ["made/**"]')
    _suite(repository, "other:unit", 'needs = ["base:build"]', 'inputs = ["/packages/base/made/*"]')
    repository.write(".gitignore", "made/\n")
    repository.settle()
    repository.learn()
    assert repository.rerun() == set()
    repository.write(BASE, "VALUE = 2\n")
    assert "other:unit" in repository.rerun()
    assert repository.planned()["other:unit"] == {"NeedAffected"}


def test_what_a_task_leaves(repository: Repository) -> None:
    """A task that is to leave other files than before runs: those it left are not all there."""
    _suite(repository, "base:build", 'command = ["true"]', 'outputs = ["made/**"]')
    repository.settle()
    repository.learn()
    repository.edit("pyproject.toml", "made/**", "[mk]a?e/**")
    assert repository.rerun() == {"base:build"}
    assert repository.planned().keys() == {"base:build"}


def test_ignore_file_of_the_root(repository: Repository) -> None:
    """What the root ignores is what linters pass over, so a change of it affects every lint."""
    repository.write(".gitignore", "*.log\n")
    expected = tasks(*ALL, suites=("lint",), causes=("GlobalInput",))
    assert repository.affected() == expected
    assert {f"{name}:lint" for name in ALL} <= repository.rerun()


def test_distribution_that_nobody_declared(repository: Repository) -> None:
    """A locked distribution that is imported counts, although only others declare it."""
    repository.write("packages/other/tests/unit/test_it.py", "import attr\nimport other\n")
    repository.settle()
    repository.edit("requirements.txt", ATTRS, OTHER_ATTRS)
    assert repository.affected() == tasks("other", suites=("type", "unit"), causes=("LockChanged",))


def test_import_that_a_new_lock_answers(repository: Repository) -> None:
    """A lock that gains what a package imports undeclared changes what its lint says."""
    text = (repository.top / "requirements.txt").read_text("utf-8")
    ruff = "ruff==0.17.5 \\\n    --hash=sha256:" + "4" * 64 + "\n    # via -r workspace.in\n"
    repository.write("requirements.txt", text + ruff)
    repository.write("packages/other/src/other/late.py", "import yaml\n")
    repository.settle()
    repository.write("requirements.txt", EXTRA + text + ruff)
    found = repository.planned()
    assert found == tasks("other", causes=("LockChanged",))


def test_stubs_and_plugins_of_mypy(repository: Repository) -> None:
    """Locked stubs of what a package needs, and mypy's plugins, count for its types."""
    stubs = "types-attrs==1.0 \\\n    --hash=sha256:" + "5" * 64 + "\n    # via -r workspace.in\n"
    plugin = "pydantic==2.13 \\\n    --hash=sha256:" + "6" * 64 + "\n    # via -r workspace.in\n"
    text = (repository.top / "requirements.txt").read_text("utf-8")
    repository.write("requirements.txt", plugin + text + stubs)
    repository.edit("pyproject.toml", "[tool.mypy]", '[tool.mypy]\nplugins = ["pydantic.mypy"]')
    repository.edit("packages/app/pyproject.toml", '"core"', '"core", "attrs"')
    repository.settle()
    repository.edit("requirements.txt", "types-attrs==1.0", "types-attrs==1.1")
    assert repository.planned() == tasks("app", suites=("type",), causes=("LockChanged",))
    repository.settle()
    repository.edit("requirements.txt", "pydantic==2.13", "pydantic==2.14")
    assert repository.planned() == tasks(*ALL, suites=("type",), causes=("LockChanged",))
