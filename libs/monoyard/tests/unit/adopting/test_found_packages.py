from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.bindings.engine import Engine
from monoyard.plan import Plan, Selection

if TYPE_CHECKING:
    from .conftest import Found

PLAIN = '[project]\nname = "plain"\n'
TEMPLATE = "scripts/templates/pyproject.toml"


def _commit(engine: Engine) -> Path:
    top = engine.repository.top
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("add", "."), (*author, "commit", "--quiet", "--message=first")):
        subprocess.run(["git", "-C", str(top), *words], check=True)
    return top


def _plan(top: Path) -> Plan:
    engine = Engine(top, lambda _words: None, {"MONOYARD_CACHE_DIR": str(top.parent / "kept")})
    return engine.plan(Selection(since="HEAD", use_cache=False))


@pytest.mark.parametrize("name", ["$pkg", "{{ cookiecutter.name }}", "two words", "-dash", "dot."])
def test_manifest_of_a_template_makes_no_package(found: Found, name: str) -> None:
    """What cannot be a project's name is no package, and a note says which file was passed over."""
    engine = found({"libs/plain/pyproject.toml": PLAIN, TEMPLATE: f"[project]\nname = '{name}'\n"})
    assert list(engine.workspace.packages) == ["plain"]
    (note,) = engine.workspace.notes
    assert note.startswith(f"{TEMPLATE}: `{name}` is no project name")


@pytest.mark.parametrize("name", ["a", "A.b_c-d", "3to2"])
def test_every_name_of_the_standard_makes_a_package(found: Found, name: str) -> None:
    """Letters, digits, and between them dots, hyphens and underscores: PEP 508 allows no less."""
    engine = found({"libs/one/pyproject.toml": f'[project]\nname = "{name}"\n'})
    assert len(engine.workspace.packages) == 1
    assert engine.workspace.notes == ()


def test_excluded_template_is_not_spoken_of(found: Found) -> None:
    """`exclude` ends the note, as the note says."""
    engine = found(
        {
            "libs/plain/pyproject.toml": PLAIN,
            TEMPLATE: '[project]\nname = "$pkg"\n',
            "monoyard.toml": 'exclude = ["scripts/templates"]\n',
        }
    )
    assert engine.workspace.notes == ()


def test_change_of_a_template_affects_everything(found: Found) -> None:
    """A template is a file like any other without an owner: its change is never overlooked."""
    top = _commit(
        found(
            {
                "libs/plain/pyproject.toml": PLAIN,
                "libs/plain/tests/test_it.py": "",
                TEMPLATE: '[project]\nname = "$pkg"\n',
            }
        )
    )
    (top / TEMPLATE).write_text('[project]\nname = "$other"\n', encoding="utf-8")
    plan = _plan(top)
    assert plan.changed == {TEMPLATE}
    assert {planned.task.suite for planned in plan.affected} == {"lint", "unit"}


def test_new_package_leaves_the_lint_of_others_alone(found: Found) -> None:
    """A new package that nobody imports or declares changes no other package's lint."""
    files = {"libs/plain/pyproject.toml": PLAIN, "libs/plain/src/plain/__init__.py": ""}
    top = _commit(found({**files, "libs/more/pyproject.toml": '[project]\nname = "more"\n'}))
    (top / "libs" / "new").mkdir()
    (top / "libs" / "new" / "pyproject.toml").write_text(PLAIN.replace("plain", "new"), "utf-8")
    assert not _plan(top).affected


def test_import_in_a_test_is_named_before_the_one_in_an_example(found: Found) -> None:
    """Where a test and an example import the same, the edge shows the test, which is run."""
    engine = found(
        {
            "libs/plain/pyproject.toml": PLAIN,
            "libs/plain/src/plain/__init__.py": "",
            "libs/user/pyproject.toml": '[project]\nname = "user"\n',
            "libs/user/examples/show.py": "import plain\n",
            "libs/user/tests/test_it.py": "import plain\n",
        }
    )
    edge = engine.workspace.graph.edge("user", "plain")
    assert edge is not None
    assert edge.where == "libs/user/tests/test_it.py"
