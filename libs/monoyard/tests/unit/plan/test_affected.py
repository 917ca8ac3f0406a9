from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import monoyard
from monoyard.changes import Base, Changes
from monoyard.plan import cause_data

from .conftest import ROOT, Scene, package

APP, CORE, BASE = ("packages/app/app.py", "packages/core/core.py", "packages/base/base.py")
ALL = [f"{name}:{suite}" for name in ("app", "base", "core", "other") for suite in ("lint", "unit")]
Pairs = tuple[tuple[str, str], ...]


def all_with(*causes: str) -> dict[str, list[str]]:
    """Return every task with the same causes."""
    return {task: list(causes) for task in ALL}


def test_nothing_changed_affects_nothing(scene: Scene) -> None:
    """Equal states affect no task."""
    assert scene.affected() == {}


def test_a_source_affects_its_package_and_its_dependents(scene: Scene) -> None:
    """Own files count for every suite, sources of others for the suites that read them."""
    scene.after[BASE] = "VALUE = 2\n"
    assert scene.affected() == {
        "app:unit": [f"needs base (app -> core -> base), where {BASE} changed"],
        "base:lint": [f"{BASE} changed"],
        "base:unit": [f"{BASE} changed"],
        "core:unit": [f"needs base (core -> base), where {BASE} changed"],
    }


@pytest.mark.parametrize("path", ["tests/test_it.py", "README.md", "tests/new.py"])
def test_tests_and_documents_affect_their_own_package_alone(scene: Scene, path: str) -> None:
    """What dependents cannot read does not concern them."""
    scene.after[f"packages/base/{path}"] = "other"
    assert scene.affected().keys() == {"base:lint", "base:unit"}


def test_the_first_of_several_sources_stands_for_all(scene: Scene) -> None:
    """A dependency is one cause, with one file as the example, however many changed."""
    scene.after[BASE] = "VALUE = 2\n"
    scene.after["packages/base/a.py"] = ""
    needs = "needs base (core -> base), where packages/base/a.py changed"
    assert scene.affected()["core:unit"] == [needs]
    assert len(scene.affected()["base:lint"]) == 2


def test_two_changed_dependencies_are_two_causes(scene: Scene) -> None:
    """Every changed package that a task needs is named, in order."""
    scene.after[BASE] = scene.after[CORE] = "VALUE = 2\n"
    assert scene.affected()["app:unit"] == [
        f"needs base (app -> core -> base), where {BASE} changed",
        f"needs core (app -> core), where {CORE} changed",
    ]


def test_without_a_base_everything_is_affected(scene: Scene) -> None:
    """Where nothing can be compared, every task is affected for that one reason."""
    found = scene.affected(Changes(Base(None, "", "the clone is shallow"), frozenset({BASE})))
    assert found == all_with("the base is unknown: the clone is shallow")


def test_a_file_of_nobody_affects_everything(scene: Scene) -> None:
    """What no package owns and no table names may be read by anything."""
    scene.after["data/table.csv"] = "1"
    cause = "data/table.csv changed, which no package owns and `files` does not cover"
    assert scene.affected() == all_with(cause)


def test_a_file_in_the_table_affects_the_suites_that_it_names(scene: Scene) -> None:
    """A table of files narrows a change to suites, and an empty list to none."""
    table = '[tool.monoyard.files]\n"data/**" = ["unit", "type"]\n"notes/**" = []\n'
    scene.before["pyproject.toml"] = scene.after["pyproject.toml"] = ROOT + table
    scene.after["data/table.csv"] = scene.after["notes/x"] = "1"
    cause = "data/table.csv changed (`files` names data/** for this suite)"
    assert scene.affected() == {task: [cause] for task in ALL if "unit" in task}


def test_documents_at_the_root_affect_nothing(scene: Scene) -> None:
    """What no task reads by default is no reason to run one."""
    for path in ("README.md", "docs/page.md", ".github/workflows/ci.yml", "LICENSE"):
        scene.after[path] = "other"
    assert scene.affected() == {}


