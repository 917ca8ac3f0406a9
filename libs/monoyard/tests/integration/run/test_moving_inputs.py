"""Inputs that are edited while a task runs: its result is of neither state and is not stored."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Checkout

WRITES = """
from pathlib import Path


def test_it() -> None:
    edited = Path({path!r})
    before = edited.read_text("utf-8")
    edited.write_text(before.replace("before", "after!"), encoding="utf-8")
    if {puts_back!r}:
        edited.write_text(before, encoding="utf-8")
"""
MANIFEST = """\
[project]
name = "{name}"
version = "0.1.0"
[tool.monoyard.suites.unit]
inputs = ["data.out"]
"""
# Kind to the package's directory, what its test edits, and where a link in it leads to.
CASES = {
    "ignored": ("libs/{}", "libs/{}/data.out", ""),
    "linked": ("libs/{}", "libs/other/{}.txt", "../other/{}.txt"),
    "outside": ("libs/{}", "../{}/data.txt", "../../../{}/data.txt"),
    "below": ("libs/{}", "../{}/deep/data.txt", "../../../{}"),
    "settings": ("libs/around_{0}/{0}", "libs/around_{}/pytest.ini", ""),
}


def test_inputs_that_are_edited_while_a_task_runs(empty: "Checkout") -> None:
    """What a task read in a state that its key does not name is not replayed for that key.

    Neither is it where the edit was put back, for the task may have read it in between.
    """
    manifest = (empty.top / "pyproject.toml").read_text("utf-8")
    empty.write("pyproject.toml", manifest.replace('"libs/*"', '"libs/*", "libs/*/settings*"'))
    empty.write(".gitignore", "__pycache__/\n*.out\n")
    empty.package("other")
    written, expected = [], {"other:unit": "pass"}
    for kind, (directory, path, link) in CASES.items():
        for name in (kind, f"{kind}_back"):
            edited = empty.write(path.format(name), "[pytest]\n# before\n")
            written.append(edited)
            expected[f"{name}:unit"] = "pass"
            place = directory.format(name)
            if kind == "settings":
                around = f"around_{name}"
                empty.write(f"libs/{around}/pyproject.toml", f"[project]\nname = '{around}'\n")
            empty.write(f"{place}/pyproject.toml", MANIFEST.format(name=name))
            test = WRITES.format(path=str(edited), puts_back=name.endswith("_back"))
            empty.write(f"{place}/tests/test_it.py", test)
            if link:
                (empty.top / place / "link").symlink_to(link.format(name))
    empty.commit()
    first = empty.nox("unit")
    assert first.code == 0, first.text
    for edited in written:
        edited.write_text("[pytest]\n# before\n", encoding="utf-8")
    assert empty.outcomes("unit") == expected
