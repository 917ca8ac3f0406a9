"""Tasks shared among machines."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monoyard.changes import Base
from monoyard.errors import ConfigurationError
from monoyard.plan import (
    DURATIONS_FILE,
    Division,
    Inputs,
    Plan,
    PlannedTask,
    State,
    Task,
    divide,
    durations_document,
    read_durations,
    take,
)
from monoyard.workspace import Workspace

from .conftest import Scene

NAMES = [f"p{number}:{suite}" for number in range(12) for suite in ("lint", "unit")]
STATES = [State.RUN, State.HIT, State.SKIP, State.NOT_SELECTED]


def split(name: str) -> tuple[str, str]:
    """Return package and suite of a task."""
    package, _, suite = name.partition(":")
    return package, suite


def plan_of(
    tasks: Mapping[str, tuple[str, ...]], states: Mapping[str, State] | None = None
) -> Plan:
    """Return a plan of tasks with their needs; one without a state will run."""
    known = states or {}
    planned = tuple(
        PlannedTask(Task(name, *split(name), Inputs(), needs), known.get(name, State.RUN))
        for name, needs in tasks.items()
    )
    base = Base(None, "", "there is no branch")
    # What divides looks at the tasks alone.
    return Plan(planned, base, frozenset(), (), False, cast("Workspace", None), None)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan in which tasks need some of those before them, and are in all states."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=24))
    tasks = {
        name: tuple(draw(st.lists(st.sampled_from(names[:place]), unique=True, max_size=2)))
        if place else ()
        for place, name in enumerate(names)
    }  # fmt: skip
    return plan_of(tasks, {name: draw(st.sampled_from(STATES)) for name in names})


tables = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 10_000))
counts = st.integers(1, 9)


@given(plan=plans(), table=tables, count=counts)
def test_every_selected_task_is_in_one_shard(
    plan: Plan, table: dict[str, float], count: int
) -> None:
    """However tasks are divided, none is lost, none is doubled, and no other one is added."""
    division = divide(plan, table, count)
    dealt = [task for shard in division.shards for task in shard]
    assert sorted(dealt) == sorted(item.task.id for item in plan.selected)
    assert len(division.shards) == count
    taken = [
        item.task.id for number in range(1, count + 1)
        for item in take(plan, division, number).selected
    ]  # fmt: skip
    assert sorted(taken) == sorted(dealt)


@given(plan=plans(), table=tables, count=counts)
def test_tasks_stay_with_what_they_need(plan: Plan, table: dict[str, float], count: int) -> None:
    """A task is in the shard of every selected task that it needs."""
    places = {
        task: number
        for number, shard in enumerate(divide(plan, table, count).shards)
        for task in shard
    }
    for item in plan.selected:
        for need in item.task.needs:
            assert places.get(need, places[item.task.id]) == places[item.task.id]


@given(plan=plans(), table=tables, count=counts, data=st.data())
def test_what_one_machine_knows_does_not_count(
    plan: Plan, table: dict[str, float], count: int, data: st.DataObject
) -> None:
    """Hits, skips, a store's estimates and the order of tasks change neither shards nor proof."""
    known = [state for state in STATES if state is not State.NOT_SELECTED]
    elsewhere = tuple(
        item if item.state is State.NOT_SELECTED
        else replace(item, state=data.draw(st.sampled_from(known)), estimate=99.0)
        for item in data.draw(st.permutations(plan.tasks))
    )  # fmt: skip
    here = divide(plan, table, count)
    there = divide(replace(plan, tasks=elsewhere), table, count)
    assert (here.shards, here.proof) == (there.shards, there.proof)


def test_durations_balance_the_work() -> None:
    """The longest goes first to the shard with the least work, so that all end at one time."""
    names = ("a:unit", "b:unit", "c:unit", "d:unit", "e:unit")
    table = dict(zip(names, (60.0, 30.0, 20.0, 10.0, 0.0), strict=True))
    division = divide(plan_of(dict.fromkeys(names, ())), table, 2)
    assert division.shards == (("a:unit", "e:unit"), ("b:unit", "c:unit", "d:unit"))
    assert (division.work(1), division.work(2)) == (60.1, 60.0)
    assert division.basis == f"5 durations of {DURATIONS_FILE}"


def test_unknown_durations_are_those_of_the_suite_or_a_guess() -> None:
    """Without a duration the middle of its suite in the table counts, else the task's own guess."""
    tasks = dict.fromkeys(("new:unit", "b:unit", "b:lint"), ())
    table = {"a:unit": 2.0, "b:unit": 4.0, "c:unit": 9.0}
    division = divide(plan_of(tasks), table, 1)
    assert division.seconds == {"new:unit": 4.0, "b:unit": 4.0, "b:lint": 2.0}
    assert division.basis == f"1 duration of {DURATIONS_FILE}, 2 estimated"
    assert divide(plan_of(tasks), {}, 1).basis.startswith("estimates, for ")


def test_proof_tells_divisions_apart() -> None:
    """Another task, another duration that moves one, or another count gives another proof."""
    tasks = dict.fromkeys(("a:unit", "b:unit", "c:unit"), ())
    proofs = {
        division.proof
        for division in (
            divide(plan_of(tasks), {}, 2),
            divide(plan_of(tasks), {"a:unit": 90.0, "b:unit": 1.0}, 2),
            divide(plan_of({**tasks, "d:unit": ()}), {}, 2),
            divide(plan_of(tasks), {}, 3),
        )
    }
    assert len(proofs) == 4


def test_table_comes_from_the_work_tree(scene: Scene) -> None:
    """The table is read from the tree, and nobody runs anything for a change of it."""
    assert read_durations(scene.plan()) == {}
    scene.after[DURATIONS_FILE] = '{"version": 1, "seconds": {"app:unit": 7}}'
    assert read_durations(scene.plan()) == {"app:unit": 7}
    assert scene.affected() == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"version": 2, "seconds": {}}', '{"version": 1, "seconds": {"a:unit": -1}}',
     '{"version": 1, "seconds": {"a:unit": NaN}}', '{"version": 1, "seconds": {"a:unit": true}}'],
)  # fmt: skip
def test_table_of_another_shape_is_refused(scene: Scene, text: str) -> None:
    """A table that cannot be read is an error: another one would divide otherwise."""
    scene.after[DURATIONS_FILE] = text
    with pytest.raises(ConfigurationError, match="no table of durations"):
        read_durations(scene.plan())


def test_table_keeps_what_it_knows_of_tasks_that_are_left(scene: Scene) -> None:
    """A new table has the latest durations, older ones where there are none, and no task gone."""
    document = durations_document(
        scene.plan(), {"app:unit": 1.0, "app:lint": 2.0, "gone:unit": 3.0}, {"app:unit": 4.04}
    )
    assert document == {"version": 1, "seconds": {"app:lint": 2.0, "app:unit": 4.0}}


def test_no_shard_has_no_work() -> None:
    """A division of nothing has shards without tasks."""
    division = divide(plan_of({}), {}, 3)
    assert division == Division(((), (), ()), {}, 0)
