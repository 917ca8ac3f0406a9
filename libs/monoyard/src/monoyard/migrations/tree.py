"""Reads the nodes of PostgreSQL's grammar, as libpg_query prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

Node = Mapping[str, Any]

# Functions that give one value for a whole statement, or for equal arguments: a default made of
# them is computed once, and the table is not rewritten (`pg_proc.provolatile` is not `v`).
_STEADY: Final = frozenset(
    {
        "now", "statement_timestamp", "transaction_timestamp", "current_setting", "lower", "upper",
        "make_interval", "make_date", "make_timestamp", "make_timestamptz", "to_timestamp",
        "date_trunc", "json_build_object", "jsonb_build_object", "json_build_array",
        "jsonb_build_array", "to_json", "to_jsonb", "coalesce", "concat", "length", "md5",
        "timezone", "to_tsvector", "abs", "round", "string_to_array", "array_to_string",
    }
)  # fmt: skip


def table_name(relation: Node) -> str:
    """Return the name of a table; that of the schema `public` is left out."""
    return join(item for item in (relation.get("schemaname"), relation["relname"]) if item)


def join(parts: Iterable[str]) -> str:
    """Return a name from its parts; the schema `public` is left out."""
    found = list(parts)
    return ".".join(found[1:] if len(found) > 1 and found[0] == "public" else found)


def strings(items: Iterable[Node]) -> tuple[str, ...]:
    """Return the text of String nodes."""
    return tuple(item["String"]["sval"] for item in items if "String" in item)


def names(item: Node) -> tuple[str, ...]:
    """Return the parts of a name that is a list, one string, or a type."""
    if "List" in item:
        return strings(item["List"]["items"])
    if "TypeName" in item:
        return strings(item["TypeName"]["names"])
    if "ObjectWithArgs" in item:
        return strings(item["ObjectWithArgs"].get("objname", ()))
    return strings([item])


def only(item: Node) -> tuple[str, Node]:
    """Return the kind of a wrapped node and its fields."""
    ((kind, fields),) = item.items()
    return kind, fields


def constraints(column: Node) -> dict[str, Node]:
    """Return the constraints that stand at a column, by their kind."""
    found = (item["Constraint"] for item in column.get("constraints", ()))
    return {item["contype"]: item for item in found}


def walk(node: Any) -> Iterator[tuple[str, Node]]:
    """Yield every node below, with its kind."""
    if isinstance(node, Mapping):
        for kind, value in node.items():
            if isinstance(value, Mapping):
                yield kind, value
            yield from walk(value)
    elif isinstance(node, list):
        for item in node:
            yield from walk(item)


def tables_in(node: Any) -> tuple[str, ...]:
    """Return the tables that are read anywhere in a node; what a WITH names is none."""
    found = [table_name(value) for kind, value in walk(node) if kind == "RangeVar"]
    named = {value["ctename"] for kind, value in walk(node) if kind == "CommonTableExpr"}
    return tuple(name for name in dict.fromkeys(found) if name not in named)


def columns_in(node: Any) -> tuple[str, ...]:
    """Return the last part of every column that an expression names."""
    found = [value for kind, value in walk(node) if kind == "ColumnRef"]
    last = (strings(item["fields"])[-1:] for item in found)
    return tuple(dict.fromkeys(name for item in last for name in item))


def functions_in(node: Any) -> tuple[str, ...]:
    """Return the last part of the name of every function called."""
    found = [value for kind, value in walk(node) if kind == "FuncCall"]
    return tuple(dict.fromkeys(strings(item["funcname"])[-1] for item in found))


def is_steady(expression: Node) -> bool:
    """Say whether a default is one value for all rows; a function nobody knows is not."""
    kind, _ = only(expression)
    known = {"A_Const", "TypeCast", "A_ArrayExpr", "A_Expr", "FuncCall", "SQLValueFunction"}
    is_plain = kind in {*known, "CoalesceExpr", "MinMaxExpr", "BoolExpr", "NullTest"}
    return is_plain and set(functions_in(expression)) <= _STEADY


def is_null(expression: Node) -> bool:
    """Say whether an expression is the constant NULL."""
    kind, fields = only(expression)
    if kind == "TypeCast":
        return is_null(fields["arg"])
    return kind == "A_Const" and bool(fields.get("isnull"))


def not_null_column(expression: Node) -> str:
    """Return the column of `COLUMN IS NOT NULL`, or of such a part of a conjunction, or empty."""
    kind, fields = only(expression)
    if kind == "NullTest" and fields.get("nulltesttype") == "IS_NOT_NULL":
        return next(iter(columns_in(fields["arg"])), "")
    if kind == "BoolExpr" and fields.get("boolop") == "AND_EXPR":
        found = (not_null_column(item) for item in fields["args"])
        return next((name for name in found if name), "")
    return ""


def has_option(options: Iterable[Node], name: str) -> bool:
    """Say whether a list of DefElem has one of that name."""
    return any(item["DefElem"]["defname"] == name for item in options)
