"""`invoke migrations.explain` and `migrations.lint` in a real repository, with a real alembic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .projects import ENV

if TYPE_CHECKING:
    from ..checkouts import Checkout  # noqa: TID252  test modules have no absolute name

PLACE = "libs/shop"
REVISION = """
from alembic import op

revision = "{name}"
down_revision = {parent!r}
{marks}

def upgrade():
    op.execute("{sql}")
"""


@pytest.fixture
def shop(empty: Checkout) -> Checkout:
    """A repository with a package of one released migration; alembic is resolved, not locked."""
    empty.package("shop")
    manifest = '[project]\nname = "shop"\nversion = "0.1.0"\n'
    requires = 'dependencies = ["alembic", "sqlalchemy", "psycopg[binary]"]\n'
    empty.write(f"{PLACE}/pyproject.toml", manifest + requires)
    empty.write(f"{PLACE}/alembic.ini", "[alembic]\nscript_location = %(here)s/migrations\n")
    empty.write(f"{PLACE}/migrations/env.py", ENV)
    empty.write("pyproject.toml", '[tool.monoyard]\nmembers = ["libs/*"]\n')
    _add(empty, "one", None, "CREATE TABLE orders (id int)")
    empty.commit()
    return empty


def _add(checkout: Checkout, name: str, parent: str | None, sql: str, marks: str = "") -> None:
    text = REVISION.format(name=name, parent=parent, sql=sql, marks=marks)
    checkout.write(f"{PLACE}/migrations/versions/{name}.py", text)


def test_migrations_are_explained_and_held(shop: Checkout) -> None:
    """`explain` tells class, lock and reason; `lint` fails on what is new and nobody accepted."""
    _add(shop, "two", "one", "DROP TABLE orders")
    told = shop.invoke("migrations.explain", "--", "shop")
    assert told.code == 0, told.text
    assert "shop two: breaks the old version, loses data" in told.out
    assert "locks orders in ACCESS EXCLUSIVE" in told.out
    held = shop.invoke("migrations.lint", "--since", "HEAD", "--json=found.json")
    assert held.code == 1, held.text
    found = json.loads((shop.top / "found.json").read_text("utf-8"))["services"]["shop"]
    assert [(item["revision"], item["unaccepted"]) for item in found] == [
        ("two", ["breaks", "loses"])
    ]
    marks = 'monoyard = {"accept": {"breaks": "unused", "loses": "archived"}}'
    _add(shop, "two", "one", "DROP TABLE orders", marks)
    accepted = shop.invoke("migrations.lint", "--since", "HEAD")
    assert accepted.code == 0, accepted.text
    unknown = shop.invoke("migrations.explain", "--applied", "none", "--", "shop")
    assert (unknown.code, "unknown-revision" in unknown.err) == (2, True), unknown.text
