from __future__ import annotations

import pytest

from monoyard.plan import Entries, Explanation, explain

from .conftest import WORKSPACE_ID, Scene

CORE = "packages/core/core.py"


def succeed(scene: Scene) -> None:
    """Remember that every task passed as it is now, as a run does."""
    planned = scene.plan().tasks
    explain(planned, scene.store, WORKSPACE_ID)
    keys = {item.task.id: item.manifest.key for item in planned if item.manifest is not None}
    scene.store.history.record_successes(WORKSPACE_ID, keys)


def explained(scene: Scene, task: str = "app:unit") -> Explanation:
    """Return why a task has to run."""
    return explain(scene.plan().tasks, scene.store, WORKSPACE_ID)[task]


def test_what_never_passed_here_says_so(scene: Scene) -> None:
    """Without a success there is nothing to compare with; one of another workspace is none."""
    assert explained(scene) == Explanation(problem="it has not passed here yet")
    succeed(scene)
    found = explain(scene.plan().tasks, scene.store, "elsewhere")
    assert {item.problem for item in found.values()} == {"it has not passed here yet"}


def test_the_key_of_the_last_success_says_so(scene: Scene) -> None:
    """A task that runs under the key it passed with differs in nothing."""
    succeed(scene)
    assert explained(scene) == Explanation(problem="its key is that of the last success")


def test_a_success_without_its_manifest_says_so(scene: Scene) -> None:
    """Where the store no longer knows what a key was made from, that is the answer."""
    planned = {item.task.id: item for item in scene.plan().tasks}
    scene.store.history.record_successes(WORKSPACE_ID, dict.fromkeys(planned, "0" * 64))
    problem = "what stood behind its last success is no longer kept"
    assert explained(scene) == Explanation(problem=problem)


def test_tasks_without_a_key_are_not_explained(scene: Scene) -> None:
    """What is not part of the run has no line; the others have theirs."""
    found = explain(scene.plan(packages=("app",)).tasks, scene.store, WORKSPACE_ID)
    assert found.keys() == {"app:lint", "app:unit"}


def test_files_are_named_with_what_happened_to_them(scene: Scene) -> None:
    """Changed, new and gone files of a package and of what it needs are one line each."""
    scene.before["packages/core/gone.py"] = scene.after["packages/core/gone.py"] = ""
    succeed(scene)
    del scene.after["packages/core/gone.py"]
    scene.after[CORE] = scene.after["packages/core/new.py"] = scene.after["loose"] = "changed"
    lines = (f"changed: {CORE}", "new: packages/core/new.py", "gone: packages/core/gone.py")
    assert explained(scene).lines == ("new: loose", *lines)
    assert explained(scene, "core:lint").lines == ("new: loose", *lines)
    assert explained(scene, "other:lint").lines == ("new: loose",)


PARTS: list[tuple[str, Entries, Entries, str]] = [
    ("lock", (("a", "1 x"),), (("a", "2 y"),), "lock: a 1 -> 2"),
    ("lock", (), (("a", "2 y"),), "lock: a absent -> 2"),
    ("lock", (("a", "1 x"),), (), "lock: a 1 -> absent"),
    ("lock", (("a", "1 | 2 x"),), (("a", "1 | 3 y"),), "lock: a 1 | 2 -> 1 | 3"),
    ("lock of commands", (("a", "1 x"),), (("a", "2 y"),), "lock: a 1 -> 2"),
    ("settings", (("strict", "1"),), (("strict", "2"),), "settings: strict changed"),
    ("settings", (), (("strict", "2"),), "settings: strict added"),
    ("settings", (("strict", "1"),), (), "settings: strict removed"),
]


@pytest.mark.parametrize(("part", "old", "new", "line"), PARTS)
def test_a_part_is_explained_in_its_own_words(
    scene: Scene, part: str, old: Entries, new: Entries, line: str
) -> None:
    """A lock shows all versions, any other part its label and what happened to it."""
    scene.source.parts = lambda _: ((part, (("same", "1"), *old)),)
    succeed(scene)
    scene.source.parts = lambda _: ((part, (("same", "1"), *new)),)
    assert explained(scene).lines == (line,)


def test_a_whole_part_that_appears_is_named(scene: Scene) -> None:
    """A part that the last success did not have is named with what it holds."""
    succeed(scene)
    scene.source.parts = lambda _: (("command", (("argv", "x"),)),)
    (line,) = explained(scene).lines
    assert line.startswith("command")
    assert line.endswith("added")


def test_files_come_before_the_rest_and_a_crowd_is_counted(scene: Scene) -> None:
    """Six lines are shown, sources first, and the others are counted."""
    scene.source.parts = lambda _: (("lock", (("a", "1"), ("b", "1"))),)
    succeed(scene)
    scene.source.parts = lambda _: (("lock", (("a", "2"), ("b", "2"))),)
    for number in range(4):
        scene.after[f"packages/core/new_{number}.py"] = ""
    news = tuple(f"new: packages/core/new_{number}.py" for number in range(4))
    assert explained(scene).lines == (*news, "lock: a 1 -> 2", "lock: b 1 -> 2")
    scene.after["packages/core/new_4.py"] = ""
    assert explained(scene).lines == (
        *news, "new: packages/core/new_4.py", "lock: a 1 -> 2", "... and 1 more differences",
    )  # fmt: skip


def test_files_come_before_the_engine(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody edited stands before what is hashed first, with sources of others as well."""
    succeed(scene)
    monkeypatch.setattr("monoyard.plan.keys.__version__", "another")
    scene.after["packages/base/base.py"] = "changed"
    lines = ("changed: packages/base/base.py", "engine: version changed")
    assert explained(scene).lines == explained(scene, "base:lint").lines == lines


def test_manifests_are_stored_with_their_parts(scene: Scene) -> None:
    """What is explained today can be compared with tomorrow: every part is kept, and once."""
    planned = scene.plan().tasks
    explain(planned, scene.store, WORKSPACE_ID)
    for item in planned:
        assert item.manifest is not None
        kept = scene.store.manifests.get_many([item.manifest.key])[item.manifest.key]
        assert kept == dict(item.manifest.parts)
        for name, digest in kept.items():
            assert scene.store.manifests.part(digest) == item.manifest.entries(name)
    assert scene.store.notes == ()


def test_the_sentence_for_a_part_that_is_no_longer_kept(scene: Scene) -> None:
    """A part that differs and cannot be listed any more is named as a whole."""
    succeed(scene)
    planned = next(item for item in scene.plan().tasks if item.task.id == "app:lint")
    assert planned.manifest is not None
    gone = dict.fromkeys(("files of app", "tools", "lock"), "1" * 64)
    lost = {**planned.manifest.parts, **gone}
    scene.store.manifests.put({"2" * 64: lost}, {})
    scene.store.history.record_successes(WORKSPACE_ID, {"app:lint": "2" * 64})
    found = explain([planned], scene.store, WORKSPACE_ID)["app:lint"]
    assert found.lines == ("files of app unknown", "tools unknown", "lock unknown")
