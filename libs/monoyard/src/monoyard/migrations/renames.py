"""RENAME and SET SCHEMA."""

from __future__ import annotations

from monoyard.migrations.account import Account
from monoyard.migrations.tables import owner
from monoyard.migrations.tree import Node, join, table_name
from monoyard.migrations.values import Effect, Lock

_TABLES = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"})


def rename(account: Account, node: Node) -> None:
    """Judge ALTER ... RENAME."""
    kind = node["renameType"]
    if "relation" not in node:
        account.says(Effect.BREAKS, f"gives another name to what older versions may use: "
                                    f"{node['newname']}")  # fmt: skip
        return
    name = table_name(node["relation"])
    if kind == "OBJECT_INDEX":
        _rename_index(account, name, node["newname"])
        return
    if kind == "OBJECT_SEQUENCE":
        account.lock(name, Lock.ACCESS_EXCLUSIVE)
        account.says(Effect.BREAKS, f"renames the sequence {name}")
        return
    account.lock(name, Lock.ACCESS_EXCLUSIVE)
    if kind in _TABLES:
        account.breaks(name, f"renames {name}, which older versions use")
        account.schema.rename(name, _beside(name, node["newname"]))
    elif kind == "OBJECT_COLUMN":
        _rename_column(account, name, node["subname"], node["newname"])
    elif kind == "OBJECT_TABCONSTRAINT":
        known = account.schema.tables.get(name)
        if known and node["subname"] in known.constraints:
            known.constraints[node["newname"]] = known.constraints.pop(node["subname"])
    else:
        account.says(Effect.OPAQUE, f"a rename of {name} that is not known here")


def _beside(name: str, new: str) -> str:
    schema, _, _ = name.rpartition(".")
    return f"{schema}.{new}" if schema else new


def _rename_index(account: Account, name: str, new: str) -> None:
    # Since PostgreSQL 12 the table is not locked at all.
    if name not in account.schema.indexes:
        account.lock(owner(account.schema, name), Lock.SHARE_UPDATE_EXCLUSIVE)
        return
    account.schema.indexes[_beside(name, new)] = account.schema.indexes.pop(name)


def _rename_column(account: Account, table: str, name: str, new: str) -> None:
    account.breaks(table, f"renames {table}.{name}, which older versions use", name)
    known = account.schema.tables.get(table)
    if known and name in known.columns:
        known.columns[new] = known.columns.pop(name)


def move(account: Account, node: Node) -> None:
    """Judge ALTER ... SET SCHEMA."""
    if "relation" not in node:
        account.says(Effect.BREAKS, "moves what older versions may use to another schema")
        return
    name = table_name(node["relation"])
    account.lock(name, Lock.ACCESS_EXCLUSIVE)
    account.breaks(name, f"moves {name} to {node['newschema']}, where older versions do not look")
    account.schema.rename(name, join([node["newschema"], name.rpartition(".")[2]]))
