"""DROP of anything."""

from __future__ import annotations

from typing import Final

from monoyard.migrations.account import Account
from monoyard.migrations.tables import owner
from monoyard.migrations.tree import Node, join, names
from monoyard.migrations.values import Effect, Lock

_HARMLESS: Final = frozenset({"OBJECT_STATISTIC_EXT", "OBJECT_COLLATION"})


def drop(account: Account, node: Node) -> None:
    """Judge DROP."""
    kind = node["removeType"]
    for item in node["objects"]:
        parts = names(item)
        if kind == "OBJECT_TABLE":
            _drop_table(account, join(parts))
        elif kind == "OBJECT_INDEX":
            _drop_index(account, join(parts), concurrently=bool(node.get("concurrent")))
        elif kind in {"OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"}:
            _drop_from_table(account, kind, join(parts[:-1]), parts[-1])
        else:
            _drop_other(account, kind, join(parts))
    if node.get("behavior") == "DROP_CASCADE":
        account.says(Effect.OPAQUE, "CASCADE removes what hangs on it, which is not listed")


def _drop_table(account: Account, table: str) -> None:
    account.lock(table, Lock.ACCESS_EXCLUSIVE)
    known = account.schema.tables.get(table)
    for item in known.constraints.values() if known else ():
        if item.other:
            account.lock(item.other, Lock.ACCESS_EXCLUSIVE)
    account.breaks(table, f"removes {table}, which older versions use")
    account.loses(table, f"removes {table} with its rows")
    account.schema.forget(table)


def _drop_index(account: Account, index: str, *, concurrently: bool) -> None:
    table = owner(account.schema, index)
    known = account.schema.indexes.pop(index, None)
    account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE if concurrently else Lock.ACCESS_EXCLUSIVE)
    if not concurrently:
        account.blocks(table, f"{table} waits meanwhile; drop the index CONCURRENTLY")
    else:
        account.takes_long()
    if known is not None and known.is_unique:
        account.breaks(table, f"removes {index}, on which ON CONFLICT of older versions may rely")


def _drop_from_table(account: Account, kind: str, table: str, name: str) -> None:
    account.lock(table, Lock.ACCESS_EXCLUSIVE)
    words = kind.removeprefix("OBJECT_").lower()
    if not account.schema.is_new(table):
        account.says(Effect.OPAQUE, f"the {words} {name} of {table} no longer does what it did")


def _drop_other(account: Account, kind: str, name: str) -> None:
    words = kind.removeprefix("OBJECT_").lower().replace("_", " ")
    if kind in {"OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"}:
        account.lock(name, Lock.ACCESS_EXCLUSIVE)
    if kind in _HARMLESS or name in account.schema.made:
        return
    account.says(Effect.BREAKS, f"removes the {words} {name}, which older versions may use")
    if kind in {"OBJECT_SCHEMA", "OBJECT_SEQUENCE", "OBJECT_EXTENSION"}:
        account.says(Effect.LOSES, f"removes the {words} {name} with what it holds")
        account.lost[f"{name}.*" if kind == "OBJECT_SCHEMA" else name] = None
