"""The tables as the revisions before have made them, so that a statement is judged by them."""

from __future__ import annotations

from dataclasses import dataclass, field

from monoyard.migrations.column_types import ColumnType


@dataclass
class Column:
    """One column; `is_new` says that no released version knows it."""

    type: ColumnType | None
    is_nullable: bool = True
    has_default: bool = False
    is_new: bool = False


@dataclass
class Constraint:
    """One constraint.

    Attributes:
        kind: `check`, `foreign`, `unique`, `primary` or `exclude`.
        columns: Those it is about.
        other: The table that a foreign key refers to.
        not_null: The column that a check proves to have values.
        is_valid: All rows are known to meet it.
    """

    kind: str
    columns: tuple[str, ...] = ()
    other: str = ""
    not_null: str = ""
    is_valid: bool = True


@dataclass
class Table:
    """One table; `is_new` says that no released version knows it, so that it is empty or idle."""

    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    is_new: bool = False

    def is_unique(self, columns: frozenset[str]) -> bool:
        """Say whether values for these columns find one row at most."""
        return any(
            item.kind in {"unique", "primary"} and set(item.columns) <= columns
            for item in self.constraints.values()
        )

    def has_proof(self, column: str) -> bool:
        """Say whether a valid check proves that the column has a value in every row."""
        known = self.columns.get(column)
        return (known is not None and not known.is_nullable) or any(
            item.not_null == column and item.is_valid for item in self.constraints.values()
        )


@dataclass
class Index:
    """An index, with its table and the columns it is on."""

    table: str
    is_unique: bool = False
    columns: tuple[str, ...] = ()


@dataclass
class Schema:
    """Everything that the revisions so far have made.

    Attributes:
        tables: By name.
        indexes: By name, with the schema of the table.
        types: Enumerations and composite types, by name.
        made: Views, functions and the like that no released version knows.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)

    def settle(self) -> None:
        """Take all that is there for released."""
        self.made.clear()
        for table in self.tables.values():
            table.is_new = False
            for column in table.columns.values():
                column.is_new = False

    def is_new(self, table: str) -> bool:
        """Say whether no released version knows a table."""
        return table in self.tables and self.tables[table].is_new

    def is_new_column(self, table: str, column: str) -> bool:
        """Say whether no released version knows a column."""
        known = self.tables.get(table)
        found = known.columns.get(column) if known else None
        return self.is_new(table) or (found is not None and found.is_new)

    def forget(self, table: str) -> None:
        """Take a table out, with its indexes."""
        self.tables.pop(table, None)
        self.indexes = {name: item for name, item in self.indexes.items() if item.table != table}

    def rename(self, table: str, name: str) -> None:
        """Give a table another name."""
        if table in self.tables:
            self.tables[name] = self.tables.pop(table)
        for index in self.indexes.values():
            if index.table == table:
                index.table = name
