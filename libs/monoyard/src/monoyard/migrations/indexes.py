"""Indexes, and what else goes through a whole table: REINDEX, REFRESH, VACUUM, CLUSTER."""

from __future__ import annotations

from monoyard.migrations.account import Account
from monoyard.migrations.schema import Index
from monoyard.migrations.tables import owner
from monoyard.migrations.tree import Node, has_option, table_name
from monoyard.migrations.values import Effect, Lock


def create_index(account: Account, node: Node) -> None:
    """Judge CREATE INDEX."""
    table = table_name(node["relation"])
    schema = table.rpartition(".")[0]
    columns = tuple(
        item["IndexElem"]["name"] for item in node["indexParams"] if "name" in item["IndexElem"]
    )
    is_unique = bool(node.get("unique"))
    if "idxname" in node:
        name = f"{schema}.{node['idxname']}" if schema else node["idxname"]
        account.schema.indexes[name] = Index(table, is_unique, columns)
    if node.get("concurrent"):
        account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE)
        account.takes_long()
    else:
        account.lock(table, Lock.SHARE)
        account.blocks(table, f"keeps writers of {table} out; build the index CONCURRENTLY")
    if is_unique:
        why = f"refuses rows of {table} that older versions may write"
        plain = columns if len(columns) == len(node["indexParams"]) else ()
        account.breaks(table, why, *plain)


def reindex(account: Account, node: Node) -> None:
    """Judge REINDEX."""
    is_concurrent = has_option(node.get("params", ()), "concurrently")
    if "relation" not in node:
        account.says(Effect.BLOCKING, "builds the indexes of all tables anew")
        return
    table = table_name(node["relation"])
    if node["kind"] == "REINDEX_OBJECT_INDEX":
        table = owner(account.schema, table)
    if is_concurrent:
        account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE)
        account.takes_long()
        return
    account.lock(table, Lock.SHARE)
    account.blocks(table, f"{table} waits meanwhile; reindex CONCURRENTLY")


def refresh(account: Account, node: Node) -> None:
    """Judge REFRESH MATERIALIZED VIEW."""
    view = table_name(node["relation"])
    if node.get("concurrent"):
        account.lock(view, Lock.EXCLUSIVE)
        account.takes_long()
        return
    account.lock(view, Lock.ACCESS_EXCLUSIVE)
    account.rewrites(view, "nobody reads it meanwhile; refresh it CONCURRENTLY")


def vacuum(account: Account, node: Node) -> None:
    """Judge VACUUM, ANALYZE and CLUSTER."""
    found = [item["VacuumRelation"]["relation"] for item in node.get("rels", ())]
    is_full = has_option(node.get("options", ()), "full")
    if "relation" in node:  # CLUSTER
        found, is_full = [node["relation"]], True
    if not found and is_full:
        account.says(Effect.BLOCKING, "writes all tables anew")
    account.takes_long()
    for item in found:
        table = table_name(item)
        account.lock(table, Lock.ACCESS_EXCLUSIVE if is_full else Lock.SHARE_UPDATE_EXCLUSIVE)
        if is_full:
            account.rewrites(table, "to make it smaller, or to order it")