def test_a_deleted_package_affects_those_who_needed_it(scene: Scene) -> None:
    """The graph of the base counts, for it alone knows who read what is gone."""
    for path in package("base"):
        del scene.after[path]
    scene.after |= package("core")
    found = scene.affected()
    manifest = "packages/base/base.py"
    assert found["app:unit"][0] == f"needs base (app -> core -> base), where {manifest} changed"
    assert f"needs base (core -> base), where {manifest} changed" in found["core:unit"]
    assert found.keys() == {"app:unit", "core:lint", "core:unit"}


def test_a_new_package_is_affected_and_affects_who_needs_it(scene: Scene) -> None:
    """A package that the base did not have has new tasks."""
    scene.after |= package("extra") | package("other", "extra")
    found = scene.affected()
    assert found.keys() == {"extra:lint", "extra:unit", "other:lint", "other:unit"}
    assert "extra:lint did not exist at the base" in found["extra:lint"]
    new = "needs extra (other -> extra), where packages/extra/extra.py changed"
    assert new in found["other:unit"]


def test_a_file_that_changes_hands_affects_both_owners(scene: Scene) -> None:
    """A new package inside another takes files from it, and that changes what both test."""
    scene.before["packages/base/inner/code.py"] = "VALUE = 1\n"
    scene.after["packages/base/inner/code.py"] = "VALUE = 1\n"
    scene.before["pyproject.toml"] = scene.after["pyproject.toml"] = (
        '[tool.monoyard]\nmembers = ["packages/*", "packages/*/inner"]\n'
    )
    scene.after["packages/base/inner/pyproject.toml"] = '[project]\nname = "inner"\n'
    found = scene.affected()
    moved = "packages/base/inner/code.py belongs to inner, not to base"
    assert moved in found["base:lint"]
    assert moved in found["inner:lint"]
    assert found["core:unit"][0].startswith("needs base (core -> base), where packages/base/inner/")
    assert "other:lint" not in found


@pytest.mark.parametrize("is_left", [True, False])
def test_files_that_get_or_lose_an_owner_affect_who_needs_it(scene: Scene, is_left: bool) -> None:
    """A directory that becomes a member, or none, is another source for those who read it."""
    members = ROOT.replace("packages/*", 'packages/app", "packages/core", "packages/other')
    scene.source.covered = frozenset({"pyproject.toml"})
    (scene.after if is_left else scene.before)["pyproject.toml"] = members
    found = scene.affected()
    assert found.pop("app:unit") == [f"needs base (app -> core -> base), where {BASE} changed"]
    assert found.pop("core:unit") == [f"needs base (core -> base), where {BASE} changed"]
    assert found.keys() == (set() if is_left else {"base:lint", "base:unit"})
    got = f"{BASE} belongs to base, not to nobody"
    assert all(got in causes for causes in found.values())


def test_files_that_a_package_leaves_behind_affect_it(scene: Scene) -> None:
    """A package that goes elsewhere loses what it owned, which concerns whoever read that."""
    scene.source.inputs["base:unit"] = {"own": False}
    scene.source.covered = frozenset({"pyproject.toml"})
    scene.after |= {
        path.replace("packages", "libs"): text for path, text in package("base").items()
    }
    members = 'libs/base", "packages/app", "packages/core", "packages/other'
    scene.after["pyproject.toml"] = ROOT.replace("packages/*", members)
    found = scene.affected()
    assert f"{BASE} belongs to nobody, not to base" in found["base:lint"]
    assert "base:unit" not in found


def test_declared_files_that_git_ignores_affect_who_declares_them(scene: Scene) -> None:
    """The base knows nothing of such a file, so it counts as new; one that git has does not."""
    for path in ("packages/base/made.json", "packages/base/base.py"):
        (scene.top / path).parent.mkdir(parents=True, exist_ok=True)
        (scene.top / path).write_text("1", encoding="utf-8")
    for task in ("other:lint", "other:unit"):
        scene.source.inputs[task] = {"files": ("packages/base/*",)}
    causes = ["packages/base/made.json changed"]
    assert scene.affected() == {"other:lint": causes, "other:unit": causes}


