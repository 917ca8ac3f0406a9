from __future__ import annotations

from pathlib import Path

import pytest

from monoyard import __version__
from monoyard.cache import part_digest
from monoyard.plan import Entries, Inputs, Keys, Manifest, Task

from .conftest import ROOT, MemoryTree, Scene, all_files

TABLE = ROOT + '[tool.monoyard.files]\n"data/**" = ["unit"]\n"notes/**" = []\n'
ROOTED = '[tool.monoyard]\nmembers = ["packages/*"]\nroot-package = "whole"\n'


def entry(text: str) -> str:
    """Return what stands for a file with this text."""
    return MemoryTree({"x": text}, Path()).entries["x"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("packages/base/base.py", "VALUE = 2\n"),
        ("packages/base/new.py", ""),
        ("packages/base/tests/test_it.py", "changed"),
        ("packages/base/README.md", "changed"),
        ("packages/app/app.py", "changed"),
        ("loose.txt", "changed"),
        ("data/table.csv", "changed"),
        ("notes/x", "changed"),
        ("README.md", "changed"),
        ("covered.txt", "changed"),
        ("noxfile.py", "changed"),
        ("tests/test_all.py", "changed"),
        ("packages/app/tests/shared.json", "changed"),
    ],
)
@pytest.mark.parametrize("root", [TABLE, TABLE + "root-package"])
def test_a_task_has_another_key_exactly_when_a_file_affects_it(
    scene: Scene, path: str, text: str, root: str
) -> None:
    """What runs because of a change and what finds no result because of it are the same tasks."""
    root = root.replace("root-package", "").replace(ROOT, ROOTED if root != TABLE else ROOT)
    scene.source.covered = frozenset({"covered.txt"})
    scene.source.inputs = {
        "whole:lint": {"unread": True},
        "other:lint": {"own": False},
        "other:unit": {"files": ("packages/app/tests/*.json",)},
    }
    scene.before = {**all_files(root), "covered.txt": "", "loose.txt": "", "noxfile.py": ""}
    scene.after = {**scene.before, path: text}
    old, new = scene.manifests(scene.before), scene.manifests(scene.after)
    differing = {task for task in new if new[task].key != old[task].key}
    assert differing == scene.affected().keys()


def test_a_manifest_lists_what_it_was_hashed_from(scene: Scene) -> None:
    """Every part can be asked for its entries, and they are those behind its digest."""
    scene.source.inputs["core:unit"] = {
        "files": ("packages/app/*.py",),
        "base_files": ("packages/app/app.py", "gone"),
        "parts": (("settings", (("strict", "true"),)),),
    }
    scene.after["loose.txt"] = "text"
    (task,) = (
        task for task in scene.source.tasks(scene.workspace(scene.after)).tasks
        if task.id == "core:unit"
    )  # fmt: skip
    made = scene.keys().manifest(task, (("pip", "26"),))
    for name, digest in made.parts.items():
        assert part_digest(made.entries(name)) == digest
    found = {name: made.entries(name) for name in made.parts}
    assert found.pop("engine")[0] == ("version", __version__)
    value, empty = entry("VALUE = 1\n"), entry("")
    assert found == {
        "unowned files": (("loose.txt", entry("text")), ("pyproject.toml", entry(ROOT))),
        "files for unit": (),
        "files of core": (
            ("packages/core/README.md", empty),
            ("packages/core/core.py", value),
            ("packages/core/pyproject.toml", entry(scene.after["packages/core/pyproject.toml"])),
            ("packages/core/tests/test_it.py", empty),
        ),
        "sources of base": (
            ("packages/base/base.py", value),
            ("packages/base/pyproject.toml", entry(scene.after["packages/base/pyproject.toml"])),
        ),
        "inputs": (("packages/app/app.py", value),),
        "base files": (("packages/app/app.py", value), ("gone", "absent")),
        "settings": (("strict", "true"),),
        "resolution": (("pip", "26"),),
    }
    assert made.entries("nothing") == ()


