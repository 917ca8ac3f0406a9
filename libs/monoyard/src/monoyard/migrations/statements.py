"""Every statement but ALTER TABLE and those that change rows; an unknown one is opaque."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from monoyard.migrations.account import Account
from monoyard.migrations.columns import read_column
from monoyard.migrations.constraints import read_constraint
from monoyard.migrations.drops import drop
from monoyard.migrations.indexes import create_index, refresh, reindex, vacuum
from monoyard.migrations.renames import move, rename
from monoyard.migrations.rows import delete, insert, select, truncate, update
from monoyard.migrations.schema import Table
from monoyard.migrations.tables import alter_table
from monoyard.migrations.tree import Node, constraints, join, names, strings, table_name, tables_in
from monoyard.migrations.values import Effect, Lock
from monoyard.tools.squawk import Parsed

Rule = Callable[[Account, Node], None]

_MODES: Final = {1 + number: lock for number, lock in enumerate(Lock)}
# Settings that a revision may change for itself; others may change what its statements mean.
_OWN_SETTINGS: Final = frozenset(
    {
        "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout",
        "maintenance_work_mem", "work_mem", "max_parallel_maintenance_workers",
        "client_min_messages", "application_name", "deadlock_timeout",
    }
)  # fmt: skip


def judge(account: Account, parsed: Parsed) -> None:
    """Tell an account what a statement does."""
    if not parsed.kind:
        account.says(Effect.OPAQUE, f"PostgreSQL's grammar refuses it: {parsed.problem}")
        return
    _RULES.get(parsed.kind, _unknown(parsed.kind))(account, parsed.node)


def _unknown(kind: str) -> Rule:
    said = f"nothing is known of `{kind.removesuffix('Stmt')}`"
    return lambda account, _: account.says(Effect.OPAQUE, said)


def _nothing(account: Account, node: Node) -> None:
    """Judge what neither waits nor hurts anybody."""


def _opaque(why: str) -> Rule:
    return lambda account, _: account.says(Effect.OPAQUE, why)


def create_table(account: Account, node: Node) -> None:
    """Judge CREATE TABLE."""
    table = table_name(node["relation"])
    if node.get("if_not_exists") and table in account.schema.tables:
        return
    # With IF NOT EXISTS it may be there already, made by hand: it does not count as new.
    made = Table(is_new=not node.get("if_not_exists"))
    account.schema.tables[table] = made
    for item in node.get("tableElts", ()):
        if "ColumnDef" in item:
            _new_column(account, table, item["ColumnDef"])
        elif "Constraint" in item:
            name, constraint = read_constraint(account, table, item["Constraint"])
            made.constraints[name] = constraint
            if constraint.other:
                account.lock(constraint.other, Lock.SHARE_ROW_EXCLUSIVE)
        elif "TableLikeClause" in item:
            account.lock(table_name(item["TableLikeClause"]["relation"]), Lock.ACCESS_SHARE)
    for parent in node.get("inhRelations", ()):
        is_part = "partbound" in node
        lock = Lock.ACCESS_EXCLUSIVE if is_part else Lock.SHARE_UPDATE_EXCLUSIVE
        account.lock(table_name(parent["RangeVar"]), lock)


def _new_column(account: Account, table: str, node: Node) -> None:
    made = account.schema.tables[table]
    made.columns[node["colname"]] = read_column(node)
    for kind, item in constraints(node).items():
        if kind in {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_CHECK", "CONSTR_FOREIGN"}:
            name, constraint = read_constraint(account, table, item, (node["colname"],))
            made.constraints[name] = constraint
            if constraint.other:
                account.lock(constraint.other, Lock.SHARE_ROW_EXCLUSIVE)


def _create_table_as(account: Account, node: Node) -> None:
    for table in tables_in(node["query"]):
        account.lock(table, Lock.ACCESS_SHARE)
    account.takes_long()
    account.schema.tables[table_name(node["into"]["rel"])] = Table(is_new=True)


def _create_view(account: Account, node: Node) -> None:
    view = table_name(node["view"])
    for table in tables_in(node["query"]):
        account.lock(table, Lock.ACCESS_SHARE)
    if node.get("replace") and view not in account.schema.made:
        account.lock(view, Lock.ACCESS_EXCLUSIVE)
        account.breaks(view, f"{view} may say something else than before")
    account.schema.made.add(view)


def _create_type(account: Account, node: Node) -> None:
    account.schema.types.add(strings(node["typeName"])[-1])


def _composite_type(account: Account, node: Node) -> None:
    account.schema.types.add(node["typevar"]["relname"])


def _alter_enum(account: Account, node: Node) -> None:
    name = join(strings(node["typeName"]))
    if node.get("oldVal"):
        account.says(Effect.BREAKS, f"renames `{node['oldVal']}` of {name}, which older versions "
                                    "write")  # fmt: skip


def _alter_domain(account: Account, node: Node) -> None:
    name = join(strings(node["typeName"]))
    if node["subtype"] not in {"C", "O"}:
        return
    constraint = node.get("def", {}).get("Constraint", {})
    if node["subtype"] == "O" or not constraint.get("skip_validation"):
        account.is_slow = True
        account.says(Effect.BLOCKING, f"looks through every table that has a {name}")
    account.says(Effect.BREAKS, f"refuses values of {name} that older versions may write")


def _create_function(account: Account, node: Node) -> None:
    name = join(strings(node["funcname"]))
    if node.get("replace") and name not in account.schema.made:
        account.says(Effect.OPAQUE, f"{name} may do something else than before")
    account.schema.made.add(name)


def _create_trigger(account: Account, node: Node) -> None:
    table = table_name(node["relation"])
    account.lock(table, Lock.SHARE_ROW_EXCLUSIVE)
    if not account.schema.is_new(table):
        account.says(Effect.OPAQUE, f"a trigger does something whenever {table} is written")


def _create_rule(account: Account, node: Node) -> None:
    table = table_name(node["relation"])
    account.lock(table, Lock.ACCESS_EXCLUSIVE)
    account.says(Effect.OPAQUE, f"a rule rewrites statements on {table}")


def _create_policy(account: Account, node: Node) -> None:
    table = table_name(node["table"])
    account.lock(table, Lock.ACCESS_EXCLUSIVE)
    account.breaks(table, f"a policy hides rows of {table}")


def _create_statistics(account: Account, node: Node) -> None:
    for item in node["relations"]:
        account.lock(table_name(item["RangeVar"]), Lock.SHARE_UPDATE_EXCLUSIVE)


def _comment(account: Account, node: Node) -> None:
    parts = names(node["object"])
    if node["objtype"] == "OBJECT_TABLE":
        account.lock(join(parts), Lock.SHARE_UPDATE_EXCLUSIVE)
    elif node["objtype"] == "OBJECT_COLUMN":
        account.lock(join(parts[:-1]), Lock.SHARE_UPDATE_EXCLUSIVE)


def _lock_table(account: Account, node: Node) -> None:
    for item in node["relations"]:
        table, lock = table_name(item["RangeVar"]), _MODES[node["mode"]]
        account.lock(table, lock)
        if lock.blocks_writers:
            account.blocks(table, f"keeps {table} locked until the transaction ends")


def _grant(account: Account, node: Node) -> None:
    if not node.get("is_grant"):
        account.says(Effect.BREAKS, "takes rights away that older versions may need")


def _alter_sequence(account: Account, node: Node) -> None:
    sequence = table_name(node["sequence"])
    account.lock(sequence, Lock.SHARE_ROW_EXCLUSIVE)
    if any(item["DefElem"]["defname"] == "restart" for item in node.get("options", ())):
        account.says(Effect.OPAQUE, f"{sequence} may give numbers a second time")


def _set_variable(account: Account, node: Node) -> None:
    if node.get("name") not in _OWN_SETTINGS:
        account.says(Effect.OPAQUE, f"`{node.get('name', 'RESET ALL')}` may change what follows")


_RULES: Final[dict[str, Rule]] = {
    "AlterTableStmt": alter_table,
    "CreateStmt": create_table,
    "CreateTableAsStmt": _create_table_as,
    "IndexStmt": create_index,
    "DropStmt": drop,
    "RenameStmt": rename,
    "AlterObjectSchemaStmt": move,
    "ReindexStmt": reindex,
    "RefreshMatViewStmt": refresh,
    "VacuumStmt": vacuum,
    "ClusterStmt": vacuum,
    "SelectStmt": select,
    "InsertStmt": insert,
    "UpdateStmt": update,
    "DeleteStmt": delete,
    "TruncateStmt": truncate,
    "ViewStmt": _create_view,
    "CreateEnumStmt": _create_type,
    "CreateRangeStmt": _create_type,
    "CompositeTypeStmt": _composite_type,
    "AlterEnumStmt": _alter_enum,
    "AlterDomainStmt": _alter_domain,
    "CreateFunctionStmt": _create_function,
    "CreateTrigStmt": _create_trigger,
    "RuleStmt": _create_rule,
    "CreatePolicyStmt": _create_policy,
    "CreateStatsStmt": _create_statistics,
    "CommentStmt": _comment,
    "LockStmt": _lock_table,
    "GrantStmt": _grant,
    "AlterSeqStmt": _alter_sequence,
    "VariableSetStmt": _set_variable,
    "VariableShowStmt": _nothing,
    "CreateSchemaStmt": _nothing,
    "CreateExtensionStmt": _nothing,
    "CreateSeqStmt": _nothing,
    "CreateDomainStmt": _nothing,
    "DoStmt": _opaque("a DO block does what only its run shows"),
    "CallStmt": _opaque("a procedure does what only its run shows"),
    "TransactionStmt": _opaque("it ends or begins the transaction of the revision itself"),
    "AlterOwnerStmt": _opaque("changes the owner, and so who may do what"),
}
