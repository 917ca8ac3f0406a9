"""Statements that read or change rows."""

from __future__ import annotations

from typing import Any, Final

from monoyard.migrations.account import Account
from monoyard.migrations.schema import Table
from monoyard.migrations.tree import (
    Node,
    columns_in,
    functions_in,
    only,
    table_name,
    tables_in,
    walk,
)
from monoyard.migrations.values import Effect, Lock

_READ_ONLY: Final = frozenset(
    {
        "count", "max", "min", "sum", "avg", "now", "lower", "upper", "coalesce", "length",
        "current_setting", "to_regclass", "version", "pg_size_pretty", "pg_total_relation_size",
    }
)  # fmt: skip
_ACTING: Final = frozenset({"setval", "pg_notify", "dblink", "dblink_exec", "set_config"})


def select(account: Account, node: Node) -> None:
    """Judge SELECT."""
    is_locking = "lockingClause" in node
    for table in tables_in(node):
        account.lock(table, Lock.ROW_SHARE if is_locking else Lock.ACCESS_SHARE)
    for kind, value in walk(node):
        if kind in _CHANGING:
            _CHANGING[kind](account, value)
    unknown = set(functions_in(node)) - _READ_ONLY
    if unknown:
        called = ", ".join(sorted(unknown))
        account.says(Effect.OPAQUE, f"{called} may do anything")


def insert(account: Account, node: Node) -> None:
    """Judge INSERT."""
    table = table_name(node["relation"])
    account.lock(table, Lock.ROW_EXCLUSIVE)
    _read(account, node, table)
    if "valuesLists" not in node.get("selectStmt", {}).get("SelectStmt", {"valuesLists": []}):
        account.takes_long()
    conflict = node.get("onConflictClause", {})
    if conflict.get("action") == "ONCONFLICT_UPDATE":
        changed = [item["ResTarget"]["name"] for item in conflict["targetList"]]
        account.loses(table, f"overwrites rows of {table} that are there already", *changed)


def update(account: Account, node: Node) -> None:
    """Judge UPDATE.

    It loses nothing where it fills columns that are new or empty, or finds one row by its key.
    """
    table = table_name(node["relation"])
    account.lock(table, Lock.ROW_EXCLUSIVE)
    _read(account, node, table)
    changed = tuple(item["ResTarget"]["name"] for item in node["targetList"])
    where = node.get("whereClause")
    bound = _bound(account, table, where)
    if not bound:
        account.blocks(table, f"locks every row that it changes in {table} until all are changed")
    empty = _empty_columns(where)
    if bound != "key" and not set(changed) <= empty:
        account.loses(table, f"overwrites values of {table}", *changed)


def delete(account: Account, node: Node) -> None:
    """Judge DELETE."""
    table = table_name(node["relation"])
    account.lock(table, Lock.ROW_EXCLUSIVE)
    _read(account, node, table)
    bound = _bound(account, table, node.get("whereClause"))
    if not bound:
        account.blocks(table, f"locks every row that it removes from {table} until all are removed")
    if bound != "key":
        account.loses(table, f"removes rows of {table}")


def truncate(account: Account, node: Node) -> None:
    """Judge TRUNCATE."""
    for item in node["relations"]:
        table = table_name(item["RangeVar"])
        account.lock(table, Lock.ACCESS_EXCLUSIVE)
        account.loses(table, f"removes all rows of {table}")
        account.breaks(table, f"takes the rows of {table} from older versions")
    if node.get("behavior") == "DROP_CASCADE":
        account.says(Effect.OPAQUE, "CASCADE empties what refers to it, which is not listed")


def _read(account: Account, node: Node, written: str) -> None:
    for table in tables_in({key: value for key, value in node.items() if key != "relation"}):
        if table != written:
            account.lock(table, Lock.ACCESS_SHARE)
    for kind, value in walk(node):
        if kind in _CHANGING:  # in a WITH
            _CHANGING[kind](account, value)
    for name in sorted(set(functions_in(node)) & _ACTING):
        account.says(Effect.OPAQUE, f"`{name}` changes something else as well")


def _bound(account: Account, table: str, where: Node | None) -> str:
    """Return `key` where a key and constants find the rows, `limit` where a number bounds them."""
    if where is None:
        return ""
    known = account.schema.tables.get(table, Table())
    if known.is_unique(frozenset(_fixed_columns(where))):
        return "key"
    limits = [value["limitCount"] for _, value in walk(where) if "limitCount" in value]
    return "limit" if any("A_Const" in item for item in limits) else ""


def _fixed_columns(where: Node) -> set[str]:
    """Return the columns that are compared with constants in every case."""
    kind, fields = only(where)
    if kind == "BoolExpr" and fields["boolop"] == "AND_EXPR":
        return {name for item in fields["args"] for name in _fixed_columns(item)}
    if kind != "A_Expr" or fields.get("kind") not in {"AEXPR_OP", "AEXPR_IN"}:
        return set()
    if fields["name"] != [{"String": {"sval": "="}}]:
        return set()
    left, right = fields["lexpr"], fields["rexpr"]
    return set(columns_in(left)) if "ColumnRef" in left and _is_constant(right) else set()


def _is_constant(node: Any) -> bool:
    kind, fields = only(node)
    if kind == "List":
        return all(_is_constant(item) for item in fields["items"])
    return kind == "A_Const" or (kind == "TypeCast" and _is_constant(fields["arg"]))


def _empty_columns(where: Node | None) -> set[str]:
    """Return the columns that have no value in the rows that are found, in every case.

    A condition inside of `IN (SELECT ...)` counts only where it is the same table's key that is
    selected, which is not looked at: such a statement is held to overwrite.
    """
    if where is None:
        return set()
    kind, fields = only(where)
    if kind == "BoolExpr" and fields["boolop"] == "AND_EXPR":
        return {name for item in fields["args"] for name in _empty_columns(item)}
    if kind == "NullTest" and fields.get("nulltesttype") == "IS_NULL":
        return set(columns_in(fields["arg"]))
    return set()


_CHANGING: Final = {"InsertStmt": insert, "UpdateStmt": update, "DeleteStmt": delete}
