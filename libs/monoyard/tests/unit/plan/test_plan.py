from __future__ import annotations

from typing import Any

import pytest

from monoyard.cache import StoredResult
from monoyard.changes import Base, Changes, Event
from monoyard.errors import ConfigurationError
from monoyard.plan import Entries, Plan, PlannedTask, Selection, Sourced, State, Task
from monoyard.workspace import Workspace

from .conftest import BASE, WORKSPACE_ID, Scene, Source, package

ALL = {f"{name}:{suite}" for name in ("app", "base", "core", "other") for suite in ("lint", "unit")}


def states(plan: Plan) -> dict[str, set[str]]:
    """Return state to the tasks in it."""
    return {state.value: {item.task.id for item in plan.in_state(state)} for state in State}


def named(plan: Plan, task: str) -> PlannedTask:
    """Return what a plan says of a task."""
    return next(item for item in plan.tasks if item.task.id == task)


def remember(scene: Scene, task: str, under: str | None = None) -> None:
    """Store a result of a task under its key, or under that of another one."""
    manifest = named(scene.plan(), under or task).manifest
    assert manifest is not None
    assert scene.store.put(
        StoredResult(
            key=manifest.key, task=task, payload={}, outputs=(), artifacts=(),
            duration_seconds=1.0, created_at=1.0, engine_version="0",
        ),
        {},
    )  # fmt: skip


def test_without_a_selection_every_task_runs(scene: Scene) -> None:
    """A plan of everything selects everything, with its key, affected or not."""
    plan = scene.plan()
    assert states(plan) == {"hit": set(), "run": ALL, "skip": set(), "not-selected": set()}
    assert {item.task.id for item in plan.selected} == ALL
    assert all(item.manifest is not None and item.stored is None for item in plan.tasks)
    assert not plan.narrowed
    assert (plan.affected, plan.base, plan.changed) == ((), BASE, frozenset())


@pytest.mark.parametrize(
    ("selection", "left", "reasons"),
    [
        ({"packages": ("app",)}, {"app:lint", "app:unit"}, {"the package was not named"}),
        ({"packages": ("app", "core"), "exclude": ("core",)}, {"app:lint", "app:unit"},
         {"the package was not named", "excluded on the command line"}),
        ({"suites": ("lint",), "packages": ("app",)}, {"app:lint"},
         {"the package was not named", "the suite was not named"}),
        ({"exclude": ("app", "base", "core")}, {"other:lint", "other:unit"},
         {"excluded on the command line"}),
    ],
)  # fmt: skip
def test_what_is_not_asked_for_is_not_selected(
    scene: Scene, selection: dict[str, Any], left: set[str], reasons: set[str]
) -> None:
    """Packages, suites and exclusions narrow a plan, and each task left out says why."""
    plan = scene.plan(**selection)
    assert {item.task.id for item in plan.selected} == left
    out = plan.in_state(State.NOT_SELECTED)
    assert {item.reason for item in out} == reasons
    assert all(item.manifest is None for item in out)
    assert not plan.narrowed


@pytest.mark.parametrize(
    ("selection", "event", "narrows"),
    [
        ({"only_affected": True}, Event(), True),
        ({"since": "main"}, Event(), True),
        ({}, Event("pull-request"), True),
        ({}, Event("merge-queue"), True),
        ({}, Event("push"), False),
        ({}, Event(), False),
    ],
)
def test_only_a_question_about_a_change_leaves_out_what_it_does_not_affect(
    scene: Scene, selection: dict[str, Any], event: Event, narrows: bool
) -> None:
    """A pull request runs what it affects; a push of the default branch runs everything."""
    scene.after["packages/other/other.py"] = "changed"
    plan = scene.plan(event=event, **selection)
    affected = {"other:lint", "other:unit"}
    assert {item.task.id for item in plan.affected} == affected
    assert {item.task.id for item in plan.selected} == (affected if narrows else ALL)
    assert plan.narrowed is narrows
    if narrows:
        why = "no change since where this branch left `main` affects it"
        assert {item.reason for item in plan.in_state(State.NOT_SELECTED)} == {why}


