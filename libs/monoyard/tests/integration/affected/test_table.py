"""The table of cases in the documentation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[4] / "docs" / "reference" / "odd-cases.md"


def test_the_table_names_every_case() -> None:
    """The documented table and the tests of this folder name the same cases."""
    written = set(re.findall(r"`(test_\w+\.py::test_\w+)`", TABLE.read_text("utf-8")))
    found = {
        f"{path.name}::{node.name}"
        for path in (HERE / "test_changes.py", HERE / "test_bases.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert written == found
