"""What changed and whom it reaches, as a graph."""

from typing import cast

from monoyard.changes import Base
from monoyard.plan import (
    Cause,
    ChangedFile,
    DependsOn,
    EngineChanged,
    Inputs,
    LockChanged,
    Plan,
    PlannedTask,
    State,
    Task,
)
from monoyard.report.graphs import causes_graph
from monoyard.workspace import Workspace


def plan_of(causes: dict[str, tuple[Cause, ...]]) -> Plan:
    """Return a plan of packages with one task each, and its causes."""
    tasks = tuple(
        PlannedTask(Task(f"{name}:unit", name, "unit", Inputs()), State.RUN, why)
        for name, why in causes.items()
    )
    # Nothing is drawn from the workspace.
    return Plan(tasks, Base(None, "", ""), frozenset(), (), False, cast("Workspace", None), None)


def drawn(causes: dict[str, tuple[Cause, ...]]) -> tuple[dict[str, str], int]:
    """Return the titles of nodes by their labels, and the number of edges."""
    graph = causes_graph(plan_of(causes))
    assert graph is not None
    nodes = [group for group in graph.iter("g") if (group.get("class") or "").startswith("node")]
    titles = {group.findtext("text") or "": group.findtext("title") or "" for group in nodes}
    assert len(titles) == len(nodes)
    return titles, sum(path.get("class") == "edge" for path in graph.iter("path"))


def test_nothing_affected_is_no_graph() -> None:
    """Where no package is affected there is nothing to draw."""
    assert causes_graph(plan_of({"a": ()})) is None


def test_causes_reach_packages_through_others() -> None:
    """A file is drawn beside its package, and the way from there to whoever needs it."""
    needed = DependsOn("c", ("a", "b", "c"), "c/c.py")
    titles, edges = drawn({"a": (needed,), "c": (ChangedFile("c/c.py"),), "d": ()})
    assert titles == {
        "a": f"a: affected\n{needed}", "b": "b: not affected", "c": "c: affected\nc/c.py changed",
        "c/c.py": "c/c.py changed",
    }  # fmt: skip
    assert edges == 3


def test_what_is_common_stands_there_once() -> None:
    """A cause of several packages is one node; of many causes the rest is one, too."""
    many = tuple(EngineChanged(f"engine/{number}.py") for number in range(30))
    titles, edges = drawn({"a": many, "b": many})
    shown = [label for label in titles if label.startswith("engine/")]
    assert len(shown) == 4
    rest = titles["and 26 more"].splitlines()
    assert (rest[0], rest[-1]) == ("the engine changed: engine/4.py", "... and 14 more")
    assert edges == 10


def test_long_names_are_shortened_and_told_whole() -> None:
    """A label keeps the end of a long path, and its title all of it."""
    path = f"{'deep/' * 30}file.py"
    titles, _ = drawn({"a": (ChangedFile(path), LockChanged("x", "1", "2"))})
    (label,) = (label for label in titles if label.endswith("file.py"))
    assert label.startswith("...")
    assert titles[label] == f"{path} changed"
    assert titles["lock: x 1 -> 2"] == "lock: x 1 -> 2"
