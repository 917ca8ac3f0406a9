"""ALTER TABLE, by its commands; the lock of each as in PostgreSQL's AlterTableGetLockLevel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from monoyard.migrations import columns
from monoyard.migrations.account import Account
from monoyard.migrations.constraints import add_constraint, drop_constraint, validate
from monoyard.migrations.schema import Schema
from monoyard.migrations.tree import Node, table_name
from monoyard.migrations.values import Effect, Lock

Rule = Callable[[Account, str, Node], None]

# Storage parameters that need no more: autovacuum's, and how full pages are made.
_LIGHT_OPTIONS: Final = ("autovacuum_", "toast.autovacuum_", "fillfactor", "log_autovacuum_")
_LIGHT_OPTIONS_TOO: Final = ("parallel_workers", "vacuum_", "toast_tuple_target", "n_distinct")
_NAMELESS: Final = {"", "OBJECT_TABLE", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"}


def alter_table(account: Account, node: Node) -> None:
    """Judge ALTER TABLE, and ALTER of what else stands among tables: views, indexes, sequences."""
    table = table_name(node["relation"])
    if node.get("objtype", "") == "OBJECT_INDEX":
        table = owner(account.schema, table)
    elif node.get("objtype", "") not in _NAMELESS:
        account.lock(table, Lock.ACCESS_EXCLUSIVE)
        account.says(Effect.OPAQUE, f"changes {table}, which is no table")
        return
    for command in node["cmds"]:
        fields = command["AlterTableCmd"]
        _RULES.get(fields["subtype"], _unknown)(account, table, fields)


def owner(schema: Schema, index: str) -> str:
    """Return the table of an index; the index itself where nobody knows it."""
    known = schema.indexes.get(index)
    return known.table if known else index


def _unknown(account: Account, table: str, command: Node) -> None:
    account.lock(table, Lock.ACCESS_EXCLUSIVE)
    account.says(Effect.OPAQUE, f"`{command['subtype']}` of {table} is not known here")


def _exclusively(rule: Rule) -> Rule:
    def run(account: Account, table: str, command: Node) -> None:
        account.lock(table, Lock.ACCESS_EXCLUSIVE)
        rule(account, table, command)

    return run


def _lightly(account: Account, table: str, command: Node) -> None:
    del command
    account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE)


def _nothing_else(account: Account, table: str, command: Node) -> None:
    """Judge what takes a moment under the lock, and that nobody sees."""


def _moves(why: str) -> Rule:
    return lambda account, table, _: account.rewrites(table, why)


def _breaks(why: str) -> Rule:
    return lambda account, table, _: account.breaks(table, f"{why} of {table}")


def _opaque(why: str) -> Rule:
    return lambda account, table, _: account.says(Effect.OPAQUE, f"{why} of {table}")


def _add_column(account: Account, table: str, command: Node) -> None:
    node = command["def"]["ColumnDef"]
    known = account.schema.tables.get(table)
    if command.get("missing_ok") and known and node["colname"] in known.columns:
        return
    columns.add_column(account, table, node)


def _drop_column(account: Account, table: str, command: Node) -> None:
    cascades = command.get("behavior") == "DROP_CASCADE"
    columns.drop_column(account, table, command["name"], cascades=cascades)


def _change_type(account: Account, table: str, command: Node) -> None:
    columns.change_type(account, table, command["name"], command["def"]["ColumnDef"])


def _require(account: Account, table: str, command: Node) -> None:
    columns.require_value(account, table, command["name"])


def _allow_empty(account: Account, table: str, command: Node) -> None:
    columns.allow_empty(account, table, command["name"])


def _set_default(account: Account, table: str, command: Node) -> None:
    columns.set_default(account, table, command["name"], command.get("def"))


def _add_constraint(account: Account, table: str, command: Node) -> None:
    add_constraint(account, table, command["def"]["Constraint"])


def _validate(account: Account, table: str, command: Node) -> None:
    validate(account, table, command["name"])


def _drop_constraint(account: Account, table: str, command: Node) -> None:
    cascades = command.get("behavior") == "DROP_CASCADE"
    drop_constraint(account, table, command["name"], cascades=cascades)


def _set_options(account: Account, table: str, command: Node) -> None:
    items = command["def"]["List"]["items"]
    named = [item["DefElem"]["defname"] for item in items]
    is_light = all(name.startswith((*_LIGHT_OPTIONS, *_LIGHT_OPTIONS_TOO)) for name in named)
    account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE if is_light else Lock.ACCESS_EXCLUSIVE)


def _attach(account: Account, table: str, command: Node) -> None:
    part = table_name(command["def"]["PartitionCmd"]["name"])
    account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE)
    account.lock(part, Lock.ACCESS_EXCLUSIVE)
    account.blocks(part, f"looks through all of {part}, and of the default partition")


def _detach(account: Account, table: str, command: Node) -> None:
    fields = command["def"]["PartitionCmd"]
    part = table_name(fields["name"])
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if fields.get("concurrent") else Lock.ACCESS_EXCLUSIVE
    account.lock(table, lock)
    account.lock(part, Lock.ACCESS_EXCLUSIVE)
    account.breaks(table, f"takes the rows of {part} out of {table}")


def _trigger(account: Account, table: str, command: Node) -> None:
    account.lock(table, Lock.SHARE_ROW_EXCLUSIVE)
    account.says(Effect.OPAQUE, f"turns triggers of {table} on or off ({command['subtype']})")


_RULES: Final[dict[str, Rule]] = {
    "AT_AddColumn": _exclusively(_add_column),
    "AT_DropColumn": _exclusively(_drop_column),
    "AT_AlterColumnType": _exclusively(_change_type),
    "AT_SetNotNull": _exclusively(_require),
    "AT_DropNotNull": _exclusively(_allow_empty),
    "AT_ColumnDefault": _exclusively(_set_default),
    "AT_AddConstraint": _add_constraint,
    "AT_ValidateConstraint": _validate,
    "AT_DropConstraint": _drop_constraint,
    "AT_AddIdentity": _exclusively(_nothing_else),
    "AT_SetIdentity": _exclusively(_nothing_else),
    "AT_DropIdentity": _exclusively(_breaks("no longer counts a column")),
    "AT_DropExpression": _exclusively(_breaks("no longer computes a column")),
    "AT_SetExpression": _exclusively(_moves("a column is computed anew")),
    "AT_SetStatistics": _lightly,
    "AT_SetOptions": _lightly,
    "AT_ResetOptions": _lightly,
    "AT_SetStorage": _exclusively(_nothing_else),
    "AT_SetCompression": _exclusively(_nothing_else),
    "AT_SetRelOptions": _set_options,
    "AT_ResetRelOptions": _set_options,
    "AT_ClusterOn": _lightly,
    "AT_DropCluster": _lightly,
    "AT_SetLogged": _exclusively(_moves("it is logged from now on")),
    "AT_SetUnLogged": _exclusively(_moves("it is no longer logged")),
    "AT_SetTableSpace": _exclusively(_moves("it moves to another place")),
    "AT_SetAccessMethod": _exclusively(_moves("it is kept in another way")),
    "AT_ReplicaIdentity": _exclusively(_nothing_else),
    "AT_EnableRowSecurity": _exclusively(_breaks("hides rows")),
    "AT_ForceRowSecurity": _exclusively(_breaks("hides rows")),
    "AT_DisableRowSecurity": _exclusively(_opaque("shows all rows")),
    "AT_NoForceRowSecurity": _exclusively(_opaque("shows all rows to the owner")),
    "AT_ChangeOwner": _exclusively(_opaque("changes the owner, and so who may do what,")),
    "AT_EnableTrig": _trigger,
    "AT_DisableTrig": _trigger,
    "AT_EnableTrigAll": _trigger,
    "AT_DisableTrigAll": _trigger,
    "AT_EnableTrigUser": _trigger,
    "AT_DisableTrigUser": _trigger,
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
}