def test_declared_files_affect_who_declares_them(scene: Scene) -> None:
    """A file of another package counts for the task that names it, whatever its zone."""
    scene.source.inputs["other:unit"] = {"files": ("packages/base/tests/*.py", "packages/app/**")}
    scene.after["packages/base/tests/test_it.py"] = scene.after[APP] = "changed"
    found = scene.affected()
    assert found["other:unit"] == [f"{APP} changed", "packages/base/tests/test_it.py changed"]
    assert "other:lint" not in found


def test_a_task_without_own_files_ignores_them(scene: Scene) -> None:
    """Files of the package do not count for a task that reads none of them."""
    scene.source.inputs["other:unit"] = {"own": False}
    scene.after["packages/other/other.py"] = "changed"
    assert scene.affected().keys() == {"other:lint"}


def test_files_of_the_root_that_nothing_tests_affect_who_reads_all(scene: Scene) -> None:
    """The noxfile of a root package concerns its linters, its tests only where a table says so."""
    root = '[tool.monoyard]\nmembers = ["packages/*"]\nroot-package = "whole"\n'
    scene.source.inputs["whole:lint"] = {"unread": True}
    for table, expected in [
        ("", {"whole:lint"}),
        ('[tool.monoyard.files]\n"noxfile.py" = ["unit"]\n', {"whole:lint", "whole:unit"}),
        ('[tool.monoyard.files]\n"nox*.py" = []\n', {"whole:lint"}),
    ]:
        scene.before["pyproject.toml"] = scene.after["pyproject.toml"] = root + table
        scene.before["noxfile.py"], scene.after["noxfile.py"] = "old", "new"
        assert scene.affected().keys() == expected
        scene.after["noxfile.py"] = "old"
        scene.after["tests/test_all.py"] = "new"
        assert scene.affected().keys() == {"whole:lint", "whole:unit"}
        del scene.after["tests/test_all.py"]


def test_covered_files_are_compared_by_what_is_made_of_them(scene: Scene) -> None:
    """The lock and the settings affect a task only where its own part of them differs."""
    scene.source.covered = frozenset({"lock.txt"})
    scene.source.parts = lambda workspace: (
        ("lock", (("a", (workspace.tree.read("lock.txt") or b"").decode()), ("z", "1"))),
        ("settings", (("line-length", str(len(workspace.document)),),)),
    )  # fmt: skip
    scene.before["lock.txt"], scene.after["lock.txt"] = "1.0 abc", "2.0 def"
    assert scene.affected() == all_with("lock: a 1.0 -> 2.0")
    scene.after["pyproject.toml"] = ROOT + "[project]\nname = 'x'\n"
    assert "settings: line-length changed" in scene.affected()["app:lint"]
    scene.source.parts = lambda _: (("lock", (("a", "same"),)),)
    scene.after["pyproject.toml"] = ROOT
    assert scene.affected() == {}


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ((("a", "1 x"),), (("a", "2 y"),), "lock: a 1 -> 2"),
        ((("a", "1 x"),), (("a", "1 y"),), "lock: a 1 -> 1"),
        ((), (("a", "2 y"),), "lock: a absent -> 2"),
        ((("a", "1 x"),), (), "lock: a 1 -> absent"),
        ((("a", "1 | 2 x"),), (("a", "1 | 3 y"),), "lock: a 1 | 2 -> 1 | 3"),
        ((("a", "1"),), (("a", "2"),), "lock: a 1 -> 2"),
    ],
)
@pytest.mark.parametrize("part", ["lock", "lock of commands"])
def test_parts_are_compared_label_by_label(
    scene: Scene, part: str, old: Pairs, new: Pairs, cause: str
) -> None:
    """What appears, goes or changes in a part is one cause; the rest of the part is none."""
    scene.after |= package("extra")
    scene.source.parts = lambda workspace: (
        (part, (*(new if "extra" in workspace.packages else old), ("same", "1"))),
    )
    assert scene.affected()["app:unit"] == [cause]


@pytest.mark.parametrize("new", [(("a", "0"), ("a", "1")), (("a", "1"), ("a", "2")), ()])
def test_all_values_of_a_label_are_compared(scene: Scene, new: Pairs) -> None:
    """A label that is there several times differs where any of its values does."""
    scene.after |= package("extra")
    scene.source.parts = lambda workspace: (
        ("declarations", new if "extra" in workspace.packages else (("a", "1"),)),
    )
    assert scene.affected()["app:unit"] == ["declarations: a changed"]


