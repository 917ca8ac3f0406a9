"""What is known of migrations, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What a migration may do to those who use the database, the mildest first."""

    SAFE = "safe"
    BLOCKING = "blocking"
    BREAKS = "breaks"
    LOSES = "loses"
    OPAQUE = "opaque"

    @property
    def words(self) -> str:
        """The effect as it is told to a person."""
        return _WORDS.get(self, self.value)

    @property
    def severity(self) -> int:
        """Grows from `safe` to `opaque`."""
        return list(Effect).index(self)


_WORDS = {Effect.BREAKS: "breaks the old version", Effect.LOSES: "loses data"}


class Lock(StrEnum):
    """PostgreSQL's table locks, the weakest first (documentation, chapter "Explicit Locking")."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def strength(self) -> int:
        """Grows with what the lock keeps out."""
        return list(Lock).index(self)

    @property
    def blocks_writers(self) -> bool:
        """Whether nobody can write to the table meanwhile."""
        return self.strength >= Lock.SHARE.strength


@dataclass(frozen=True, slots=True)
class Judgement:
    """One effect, with the reason for it in a sentence."""

    effect: Effect
    why: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and what it does.

    Attributes:
        sql: Its text.
        locks: Existing tables (or an index whose table is unknown) to the lock taken on them.
        rewrites: Tables whose rows are all written anew.
        judgements: Its effects other than `safe`.
        loses: Tables, or columns as `TABLE.COLUMN`, whose present content is gone afterwards.
    """

    sql: str
    locks: Mapping[str, Lock] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    loses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One operation as alembic performs it.

    Attributes:
        kind: Name of alembic's class, such as `AddColumnOp`; empty where there was none.
        table: The table it names, or empty.
        statements: Its SQL.
        in_transaction: It runs in the revision's transaction.
    """

    kind: str
    table: str
    statements: tuple[str, ...]
    in_transaction: bool = True


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a history, as it was read.

    Attributes:
        revision: Its name.
        parents: What it follows or depends on.
        path: Its file.
        title: First lines of its docstring.
        reviewed: What its attribute `monoyard` says.
        problem: Why its SQL is not all that it does; empty where it is.
        operations: What it does, in order.
    """

    revision: str
    parents: tuple[str, ...] = ()
    path: str = ""
    title: str = ""
    reviewed: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    operations: tuple[Recorded, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of one service, each after those it follows.

    Attributes:
        revisions: All of them.
        heads: The newest; one in a history that can be released.
        dialect: Database system, as SQLAlchemy calls it.
        version_table: Where alembic keeps what was applied.
        problem: Why nothing can be said of the SQL of any revision.
    """

    revisions: tuple[Revision, ...] = ()
    heads: tuple[str, ...] = ()
    dialect: str = ""
    version_table: str = "alembic_version"
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewed exception: the effect, whether it is denied or accepted, and the reason."""

    effect: Effect
    is_denied: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Classed:
    """A revision with what it does.

    Attributes:
        revision: As it was read.
        statements: All its statements, in order.
        judgements: Effects of the revision as a whole, such as that it could not be read.
        exceptions: What a reviewer said of it.
        faults: What is wrong with the exceptions.
    """

    revision: Revision
    statements: tuple[Statement, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    exceptions: tuple[Review, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[Judgement, ...]:
        """Every effect found, also those that a reviewer denied."""
        own = (item for statement in self.statements for item in statement.judgements)
        return (*self.judgements, *own)

    @property
    def effects(self) -> frozenset[Effect]:
        """The effects it has, those denied by a reviewer left out."""
        denied = {item.effect for item in self.exceptions if item.is_denied}
        return frozenset(item.effect for item in self.found) - denied

    @property
    def effect(self) -> Effect:
        """The worst of its effects."""
        return max(self.effects, key=lambda item: item.severity, default=Effect.SAFE)

    @property
    def unaccepted(self) -> tuple[Effect, ...]:
        """The effects that no reviewer accepted, the mildest first."""
        accepted = {item.effect for item in self.exceptions}
        return tuple(sorted(self.effects - accepted, key=lambda item: item.severity))

    @property
    def loses(self) -> tuple[str, ...]:
        """Tables, or columns as `TABLE.COLUMN`, whose present content is gone afterwards."""
        if Effect.LOSES not in self.effects:
            return ()
        return tuple(dict.fromkeys(name for item in self.statements for name in item.loses))

    @property
    def locks(self) -> dict[str, Lock]:
        """Existing tables to the strongest lock taken on them."""
        found: dict[str, Lock] = {}
        for statement in self.statements:
            for table, lock in statement.locks.items():
                found[table] = max(lock, found.get(table, lock), key=lambda item: item.strength)
        return found


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """How the models of an image use a column.

    Attributes:
        is_nullable: Rows are written without a value.
        has_default: The model gives a value itself where none is given.
        has_server_default: The database is relied on for a value.
    """

    is_nullable: bool = True
    has_default: bool = False
    has_server_default: bool = False


Usage = Mapping[str, Mapping[str, ColumnUse]]
"""Table to column to its use: what the models of all running images need."""
