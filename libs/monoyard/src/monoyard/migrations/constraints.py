"""Constraints: what adding, validating and dropping one does."""

from __future__ import annotations

from typing import Final

from monoyard.migrations.account import Account
from monoyard.migrations.schema import Constraint, Index, Table
from monoyard.migrations.tree import Node, columns_in, not_null_column, strings, table_name
from monoyard.migrations.values import Effect, Lock

_KINDS: Final = {
    "CONSTR_CHECK": "check", "CONSTR_FOREIGN": "foreign", "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary", "CONSTR_EXCLUSION": "exclude",
}  # fmt: skip
_ENDINGS: Final = {
    "check": "check", "foreign": "fkey", "unique": "key", "primary": "pkey", "exclude": "excl",
}  # fmt: skip


def read_constraint(
    account: Account, table: str, node: Node, columns: tuple[str, ...] = ()
) -> tuple[str, Constraint]:
    """Return a constraint and its name, which PostgreSQL makes where none is given."""
    kind = _KINDS.get(node["contype"], "check")
    expression = node.get("raw_expr")
    named = strings(node.get("keys", ())) + strings(node.get("fk_attrs", ()))
    named = named or (columns_in(expression) if expression else columns)
    index = _index(account, table, node)
    found = Constraint(
        kind,
        named or (index.columns if index else ()),
        other=table_name(node["pktable"]) if "pktable" in node else "",
        not_null=not_null_column(expression) if expression else "",
        is_valid=not node.get("skip_validation"),
    )
    stem = table.rpartition(".")[2]
    middle = [] if kind == "primary" else [*named]
    return node.get("conname") or "_".join([stem, *middle, _ENDINGS[kind]]), found


def _index(account: Account, table: str, node: Node) -> Index | None:
    if "indexname" not in node:
        return None
    schema = table.rpartition(".")[0]
    full = f"{schema}.{node['indexname']}" if schema else node["indexname"]
    return account.schema.indexes.get(full)


def add_constraint(account: Account, table: str, node: Node, columns: tuple[str, ...] = ()) -> None:
    """Judge ADD CONSTRAINT, and a constraint that stands at a column.

    Args:
        account: Takes the judgement.
        table: The table.
        node: The constraint.
        columns: The column it stands at.
    """
    if node["contype"] not in _KINDS:
        account.lock(table, Lock.ACCESS_EXCLUSIVE)
        account.blocks(table, "a kind of constraint that is not known here")
        account.says(Effect.OPAQUE, f"adds a constraint of an unknown kind to {table}")
        return
    name, made = read_constraint(account, table, node, columns)
    if made.kind == "foreign":
        account.lock(table, Lock.SHARE_ROW_EXCLUSIVE)
        account.lock(made.other, Lock.SHARE_ROW_EXCLUSIVE)
    else:
        account.lock(table, Lock.ACCESS_EXCLUSIVE)
    _judge_rows(account, table, node, made)
    _judge_writers(account, table, node, made)
    known = account.schema.tables.setdefault(table, Table())
    known.constraints[name] = made
    if made.kind == "primary":
        for column in made.columns:
            if column in known.columns:
                known.columns[column].is_nullable = False


def _judge_rows(account: Account, table: str, node: Node, made: Constraint) -> None:
    if made.kind in {"check", "foreign"}:
        if made.is_valid:
            account.blocks(
                table, f"looks through all of {table}; add it NOT VALID, and validate it later"
            )
            if made.kind == "foreign":
                account.blocks(made.other, f"blocks writers of {made.other} meanwhile")
        return
    if "indexname" not in node:
        account.blocks(
            table, f"builds an index of {table}; build it CONCURRENTLY, then add it USING INDEX"
        )
        return
    known = account.schema.tables.get(table, Table())
    if made.kind == "primary" and not (
        made.columns and all(known.has_proof(column) for column in made.columns)
    ):
        account.blocks(table, f"looks through all of {table} for rows without a value")


def _judge_writers(account: Account, table: str, node: Node, made: Constraint) -> None:
    """Tell that older versions may write what the constraint refuses.

    With an index that is there already nothing new is refused.
    """
    if "indexname" in node:
        return
    if made.not_null and made.columns == (made.not_null,):
        use = account.use_of(table, made.not_null)
        if use is not None and not use.is_nullable:
            return
        # A version that does not know the column leaves it empty.
        account.breaks(table, f"requires {table}.{made.not_null}, which older versions may leave "
                              "empty")  # fmt: skip
        return
    about = ", ".join(made.columns) or "its rows"
    account.breaks(
        table, f"refuses rows of {table} by {about} that older versions may write", *made.columns
    )


def validate(account: Account, table: str, name: str) -> None:
    """Judge VALIDATE CONSTRAINT."""
    account.lock(table, Lock.SHARE_UPDATE_EXCLUSIVE)
    account.takes_long()
    known = account.schema.tables.get(table, Table()).constraints.get(name)
    if known is not None:
        known.is_valid = True
        if known.other:
            account.lock(known.other, Lock.ROW_SHARE)


def drop_constraint(account: Account, table: str, name: str, *, cascades: bool) -> None:
    """Judge DROP CONSTRAINT."""
    account.lock(table, Lock.ACCESS_EXCLUSIVE)
    known = account.schema.tables.get(table)
    found = known.constraints.pop(name, None) if known else None
    if found is None:
        account.breaks(table, f"removes {name} of {table}, whose kind is not known")
    elif found.other:
        account.lock(found.other, Lock.ACCESS_EXCLUSIVE)
    elif found.kind in {"unique", "primary", "exclude"}:
        account.breaks(table, f"removes {name}, on which ON CONFLICT of older versions may rely")
    if cascades:
        account.says(Effect.OPAQUE, "CASCADE removes what hangs on it, which is not listed")