def test_a_part_that_only_one_state_has_is_a_change(scene: Scene) -> None:
    """A part that is new or gone is compared with nothing."""
    scene.after |= package("extra")
    scene.source.parts = lambda workspace: (
        ("new" if "extra" in workspace.packages else "old", (("x", "1"),)),
    )
    assert scene.affected()["app:unit"] == ["new: x changed", "old: x changed"]


def test_parts_are_not_compared_where_they_cannot_differ(scene: Scene) -> None:
    """Without the tasks of the base only files count, and no task is called new."""
    scene.after[APP] = "VALUE = 2\n"
    changes = replace(scene.changes(), before=None)
    assert scene.affected(changes) == {
        task: [f"{APP} changed"] for task in ("app:lint", "app:unit")
    }


def test_a_dependency_given_up_still_affects(scene: Scene) -> None:
    """Who needed a package at the base is affected by a change of it, needing it or not."""
    scene.after |= package("core")
    scene.after[BASE] = "VALUE = 2\n"
    found = scene.affected()
    assert f"needs base (app -> core -> base), where {BASE} changed" in found["app:unit"]


def test_the_engine_itself_affects_everything(scene: Scene) -> None:
    """Where the engine is developed, a change of what makes keys affects every task."""
    scene.top = Path(monoyard.__file__).resolve().parent.parent
    table = '[tool.monoyard.files]\n"monoyard/**" = []\n'
    scene.before["pyproject.toml"] = scene.after["pyproject.toml"] = ROOT + table
    scene.after["monoyard/plan/keys.py"] = "changed"
    assert scene.affected() == all_with("the engine changed: monoyard/plan/keys.py")
    del scene.after["monoyard/plan/keys.py"]
    scene.after["monoyard/report/page.py"] = scene.after["monoyard/notes.md"] = "changed"
    assert scene.affected() == {}


def test_an_engine_from_elsewhere_is_no_file_of_the_workspace(scene: Scene) -> None:
    """A directory that only looks like the engine's does not affect everything."""
    table = '[tool.monoyard.files]\n"src/**" = []\n"monoyard/**" = []\n'
    scene.before["pyproject.toml"] = scene.after["pyproject.toml"] = ROOT + table
    scene.after["src/monoyard/plan/keys.py"] = scene.after["monoyard/plan/keys.py"] = "changed"
    assert scene.affected() == {}


def test_what_an_affected_task_makes_affects_who_may_read_it(scene: Scene) -> None:
    """Whoever needs it, directly or not, is affected; who needs what makes nothing is not."""
    scene.source.settings = {
        "base:lint": {"outputs": ("made/**",)},
        "core:lint": {"needs": ("base:unit", "base:lint")},
        "app:lint": {"needs": ("core:lint", "base:unit")},
        "other:lint": {"needs": ("base:unit",)},
        "other:unit": {"needs": ("core:unit",)},
    }
    scene.after["packages/base/tests/test_it.py"] = "changed"
    found = scene.affected()
    assert found.keys() == {"base:lint", "base:unit", "core:lint", "app:lint"}
    made = "needs what base:lint makes, which is affected"
    assert found["core:lint"] == found["app:lint"] == [made]
    scene.after["packages/app/app.py"] = "changed"
    assert scene.affected()["app:lint"] == ["packages/app/app.py changed", made]
    scene.after = {**scene.before, "packages/core/tests/test_it.py": "changed"}
    assert scene.affected().keys() == {"core:lint", "core:unit"}


def test_causes_are_data_with_a_sentence(scene: Scene) -> None:
    """A cause prints as its type, its fields and its sentence."""
    scene.after[BASE] = "VALUE = 2\n"
    (cause,) = next(item.causes for item in scene.plan().affected if item.task.id == "core:unit")
    assert cause_data(cause) == {
        "type": "DependsOn",
        "package": "base",
        "through": ("core", "base"),
        "path": BASE,
        "text": f"needs base (core -> base), where {BASE} changed",
    }
