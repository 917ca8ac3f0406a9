"""Writes docs/reference/odd-cases.md from the tests of this folder: `python table.py`."""

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[4] / "docs" / "reference" / "odd-cases.md"
SECTIONS = {
    "Who is affected": (
        "What changed, and how it can be hidden.",
        ("test_changes.py", "test_bases.py", "test_structure.py", "test_configuration.py"),
    ),
    "What runs again from a warm store": (
        "The exact set of tasks whose key is another one.",
        ("test_reruns.py", "test_inputs.py", "test_engine.py", "test_trust.py"),
    ),
    "What affected remembers": (
        "After an edit the tasks are not made anew for `invoke affected`; it says the same.",
        ("test_memory.py",),
    ),
    "Both": (
        "Where what is on disk is not what git keeps, or stands somewhere else.",
        ("test_bytes.py", "test_links.py"),
    ),
    "By chance": (
        "Edits that nobody chose, each followed by a run from the store and by one without it.",
        ("test_random_edits.py",),
    ),
}
HEAD = """\
# Odd cases of *affected* and of the cache

Each case is a test on a real git repository (`libs/monoyard/tests/integration/affected/`) that
asserts an exact set of tasks, and of the affected ones the types of their causes. Several tests run
in more than one form (committed, staged, in the work tree).

Wherever a test asks who is affected, each package runs a witness as well: a command that prints a
digest of all that its package can read. A run from a warm store has to say the same as one with
`--no-cache`, and a witness that says something else than at the base has to be among the affected
tasks. For lint, type and unit a pass is written into the store, and the plan says what would run.

What nobody thought of is left to chance: `test_random_edits.py` edits such a repository at random
and holds runs from the store against runs without one after every edit (`docs/adr/0027`). With
`--full`, as every night, it makes a thousand edits.
"""


def page() -> str:
    """Return the text of the page."""
    parts = [HEAD]
    for title, (sentence, modules) in SECTIONS.items():
        rows = [row for module in modules for row in _rows(HERE / module)]
        table = ["| case | what has to happen | test |", "| --- | --- | --- |", *rows]
        parts.append("\n".join((f"## {title}", "", sentence, "", *table, "")))
    return "\n".join(parts)


def _rows(module: Path) -> Iterator[str]:
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            case = node.name.removeprefix("test_").removesuffix("_again").replace("_", " ")
            promise = (ast.get_docstring(node) or "").splitlines()[0]
            yield f"| {case} | {promise} | `{module.name}::{node.name}` |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