def test_parts_of_other_tasks_are_not_listed(scene: Scene) -> None:
    """A manifest answers for its own parts alone, though parts are shared between tasks."""
    keys, workspace = scene.keys(), scene.workspace(scene.after)
    made = {task.id: keys.manifest(task) for task in scene.source.tasks(workspace).tasks}
    assert made["app:lint"].entries("files of core") == ()
    assert made["app:unit"].parts["sources of base"] == made["core:unit"].parts["sources of base"]


def test_who_reads_all_files_has_a_part_of_its_own(scene: Scene) -> None:
    """A listing with the files that nothing tests never stands in for one without them."""
    scene.after = {**all_files(ROOTED), "noxfile.py": "", "tests/test_all.py": ""}
    keys, test = scene.keys(), entry("")
    tasks = [Task(f"whole:{n}", "whole", "lint", Inputs(unread=n > 0)) for n in range(2)]
    some, every = (keys.manifest(task) for task in tasks)
    assert some.entries("files of whole") == (("tests/test_all.py", test),)
    assert every.entries("all files of whole") == (
        ("noxfile.py", test), ("tests/test_all.py", test),
    )  # fmt: skip
    assert "files of whole" not in every.parts


def test_odd_names_have_a_key(scene: Scene) -> None:
    """A name with bytes that are no text is hashed as any other."""
    odd = [key(scene, Inputs(parts=((name, (("a", "1"),)),))) for name in ("\udcff", "ä", "\udcfe")]
    assert len(set(odd)) == 3


def manifest(
    scene: Scene, inputs: Inputs, task: str = "app:unit", resolution: Entries = ()
) -> Manifest:
    """Return the manifest of a task with these inputs."""
    package, _, suite = task.partition(":")
    return scene.keys().manifest(Task(task, package, suite, inputs), resolution)


def key(scene: Scene, inputs: Inputs, task: str = "app:unit", resolution: Entries = ()) -> str:
    """Return the key of a task with these inputs."""
    return manifest(scene, inputs, task, resolution).key


def test_everything_that_is_no_file_is_in_the_key(scene: Scene) -> None:
    """A task's name, its parts and a resolution make another key each, and equal ones an equal."""
    plain = key(scene, Inputs())
    assert plain == key(scene, Inputs())
    assert len(plain) == 64
    others = {
        key(scene, Inputs(), "app:unit@3.12"),
        key(scene, Inputs(), "app:lint"),
        key(scene, Inputs(own=False)),
        key(scene, Inputs(packages=frozenset({"base"}))),
        key(scene, Inputs(parts=(("settings", (("a", "1"),)),))),
        key(scene, Inputs(parts=(("settings", (("a", "2"),)),))),
        key(scene, Inputs(parts=(("settings", (("b", "1"),)),))),
        key(scene, Inputs(parts=(("lock", (("a", "1"),)),))),
        key(scene, Inputs(), resolution=(("a", "1"),)),
        key(scene, Inputs(), resolution=(("a", "2"),)),
        key(scene, Inputs(files=("packages/app/*",))),
        key(scene, Inputs(base_files=("packages/app/app.py",))),
        key(scene, Inputs(base_files=("packages/core/core.py",))),
        plain,
    }
    assert len(others) == 14


def test_two_tasks_with_different_declared_files_do_not_share_a_part(scene: Scene) -> None:
    """A listing made for one set of patterns never stands in for another set."""
    keys = scene.keys()
    found = [
        keys.manifest(Task("app:unit", "app", "unit", Inputs(files=files, base_files=base)))
        for files, base in [
            (("packages/app/*.py",), ("packages/app/app.py",)),
            (("packages/core/*.py",), ("packages/core/core.py",)),
        ]
    ]
    assert found[0].parts["inputs"] != found[1].parts["inputs"]
    assert found[0].parts["base files"] != found[1].parts["base files"]
    assert found[0].entries("inputs")[0][0] == "packages/app/app.py"


