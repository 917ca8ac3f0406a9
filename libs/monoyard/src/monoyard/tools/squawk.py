"""squawk: lint of migrations in PostgreSQL's SQL; pgparse: PostgreSQL's own grammar.

Tested with squawk 2.70 and pgparse 1.0 (the grammar of PostgreSQL 17), which stand in one venv.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# What squawk says of style and of settings that the runner makes is left out, so that a finding of
# it is always one about locks, compatibility or data.
_UNASKED: Final = (
    "ban-char-field", "ban-drop-not-null", "identifier-too-long", "prefer-bigint-over-int",
    "prefer-bigint-over-smallint", "prefer-identity", "prefer-robust-stmts", "prefer-text-field",
    "prefer-timestamp-tz", "require-lock-timeout", "require-statement-timeout",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """What squawk says of a statement.

    Attributes:
        line: Line it is about, from 1.
        rule: Its rule.
        message: Its words.
    """

    line: int
    rule: str
    message: str


def check(program: Path, *, in_transaction: bool) -> tuple[str, ...]:
    """Return the call that lints SQL from standard input; remarks as JSON, status 1 with some.

    It reads a settings file of the working directory, so the caller stands elsewhere.

    Args:
        program: squawk.
        in_transaction: The statements run in one transaction.
    """
    assumed = ("--assume-in-transaction",) if in_transaction else ()
    return (
        str(program), "--reporter=json", "--stdin-filepath=revision.sql", *assumed,
        f"--exclude={','.join(_UNASKED)}",
    )  # fmt: skip


def parse(said: bytes) -> tuple[Remark, ...]:
    """Return what it found.

    Raises:
        ValueError: It is no JSON of squawk.
    """
    return tuple(
        Remark(
            int(item["line"]) + 1, str(item["rule_name"]), " ".join(str(item["message"]).split())
        )
        for item in json.loads(said)
    )


def grammar(program: Path, script: Path) -> tuple[str, ...]:
    """Return the call that parses a JSON list of SQL texts from standard input.

    Args:
        program: squawk; the interpreter of its venv has pgparse.
        script: The script that ships with the engine for this.
    """
    return (str(program.with_name("python")), "-I", str(script))


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement as PostgreSQL's grammar reads it.

    Attributes:
        sql: Its text.
        kind: Type of its node, such as `AlterTableStmt`; empty where it is not understood.
        node: The node's fields, as libpg_query prints them.
        problem: Why it is not understood.
    """

    sql: str
    kind: str
    node: Mapping[str, Any]
    problem: str = ""


def parse_grammar(said: bytes) -> tuple[tuple[Parsed, ...], ...]:
    """Return the statements of each text that was given.

    Raises:
        ValueError: It is no answer of the script.
    """
    return tuple(tuple(Parsed(**item) for item in text) for text in json.loads(said))
