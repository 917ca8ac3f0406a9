"""The table of cases in the documentation."""

from __future__ import annotations

from .table import HERE, PAGE, SECTIONS, page


def test_the_table_names_every_case() -> None:
    """The documented table is what the tests of this folder say; `python table.py` writes it."""
    assert PAGE.read_text("utf-8") == page()


def test_the_table_knows_every_module() -> None:
    """Every module of cases stands in one section of the table."""
    listed = [module for _, modules in SECTIONS.values() for module in modules]
    assert sorted(listed) == sorted(
        path.name for path in HERE.glob("test_*.py") if path.name != "test_table.py"
    )
