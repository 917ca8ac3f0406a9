"""Collects what one statement does, with what the schema and the running versions say to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from monoyard.migrations.schema import Schema
from monoyard.migrations.values import ColumnUse, Effect, Judgement, Lock, Statement, Usage


@dataclass
class Account:
    """What one statement does, as far as it is known.

    Attributes:
        sql: The statement.
        schema: The tables before it; the rules change them as the statement does.
        usage: What the running versions use; None means all there is.
    """

    sql: str
    schema: Schema
    usage: Usage | None = None
    locks: dict[str, Lock] = field(default_factory=dict)
    rewritten: dict[str, None] = field(default_factory=dict)
    judgements: dict[Judgement, None] = field(default_factory=dict)
    lost: dict[str, None] = field(default_factory=dict)
    is_slow: bool = False

    def lock(self, table: str, lock: Lock) -> None:
        """Tell that a lock is taken; on a table that nobody knows yet it hurts nobody."""
        if not self.schema.is_new(table):
            strongest = max(lock, self.locks.get(table, lock), key=lambda item: item.strength)
            self.locks[table] = strongest

    def says(self, effect: Effect, why: str) -> None:
        """Tell an effect."""
        self.judgements[Judgement(effect, why)] = None

    def rewrites(self, table: str, why: str) -> None:
        """Tell that every row of a table is written anew, under the lock that was told."""
        if not self.schema.is_new(table):
            self.rewritten[table] = None
            self.blocks(table, f"writes every row of {table} anew: {why}")

    def blocks(self, table: str, why: str) -> None:
        """Tell that a lock on a table is held for long; not where nobody knows the table yet."""
        self.is_slow = True
        if not self.schema.is_new(table):
            self.says(Effect.BLOCKING, why)

    def takes_long(self) -> None:
        """Tell that it takes long, without blocking anybody by itself."""
        self.is_slow = True

    def breaks(self, table: str, why: str, *columns: str) -> None:
        """Tell that the running versions cannot live with it, where they use what it is about.

        Args:
            table: The table.
            why: The reason.
            columns: Those it is about; none means the table itself.
        """
        if self.schema.is_new(table) or not self.uses(table):
            return
        if columns and all(self._is_foreign(table, name) for name in columns):
            return
        self.says(Effect.BREAKS, why)

    def _is_foreign(self, table: str, column: str) -> bool:
        return self.schema.is_new_column(table, column) or not self.uses(table, column)

    def loses(self, table: str, why: str, *columns: str) -> None:
        """Tell that the content of a table or of columns is gone; not of what is new."""
        if self.schema.is_new(table):
            return
        own = [name for name in columns if not self.schema.is_new_column(table, name)]
        if columns and not own:
            return
        self.says(Effect.LOSES, why)
        for name in own or [""]:
            self.lost[f"{table}.{name}" if name else table] = None

    def uses(self, table: str, column: str = "") -> bool:
        """Say whether the running versions use a table or a column; unless told, they do."""
        if self.usage is None:
            return True
        return table in self.usage and (not column or column in self.usage[table])

    def use_of(self, table: str, column: str) -> ColumnUse | None:
        """Return how the running versions use a column; None where that is not known."""
        return None if self.usage is None else self.usage.get(table, {}).get(column)

    def statement(self) -> Statement:
        """Return all that was told."""
        return Statement(
            self.sql, dict(self.locks), tuple(self.rewritten), tuple(self.judgements),
            tuple(self.lost),
        )  # fmt: skip
