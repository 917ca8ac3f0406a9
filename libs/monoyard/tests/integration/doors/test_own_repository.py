"""The sessions of the engine's own repository, in a repository that says it is that."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monoyard.plan import plan_schema

if TYPE_CHECKING:
    from .conftest import Checkout

REFERENCE = (
    "command-line.md", "configuration.md", "environment.schema.json",
    "local-cluster.schema.json", "package.schema.json", "plan.schema.json",
    "policy.schema.json", "workspace.schema.json",
)  # fmt: skip


@pytest.fixture(scope="module")
def own(new_checkout: Callable[[], "Checkout"]) -> "Checkout":
    """A repository whose noxfile registers the sessions for those who maintain the engine."""
    checkout = new_checkout()
    noxfile = (checkout.top / "noxfile.py").read_text("utf-8")
    checkout.write("noxfile.py", noxfile.replace("parent)", "parent, maintains_engine=True)"))
    return checkout


def test_reference_is_written_once_and_then_current(own: "Checkout") -> None:
    """`nox -s docs` writes schemas and pages, and says which; what is current stays untouched."""
    place = own.top / "docs" / "reference"
    ended = own.nox("docs")
    assert ended.code == 0, ended.text
    said = [line.rpartition("/")[2] for line in ended.err.splitlines() if "written: " in line]
    assert sorted(said) == sorted(path.name for path in place.iterdir()) == list(REFERENCE)
    assert json.loads((place / "plan.schema.json").read_text("utf-8")) == plan_schema()
    words = (place / "command-line.md").read_text("utf-8")
    assert "--exclude PACKAGE" in words
    settings = (place / "configuration.md").read_text("utf-8")
    assert "| `isolation` | `process` or `shared` |" in settings
    assert "| `lock` | text |" in settings
    page = place / "configuration.md"
    page.write_text("old\n", encoding="utf-8")
    again = own.nox("docs")
    assert again.err.count("written: ") == 1, again.text
    assert page.read_text("utf-8") == settings


def test_sessions_of_maintainers_are_not_everybodys(own: "Checkout", empty: "Checkout") -> None:
    """`docs` and `bench` exist where the noxfile asks for them, and nowhere else."""
    for checkout, is_there in ((own, True), (empty, False)):
        listed = checkout.begin("-m", "nox", "--list").end().out
        assert ("bench ->" in listed, "docs ->" in listed) == (is_there, is_there), listed


def test_measurement_tells_ratios(own: "Checkout", tmp_path: Path) -> None:
    """`nox -s bench` measures a repository of that size and tells figures, also as JSON."""
    target = tmp_path / "figures.json"
    ended = own.nox("bench", "2", f"--json={target}", "--runs=1")
    assert ended.code == 0, ended.text
    assert "## 2 packages" in ended.out
    assert "nothing changed / (empty nox session + git status)" in ended.out
    (figures,) = json.loads(target.read_text("utf-8"))["packages"].values()
    seconds = figures["seconds"]
    assert all(taken > 0 for taken in seconds.values())
    tools = {f"cold, {tool}" for tool in ("ours", "turbo", "doit", "xargs")}
    assert {*tools, "nothing changed, ours", "affected, one leaf edited"} <= seconds.keys()


@pytest.mark.parametrize("words", [["0"], ["--runs=many"]])
def test_measurement_takes_numbers(own: "Checkout", words: list[str]) -> None:
    """What is no number of packages or runs is a usage error."""
    ended = own.nox("bench", *words)
    assert (ended.code, ended.out) == (2, ""), ended.text
    assert words[0] in ended.err
