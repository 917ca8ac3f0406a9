from __future__ import annotations

from typing import TYPE_CHECKING

from monoyard.bindings.engine import Engine, venv_of
from monoyard.plan import gather
from monoyard.suites import SuiteSource

if TYPE_CHECKING:
    from .conftest import Found

HEAVY = {
    "libs/heavy/pyproject.toml": '[project]\nname = "heavy"\ndependencies = ["torch"]\n',
    "libs/heavy/src/heavy/__init__.py": "",
}
TEST = "def test_it():\n    assert True\n"


def _requirements(engine: Engine, task_id: str) -> set[str]:
    source = SuiteSource(engine.interpreters, {})
    tasks = {task.id: task for task in gather((source,), engine.workspace).tasks}
    spec = venv_of(tasks[task_id])
    assert spec is not None
    return set(spec.requirements)


def _user(files: dict[str, str], tables: str = "") -> dict[str, str]:
    own = {"libs/user/pyproject.toml": f'[project]\nname = "user"\ndependencies = []\n{tables}'}
    return {**HEAVY, **own, "libs/user/tests/test_it.py": TEST, **files}


def test_import_in_an_example_installs_nothing(found: Found) -> None:
    """What an example imports beyond the declarations does not weigh on the package's tests."""
    engine = found(_user({"libs/user/examples/show.py": "import heavy\n"}))
    assert "heavy" in engine.workspace.graph.closure["user"]
    assert "torch" not in _requirements(engine, "user:unit")


def test_import_in_a_test_installs_what_it_needs(found: Found) -> None:
    """A workspace package that tests import comes with its requirements, examples or not."""
    files = {
        "libs/user/examples/show.py": "import heavy\n",
        "libs/user/tests/test_it.py": f"import heavy\n\n{TEST}",
    }
    assert "torch" in _requirements(found(_user(files)), "user:unit")


def test_declaration_installs_what_only_an_example_imports(found: Found) -> None:
    """A declared package comes with its requirements wherever it is imported."""
    files = {"libs/user/examples/show.py": "import heavy\n"}
    engine = found(_user(files, '[dependency-groups]\ntest = ["heavy"]\n'))
    assert "torch" in _requirements(engine, "user:unit")


def test_needs_of_needs_are_installed_beside_an_example(found: Found) -> None:
    """An example takes nothing away from what the tests' own imports bring at any distance."""
    files = {
        "libs/middle/pyproject.toml": '[project]\nname = "middle"\ndependencies = ["heavy"]\n',
        "libs/middle/src/middle/__init__.py": "",
        "libs/other/pyproject.toml": '[project]\nname = "other"\ndependencies = ["numpy"]\n',
        "libs/other/src/other/__init__.py": "",
        "libs/user/examples/show.py": "import other\n",
        "libs/user/tests/test_it.py": f"import middle\n\n{TEST}",
    }
    wanted = _requirements(found(_user(files)), "user:unit")
    assert "torch" in wanted
    assert "numpy" not in wanted


def test_hatch_test_table_stands_alone(found: Found) -> None:
    """Hatch installs the test table's own list, not the default table's beside it."""
    tables = (
        '[tool.hatch.envs.default]\ndependencies = ["docs-tools"]\n'
        '[tool.hatch.envs.test]\ndependencies = ["pytest-mock"]\n'
    )
    wanted = _requirements(found(_user({}, tables)), "user:unit")
    assert "pytest-mock" in wanted
    assert "docs-tools" not in wanted


def test_hatch_test_table_without_a_list_has_the_default_one(found: Found) -> None:
    """A table takes from its template, at any distance, what it does not say itself."""
    tables = (
        '[tool.hatch.envs.default]\ndependencies = ["pytest-mock"]\n'
        "[tool.hatch.envs.middle]\n"
        '[tool.hatch.envs.test]\ntemplate = "middle"\nextra-dependencies = ["freezegun"]\n'
    )
    assert {"pytest-mock", "freezegun"} <= _requirements(found(_user({}, tables)), "user:unit")


def test_detached_hatch_table_has_nothing_of_the_default_one(found: Found) -> None:
    """`detached` cuts a table off from the default one."""
    tables = (
        '[tool.hatch.envs.default]\ndependencies = ["docs-tools"]\n'
        '[tool.hatch.envs.test]\ndetached = true\nextra-dependencies = ["freezegun"]\n'
    )
    wanted = _requirements(found(_user({}, tables)), "user:unit")
    assert "freezegun" in wanted
    assert "docs-tools" not in wanted


def test_default_hatch_table_serves_where_there_is_no_test_table(found: Found) -> None:
    """A package that names its test tools in hatch's default table gets them."""
    tables = '[tool.hatch.envs.default]\ndependencies = ["pytest-mock"]\n'
    assert "pytest-mock" in _requirements(found(_user({}, tables)), "user:unit")


def test_tests_and_types_of_a_package_share_a_venv(found: Found) -> None:
    """Without a lock one venv is installed for a package, not one for each suite."""
    engine = found(_user({}, "[tool.mypy]\nstrict = true\n"))
    assert _requirements(engine, "user:type") == _requirements(engine, "user:unit")


def test_name_that_several_packages_have_is_no_distribution(found: Found) -> None:
    """What a path says is a package of the workspace comes from no index, shared name or not."""
    other = '[project]\nname = "heavy"\n'
    tables = (
        '[dependency-groups]\ntest = ["heavy"]\n[tool.uv.sources]\nheavy = { path = "../heavy" }\n'
    )
    engine = found(_user({"more/heavy/pyproject.toml": other}, tables))
    assert "heavy" not in _requirements(engine, "user:unit")
    assert "torch" in _requirements(engine, "user:unit")