def test_an_unknown_base_leaves_nothing_out(scene: Scene) -> None:
    """A pull request whose base cannot be found runs every task."""
    changes = Changes(Base(None, "", "the clone is shallow"))
    plan = scene.plan(changes, event=Event("pull-request"))
    assert {item.task.id for item in plan.selected} == ALL


def test_a_base_that_cannot_be_planned_is_unknown(scene: Scene) -> None:
    """Faults in the tasks of the base leave it unknown, and then everything is affected."""

    class Faulty(Source):
        def tasks(self, workspace: Workspace) -> Sourced:
            if "extra" not in workspace.packages:
                raise ConfigurationError("faults", context=("pyproject.toml: bad",))
            return super().tasks(workspace)

    scene.after |= package("extra")
    plan = scene.plan(sources=(Faulty(),), only_affected=True)
    reason = "the configuration at the base has faults: pyproject.toml: bad"
    assert plan.base == Base(None, "", reason)
    assert {str(cause) for item in plan.affected for cause in item.causes} == {
        f"the base is unknown: {reason}"
    }
    assert len(plan.selected) == len(plan.tasks) == 10
    assert plan.changed == scene.changes().paths


def test_needs_of_selected_tasks_are_selected(scene: Scene) -> None:
    """What must pass first is part of the run, through any number of steps."""
    scene.source.settings = {
        "app:unit": {"needs": ("core:unit", "app:lint")},
        "core:unit": {"needs": ("base:lint",)},
        "other:unit": {"needs": ("other:lint",)},
    }
    plan = scene.plan(packages=("app",), suites=("unit",))
    assert {item.task.id for item in plan.selected} == {
        "app:lint", "app:unit", "base:lint", "core:unit",
    }  # fmt: skip
    assert all(item.reason == "" for item in plan.selected)


def test_a_known_result_is_a_hit_until_its_key_changes(scene: Scene) -> None:
    """A stored result is found under the key it was made for, and by its own task alone."""
    remember(scene, "app:unit")
    plan = scene.plan()
    assert states(plan)["hit"] == {"app:unit"}
    hit = named(plan, "app:unit")
    assert hit.stored is not None
    assert hit.manifest is not None
    assert (hit.stored.task, hit.stored.key, hit.estimate) == ("app:unit", hit.manifest.key, 0.0)
    scene.after["packages/base/base.py"] = "changed"
    assert states(scene.plan())["hit"] == set()


def test_the_result_of_another_task_is_no_hit(scene: Scene) -> None:
    """A result that names another task is never taken, though it lies under the right key."""
    remember(scene, "other:unit", under="app:unit")
    assert states(scene.plan())["hit"] == set()


@pytest.mark.parametrize(
    ("selection", "has_keys"), [({"force": True}, True), ({"use_cache": False}, False)]
)
def test_known_results_can_be_refused(
    scene: Scene, selection: dict[str, Any], has_keys: bool
) -> None:
    """Forcing runs again and still has keys to store under; without the cache there are none."""
    remember(scene, "app:unit")
    plan = scene.plan(**selection)
    assert states(plan)["run"] == ALL
    assert {item.manifest is not None for item in plan.tasks} == {has_keys}


def test_tasks_that_may_not_be_replayed_never_are(scene: Scene) -> None:
    """A task that is not cacheable runs, whatever lies under its key; others are still found."""
    scene.source.settings = {"app:lint": {"is_cacheable": False}}
    for task in ("app:lint", "app:unit"):
        remember(scene, task)
    assert states(scene.plan())["hit"] == {"app:unit"}


