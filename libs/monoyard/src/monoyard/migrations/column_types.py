"""Types of columns: which changes keep every value, and which of them write no row anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monoyard.migrations.tree import Node, strings

# Types of PostgreSQL and of its usual extensions; any other name may be a domain with checks.
_PLAIN: Final = frozenset(
    {
        "bigserial", "bit", "bool", "box", "bpchar", "bytea", "char", "cidr", "circle", "citext",
        "date", "daterange", "float4", "float8", "geography", "geometry", "halfvec", "hstore",
        "inet", "int2", "int4", "int4multirange", "int4range", "int8", "int8multirange",
        "int8range", "interval", "json", "jsonb", "jsonpath", "line", "lquery", "lseg", "ltree",
        "macaddr", "macaddr8", "money", "name", "numeric", "numrange", "oid", "path", "point",
        "polygon", "regclass", "serial", "smallserial", "sparsevec", "text", "time", "timestamp",
        "timestamptz", "timetz", "tsquery", "tsrange", "tstzrange", "tsvector", "uuid", "varbit",
        "varchar", "vector", "xml",
    }
)  # fmt: skip
_COUNTING: Final = {"serial": "int4", "bigserial": "int8", "smallserial": "int2"}
_COUNTING_TOO: Final = {"serial4": "int4", "serial8": "int8", "serial2": "int2"}
_SPELLINGS: Final = {
    "int": "int4", "integer": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool",
    "decimal": "numeric", "real": "float4", "double precision": "float8",
}  # fmt: skip
# No row is written anew: the bytes are the same.
_SAME_BYTES: Final = frozenset(
    {("varchar", "text"), ("text", "varchar"), ("cidr", "inet"), ("citext", "text")}
)
# Every value is kept, but written anew.
_WIDER: Final = frozenset(
    {
        ("int2", "int4"), ("int2", "int8"), ("int4", "int8"), ("int2", "numeric"),
        ("int4", "numeric"), ("int8", "numeric"), ("float4", "float8"), ("int2", "float8"),
        ("int4", "float8"), ("date", "timestamp"),
    }
)  # fmt: skip
# Code that reads the old type reads the new one as well.
_READ_ALIKE: Final = frozenset(
    {("int2", "int4"), ("int2", "int8"), ("int4", "int8"), ("float4", "float8")}
)
_PRECISION: Final = frozenset({"timestamp", "timestamptz", "time", "timetz"})


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type as the grammar names it: `varchar` with (20,), or an array of it."""

    name: str
    modifiers: tuple[int, ...] = ()
    is_array: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is known, so that no domain's check can hide behind it."""
        return self.name in _PLAIN

    @property
    def counts(self) -> bool:
        """Whether every row gets a value of a sequence."""
        return self.name in _COUNTING or self.name in _COUNTING_TOO

    @property
    def stored(self) -> ColumnType:
        """The type of the values."""
        name = {**_COUNTING, **_COUNTING_TOO}.get(self.name, self.name)
        return ColumnType(name, self.modifiers, self.is_array)


def read_type(node: Node) -> ColumnType:
    """Return the type that a TypeName node names."""
    name = strings(node["names"])[-1]
    values = (item.get("A_Const", {}).get("ival", {}) for item in node.get("typmods", ()))
    modifiers = tuple(int(item.get("ival", 0)) for item in values)
    if name == "interval":
        modifiers = ()
    return ColumnType(_SPELLINGS.get(name, name), modifiers, bool(node.get("arrayBounds")))


@dataclass(frozen=True, slots=True)
class TypeChange:
    """What a change of type does.

    Attributes:
        rewrites: It writes every row anew.
        keeps_values: No value is lost or refused.
        is_read_alike: Code that was written for the old type reads the new one as well.
    """

    rewrites: bool
    keeps_values: bool
    is_read_alike: bool = False


def change(old: ColumnType | None, new: ColumnType) -> TypeChange:
    """Say what changing a column's type does; where the old one is unknown, the worst."""
    if old is None or old.is_array != new.is_array:
        return TypeChange(rewrites=True, keeps_values=False)
    was, becomes = old.stored, new.stored
    if was == becomes:
        return TypeChange(rewrites=False, keeps_values=True, is_read_alike=True)
    if was.is_array:
        return TypeChange(rewrites=True, keeps_values=False)
    if was.name == becomes.name:
        is_wider = _is_wider(was, becomes)
        return TypeChange(not is_wider, is_wider, is_read_alike=is_wider)
    pair = (was.name, becomes.name)
    if pair in _SAME_BYTES and not becomes.modifiers:
        return TypeChange(rewrites=False, keeps_values=True, is_read_alike=True)
    if pair in _WIDER and not becomes.modifiers:
        return TypeChange(rewrites=True, keeps_values=True, is_read_alike=pair in _READ_ALIKE)
    return TypeChange(rewrites=True, keeps_values=False)


def _is_wider(was: ColumnType, becomes: ColumnType) -> bool:
    if was.name in {"varchar", "varbit"} or was.name in _PRECISION:
        return not becomes.modifiers or (was.modifiers != () and was.modifiers <= becomes.modifiers)
    if was.name == "numeric":
        if not becomes.modifiers:
            return True
        scales = [(*item.modifiers, 0)[1] for item in (was, becomes)]
        return bool(was.modifiers) and scales[0] == scales[1] and was.modifiers <= becomes.modifiers
    return False
