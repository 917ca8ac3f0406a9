"""What the models of a service use, and what several versions use together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monoyard.errors import ToolError
from monoyard.migrations import ColumnUse, merge_usage, parse_usage, read_usage

from .projects import ENV, Project

MODELS = """
import sqlalchemy as sa

metadata = sa.MetaData(schema="shop")
sa.Table(
    "orders", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, server_default="new"),
    sa.Column("total", sa.Integer, nullable=False, default=0),
    sa.Column("memo", sa.Text),
)
sa.Table("plain", other := sa.MetaData(), sa.Column("id", sa.Integer), schema="public")
"""
ORDERS = {
    "id": ColumnUse(is_nullable=False, has_server_default=True),
    "state": ColumnUse(is_nullable=False, has_server_default=True),
    "total": ColumnUse(is_nullable=False, has_default=True),
    "memo": ColumnUse(),
}


def test_models_are_those_of_target_metadata(tmp_path: Path) -> None:
    """Tables and columns come from what alembic compares with, one MetaData or several."""
    env = "import shop\n" + ENV.replace('"target_metadata": None', (
        '"target_metadata": [shop.metadata, shop.other]'
    ))  # fmt: skip
    project = Project(tmp_path / "project", env)
    (project.place / "shop.py").write_text(MODELS, encoding="utf-8")
    found = read_usage(Path(sys.executable), project.place, {}, ())
    assert found == {"shop.orders": ORDERS, "plain": {"id": ColumnUse()}}


def test_models_can_be_named(tmp_path: Path) -> None:
    """A service without migrations of its own names its MetaData."""
    (tmp_path / "shop.py").write_text(MODELS, encoding="utf-8")
    python, search = Path(sys.executable), (str(tmp_path),)
    found = read_usage(python, tmp_path, {}, search, metadata="shop:metadata")
    assert found == {"shop.orders": ORDERS}
    with pytest.raises(ToolError) as raised:
        read_usage(python, tmp_path, {}, search, metadata="shop:nothing")
    assert raised.value.code == "models-unreadable"


def test_versions_together_use_what_either_uses() -> None:
    """What a version may leave empty, or does not know, is; without models all is used."""
    strict = {"orders": {"a": ColumnUse(is_nullable=False), "b": ColumnUse(is_nullable=False)}}
    loose = {"orders": {"a": ColumnUse(is_nullable=True)}}
    merged = merge_usage([strict, loose])
    assert merged is not None
    assert merged["orders"]["a"].is_nullable
    assert merged["orders"]["b"].is_nullable  # the other version writes rows without it
    assert merge_usage([strict, strict]) == strict
    assert merge_usage([strict, None]) is None


def test_uses_come_back_from_their_json() -> None:
    """What an image carries is read as what was printed."""
    data = {"t": {"c": {"nullable": False, "default": True, "server_default": False}}}
    assert parse_usage({"tables": data}) == {
        "t": {"c": ColumnUse(is_nullable=False, has_default=True)}
    }