def test_a_task_that_cannot_run_is_skipped_with_its_reason(scene: Scene) -> None:
    """A skip says why, has no key and is no hit; others keep their keys."""
    remember(scene, "app:lint")
    scene.source.settings = {"app:lint": {"skip": "no node here"}}
    plan = scene.plan()
    skipped = named(plan, "app:lint")
    assert (skipped.state, skipped.reason) == (State.SKIP, "no node here")
    assert (skipped.manifest, skipped.estimate) == (None, 0.0)
    assert states(plan)["run"] == ALL - {"app:lint"}
    assert named(scene.plan(exclude=("app",)), "app:lint").state is State.NOT_SELECTED


def test_causes_are_told_whatever_happens_to_a_task(scene: Scene) -> None:
    """A known result, a skip and a task left out are affected as one that runs is."""
    scene.after["packages/app/app.py"] = "changed"
    scene.source.settings = {"app:lint": {"skip": "no node here"}}
    remember(scene, "app:unit")
    plan = scene.plan()
    assert {item.state for item in plan.affected} == {State.HIT, State.SKIP}
    left_out = scene.plan(packages=("other",))
    assert {item.state for item in left_out.affected} == {State.NOT_SELECTED}
    for found in (plan, left_out):
        causes = [str(cause) for item in found.affected for cause in item.causes]
        assert causes == ["packages/app/app.py changed"] * 2


def test_estimates_come_from_history_or_the_task(scene: Scene) -> None:
    """What ran here before is expected to take as long; what never ran, what its task says."""
    scene.source.settings = {"app:lint": {"estimate": 7.0}, "app:unit": {"estimate": 7.0}}
    scene.store.history.record_durations(WORKSPACE_ID, {"app:unit": 3.0, "base:lint": 4.0})
    scene.store.history.record_durations("elsewhere", {"app:lint": 9.0})
    plan = scene.plan(exclude=("base",))
    expected = {task: named(plan, task).estimate for task in ("app:lint", "app:unit", "base:lint")}
    assert expected == {"app:lint": 7.0, "app:unit": 3.0, "base:lint": 4.0}


def test_a_resolution_is_asked_for_and_part_of_the_key(scene: Scene) -> None:
    """What only the machine knows is asked for each task that needs a key, and changes it."""
    asked: list[str] = []

    def resolve(task: Task) -> Entries:
        asked.append(task.id)
        return (("pip", task.id),)

    plain = named(scene.plan(), "app:unit").manifest
    resolved = named(scene.plan(packages=("app",), resolve=resolve), "app:unit").manifest
    assert sorted(asked) == ["app:lint", "app:unit"]
    assert plain is not None
    assert resolved is not None
    assert resolved.entries("resolution") == (("pip", "app:unit"),)
    assert resolved.key != plain.key


def keys_of_needs(plan: Plan, task: str) -> Entries:
    """Return the tasks whose files a task may read, with their keys, as its own key has them."""
    manifest = named(plan, task).manifest
    return manifest.entries("needs") if manifest is not None else ()


def test_the_keys_of_makers_are_in_the_key_of_who_may_read_what_they_make(scene: Scene) -> None:
    """A change of what made a file is another key for all who need it, through any steps."""
    scene.source.settings = {
        "base:lint": {"outputs": ("made/**",)},
        "core:lint": {"outputs": ("made/**",), "needs": ("base:lint", "base:unit")},
        "app:lint": {"needs": ("app:unit", "core:lint", "base:lint")},
        "other:lint": {"needs": ("base:unit",)},
    }
    plan = scene.plan()
    keys = {item.task.id: item.manifest.key for item in plan.tasks if item.manifest is not None}
    first = ("base:lint", keys["base:lint"])
    assert keys_of_needs(plan, "core:lint") == (first,)
    assert keys_of_needs(plan, "app:lint") == (first, ("core:lint", keys["core:lint"]))
    assert keys_of_needs(plan, "other:lint") == keys_of_needs(plan, "base:lint") == ()
    remember(scene, "app:lint")
    assert states(scene.plan())["hit"] == {"app:lint"}
    scene.after["packages/base/README.md"] = "changed"
    assert states(scene.plan())["hit"] == set()