def test_files_of_the_base_are_read_there(scene: Scene) -> None:
    """What a contract is compared with is the base's file, whatever stands in the work tree."""
    inputs = Inputs(base_files=("packages/app/app.py",))
    first = key(scene, inputs)
    scene.after["packages/app/app.py"] = "changed"
    changed = manifest(scene, inputs)
    assert changed.entries("base files") == (("packages/app/app.py", entry("VALUE = 1\n")),)
    scene.after = all_files()
    scene.before["packages/app/app.py"] = "other"
    assert key(scene, inputs) != first


def test_without_a_base_its_files_are_named_as_unknown(scene: Scene) -> None:
    """A missing base is another state than a base that lacks the file."""
    task = Task("app:unit", "app", "unit", Inputs(base_files=("gone",)))
    unknown = Keys(scene.workspace(scene.after), frozenset(), None).manifest(task)
    assert unknown.entries("base files") == (("gone", "no base"),)
    assert unknown.key != scene.keys().manifest(task).key


def test_ignored_files_count_where_they_are_declared(scene: Scene) -> None:
    """A file on disk that git does not list is in the key of a task that declares it."""
    (scene.top / "made").mkdir()
    place = scene.top / "made" / "schema.json"
    inputs = Inputs(files=("made/*.json",))
    absent = key(scene, inputs)
    place.write_text("1", encoding="utf-8")
    first = key(scene, inputs)
    place.write_text("2", encoding="utf-8")
    assert len({absent, first, key(scene, inputs)}) == 3


def test_links_are_listed_with_what_is_behind_them(scene: Scene) -> None:
    """A symbolic link covers its target, so that a change behind it is another key."""
    scene.after["link:packages/app/linked.py"] = "../other/other.py"
    first = key(scene, Inputs())
    listed = dict(manifest(scene, Inputs()).entries("files of app"))
    assert listed["packages/app/linked.py"].startswith("120000 ")
    behind = "packages/app/linked.py -> packages/other/other.py"
    assert listed[behind] == entry("VALUE = 1\n")
    scene.after["packages/other/other.py"] = "changed"
    assert key(scene, Inputs()) != first


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that takes the place of the engine's own files."""
    for room in ("plan", "report", "testing/plugins"):
        (tmp_path / "engine" / room).mkdir(parents=True)
        (tmp_path / "engine" / room / "module.py").write_text("1", encoding="utf-8")
    monkeypatch.setattr("monoyard.plan.keys._ENGINE", tmp_path / "engine")
    return tmp_path / "engine"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("plan/module.py", True),
        ("plan/inner.py", True),
        ("plan/pins.txt", True),
        ("plan/pins.json", True),
        ("plan/tools.mod", True),
        ("plan/tools.sum", True),
        ("plan/inner/server.conf", True),
        ("plan/Dockerfile", True),
        ("testing/plugins/module.py", True),
        ("plan/__pycache__/cached.pyc", False),
        ("report/module.py", False),
        ("module.py", False),
    ],
)
def test_the_engines_own_rooms_are_in_every_key(
    scene: Scene, engine: Path, path: str, counts: bool
) -> None:
    """Another byte in what makes keys or commands is another key; elsewhere it is not."""
    first = key(scene, Inputs())
    assert key(scene, Inputs()) == first
    (engine / path).parent.mkdir(parents=True, exist_ok=True)
    (engine / path).write_text("2", encoding="utf-8")
    assert (key(scene, Inputs()) != first) is counts
    assert len(dict(manifest(scene, Inputs()).entries("engine"))["rooms"]) == 64


def test_a_renamed_engine_file_is_another_key(scene: Scene, engine: Path) -> None:
    """Names of the engine's files count as their bytes do."""
    first = key(scene, Inputs())
    (engine / "plan" / "module.py").rename(engine / "plan" / "other.py")
    assert key(scene, Inputs()) != first
