"""What happens to a column: added, dropped, of another type, required, with another default."""

from __future__ import annotations

from monoyard.migrations.account import Account
from monoyard.migrations.column_types import change, read_type
from monoyard.migrations.constraints import add_constraint
from monoyard.migrations.schema import Column, Table
from monoyard.migrations.tree import Node, constraints, is_null, is_steady, only
from monoyard.migrations.values import Effect


def read_column(node: Node, *, is_new: bool = True) -> Column:
    """Return a column as its definition says."""
    found = constraints(node)
    kind = read_type(node["typeName"])
    default = found.get("CONSTR_DEFAULT")
    has_default = default is not None and not is_null(default["raw_expr"])
    is_given = kind.counts or "CONSTR_IDENTITY" in found or "CONSTR_GENERATED" in found
    required = {"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"} & set(found)
    return Column(kind, not (required or kind.counts), has_default or is_given, is_new)


def add_column(account: Account, table: str, node: Node) -> None:
    """Judge ADD COLUMN."""
    column, name, found = read_column(node), node["colname"], constraints(node)
    known = account.schema.tables.setdefault(table, Table())
    known.columns[name] = column
    _judge_values(account, table, name, node)
    if not column.is_nullable and not column.has_default:
        account.breaks(
            table, f"requires {table}.{name}, which older versions do not write; it has no default"
        )
    for kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_CHECK", "CONSTR_FOREIGN"):
        if kind in found:
            # Without a default all values are NULL, and a foreign key needs no look at the rows.
            is_known = kind == "CONSTR_FOREIGN" and not column.has_default
            item = {**found[kind], "skip_validation": is_known}
            add_constraint(account, table, item, columns=(name,))


def _judge_values(account: Account, table: str, name: str, node: Node) -> None:
    column, found = read_column(node), constraints(node)
    default = found.get("CONSTR_DEFAULT", {}).get("raw_expr")
    generated = found.get("CONSTR_GENERATED")
    if generated is not None and generated.get("generated_kind") != "v":
        account.rewrites(table, f"{name} is computed for each")
    elif (column.type is not None and column.type.counts) or "CONSTR_IDENTITY" in found:
        account.rewrites(table, f"{name} counts them")
    elif default is not None and not is_steady(default):
        account.rewrites(table, f"the default of {name} may be another one for each")
    elif column.type is not None and not _is_known_type(account, column):
        account.blocks(table, f"the type `{column.type.name}` may have checks for every row")


def _is_known_type(account: Account, column: Column) -> bool:
    kind = column.type
    return kind is None or kind.is_plain or kind.name in account.schema.types


def drop_column(account: Account, table: str, name: str, *, cascades: bool) -> None:
    """Judge DROP COLUMN."""
    account.breaks(table, f"removes {table}.{name}, which older versions use", name)
    account.loses(table, f"removes {table}.{name} with its values", name)
    if cascades:
        account.says(Effect.OPAQUE, "CASCADE removes what hangs on it, which is not listed")
    known = account.schema.tables.get(table)
    if known is not None:
        known.columns.pop(name, None)
        gone = [key for key, item in known.constraints.items() if name in item.columns]
        for key in gone:
            del known.constraints[key]


def change_type(account: Account, table: str, name: str, definition: Node) -> None:
    """Judge ALTER COLUMN TYPE."""
    column = _column(account, table, name)
    new = read_type(definition["typeName"])
    found = change(column.type, new)
    using = definition.get("raw_default")
    is_cast = using is None or only(using)[0] == "ColumnRef"
    if found.rewrites or not is_cast:
        account.rewrites(table, f"{name} becomes {new.name}")
    if not (found.is_read_alike and is_cast):
        account.breaks(table, f"{table}.{name} becomes {new.name}", name)
    if not (found.keeps_values and is_cast):
        account.loses(table, f"{table}.{name} may not keep its values as {new.name}", name)
    column.type = new


def require_value(account: Account, table: str, name: str) -> None:
    """Judge SET NOT NULL."""
    column = _column(account, table, name)
    known = account.schema.tables[table]
    if not known.has_proof(name):
        account.blocks(
            table, f"looks through all of {table}: no valid check proves {name} IS NOT NULL"
        )
    if column.is_nullable:
        judge_requirement(account, table, name)
    column.is_nullable = False


def judge_requirement(account: Account, table: str, name: str) -> None:
    """Tell whether running versions write rows without a value in a column."""
    column = _column(account, table, name)
    if column.is_new and column.has_default:
        return
    use = account.use_of(table, name)
    if use is not None and not use.is_nullable:
        return
    if account.usage is not None and use is None and column.has_default:
        return  # a version that does not know the column gets the default
    account.breaks(table, f"requires {table}.{name}, which older versions may leave empty")


def allow_empty(account: Account, table: str, name: str) -> None:
    """Judge DROP NOT NULL."""
    _column(account, table, name).is_nullable = True


def set_default(account: Account, table: str, name: str, expression: Node | None) -> None:
    """Judge SET DEFAULT and DROP DEFAULT."""
    column = _column(account, table, name)
    column.has_default = expression is not None and not is_null(expression)
    if column.has_default or column.is_new:
        return
    use = account.use_of(table, name)
    if account.usage is not None and (use is None or not use.has_server_default):
        gives_value = use is not None and (use.has_default or not use.is_nullable)
        if gives_value or column.is_nullable:
            return
    account.breaks(table, f"removes the default of {table}.{name}, which older versions rely on")


def _column(account: Account, table: str, name: str) -> Column:
    known = account.schema.tables.setdefault(table, Table())
    return known.columns.setdefault(name, Column(None))