def test_a_maker_that_is_no_part_of_the_run_is_in_the_key(scene: Scene) -> None:
    """A task that cannot run here has no key of its own, yet counts for who needs it."""
    scene.source.settings = {
        "base:lint": {"outputs": ("made/**",)},
        "core:lint": {"needs": ("base:lint",)},
    }
    whole = scene.plan()
    scene.source.settings["base:lint"]["skip"] = "no node here"
    plan = scene.plan(packages=("core",))
    assert named(plan, "base:lint").manifest is None
    assert keys_of_needs(plan, "core:lint") == keys_of_needs(whole, "core:lint") != ()


def test_files_covered_at_the_base_are_covered(scene: Scene) -> None:
    """A lock that is gone is compared by what was made of it, as it would be were it there."""
    scene.before["old.lock"] = "1"
    scene.source.covered = frozenset({"old.lock"})
    assert scene.plan().affected == ()


def test_sources_are_put_together_in_order(scene: Scene) -> None:
    """Tasks of all sources are in the plan; a note that two of them make is there once."""
    scene.source.notes = ("one", "two")
    scene.source.names = ("lint",)
    more = Source(names=("unit",), notes=("two", "three"), covered=frozenset({"x"}))
    plan = scene.plan(sources=(scene.source, more))
    assert plan.notes == ("one", "two", "three")
    assert [item.task.suite for item in plan.tasks] == ["lint"] * 4 + ["unit"] * 4
    scene.after["x"] = "covered by the second source"
    assert scene.plan(sources=iter((scene.source, more))).affected == ()


def test_notes_of_the_workspace_come_first(scene: Scene) -> None:
    """What reading the workspace found is told before what the tasks found."""
    scene.source.notes = ("a note",)
    scene.after["packages/bad/pyproject.toml"] = '[project]\nname = "-"\n'
    notes = scene.plan().notes
    assert len(notes) == 2
    assert notes[0].startswith("packages/bad/pyproject.toml: `-` is no project name")
    assert notes[1] == "a note"


def test_a_plan_has_the_states_that_its_tasks_read(scene: Scene) -> None:
    """Whoever runs a plan finds the work tree that it is about and the files of the base in it."""
    scene.after |= package("extra")
    path = "packages/app/app.py"
    scene.source.inputs["app:unit"] = {"base_files": (path,)}
    changes = scene.changes()
    plan = scene.plan(changes)
    assert plan.workspace.packages.keys() == {"app", "base", "core", "extra", "other"}
    assert changes.tree is not None
    assert plan.base_tree is changes.tree
    manifest = named(plan, "app:unit").manifest
    assert manifest is not None
    assert manifest.entries("base files") == ((path, changes.tree.entries[path]),)


def test_a_session_restricts_a_plan(scene: Scene) -> None:
    """What a session does not run is not selected for that reason; an earlier reason stays."""
    plan = scene.plan(exclude=("other",)).restricted(lambda task: task.suite == "lint")
    assert {item.task.id for item in plan.selected} == {"app:lint", "base:lint", "core:lint"}
    assert named(plan, "app:unit").reason == "not part of this session"
    assert named(plan, "other:unit").reason == "excluded on the command line"


def test_a_selection_of_nothing_narrows_nothing() -> None:
    """What is asked for by default is everything."""
    assert not Selection().narrows_by_change(Event())


def test_a_whole_selection_is_not_narrowed() -> None:
    """Where all is wanted, neither a ref nor the event of a pull request leaves anything out."""
    event = Event("pull-request")
    assert Selection(since="HEAD").narrows_by_change(event)
    assert not Selection(since="HEAD", only_affected=True, whole=True).narrows_by_change(event)
