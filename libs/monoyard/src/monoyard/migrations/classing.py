"""Classes the revisions of a history: what each does to those who use the database meanwhile.

Two judges, and the worse word counts: rules of our own over PostgreSQL's grammar, which know what
the revisions before have made and what the running versions use, and squawk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monoyard.migrations.account import Account
from monoyard.migrations.reviews import read_reviews
from monoyard.migrations.schema import Schema
from monoyard.migrations.statements import judge
from monoyard.migrations.values import (
    Classed,
    Effect,
    History,
    Judgement,
    Recorded,
    Revision,
    Statement,
    Usage,
)
from monoyard.tools.squawk import Parsed, Remark

Grammar = Callable[[Sequence[str]], Sequence[Sequence[Parsed]]]
Linter = Callable[[Sequence[str], bool], Sequence[Sequence[Remark]]]

_POSTGRESQL: Final = "postgresql"
# What squawk's rules mean here. Others are about compatibility, or depend on what is there already
# (a validated check, the type before), which squawk cannot know and our rules do.
_RULES: Final = {
    "adding-field-with-default": Effect.BLOCKING,
    "adding-primary-key-constraint": Effect.BLOCKING,
    "adding-required-field": Effect.BREAKS,
    "adding-serial-primary-key-field": Effect.BLOCKING,
    "ban-alter-domain-with-add-constraint": Effect.BLOCKING,
    "ban-concurrent-index-creation-in-transaction": Effect.OPAQUE,
    "ban-drop-column": Effect.LOSES,
    "ban-drop-database": Effect.LOSES,
    "ban-drop-table": Effect.LOSES,
    "ban-truncate-cascade": Effect.LOSES,
    "constraint-missing-not-valid": Effect.BLOCKING,
    "disallowed-unique-constraint": Effect.BLOCKING,
    "renaming-column": Effect.BREAKS,
    "renaming-object": Effect.BREAKS,
    "renaming-table": Effect.BREAKS,
    "require-concurrent-index-creation": Effect.BLOCKING,
    "require-concurrent-index-deletion": Effect.BLOCKING,
    "require-concurrent-partition-detach": Effect.BLOCKING,
    "require-concurrent-refresh-materialized-view": Effect.BLOCKING,
    "require-concurrent-reindex": Effect.BLOCKING,
}


@dataclass(frozen=True)
class Classifier:
    """Classes revisions.

    Attributes:
        grammar: Parses texts of SQL.
        lint: squawk: takes statements that run together, and whether that is in one transaction.
        usage: What the models of all running versions use; None means that they use everything.
    """

    grammar: Grammar
    lint: Linter
    usage: Usage | None = None

    def classify(
        self, history: History, applied: Collection[str] | None = None
    ) -> tuple[Classed, ...]:
        """Return the revisions that are to be applied, classed.

        Args:
            history: All revisions of a service.
            applied: Those that the database has; what the others make anew hurts nobody. None
                means that it is not known: every revision is classed as if it came alone.
        """
        schema, result = Schema(), []
        texts = [text for item in history.revisions for each in item.operations
                 for text in each.statements]  # fmt: skip
        parsed = dict(zip(texts, self.grammar(texts), strict=True))
        for revision in history.revisions:
            if applied is None:
                schema.settle()
            found = self._revision(history, revision, schema, parsed)
            if applied is None or revision.revision not in applied:
                result.append(found)
            else:
                schema.settle()
        return tuple(result)

    def _revision(
        self,
        history: History,
        revision: Revision,
        schema: Schema,
        parsed: dict[str, Sequence[Parsed]],
    ) -> Classed:
        reviews, faults = read_reviews(revision.reviewed)
        statements: list[Statement] = []
        for group in _together(revision.operations):
            statements += self._group(group, schema, parsed)
        problem = revision.problem or history.problem
        if history.dialect not in {"", _POSTGRESQL}:
            problem = f"nothing is known of {history.dialect}"
        judged = (Judgement(Effect.OPAQUE, problem),) if problem else ()
        return Classed(revision, tuple(statements), judged, reviews, faults)

    def _group(
        self, group: Sequence[Recorded], schema: Schema, parsed: dict[str, Sequence[Parsed]]
    ) -> list[Statement]:
        """Judge what runs in one transaction, or one statement that runs in none."""
        in_transaction = group[0].in_transaction
        accounts: list[Account] = []
        held: dict[str, str] = {}
        for statement in (each for item in group for text in item.statements
                          for each in parsed[text]):  # fmt: skip
            account = Account(statement.sql, schema, self.usage)
            judge(account, statement)
            if in_transaction:
                _judge_transaction(account, held)
            accounts.append(account)
        said = self.lint([account.sql for account in accounts], in_transaction)
        pairs = zip(accounts, said, strict=True)
        return [_with_remarks(account.statement(), remarks) for account, remarks in pairs]


def _together(operations: Iterable[Recorded]) -> Iterable[list[Recorded]]:
    """Yield the operations that run in one transaction together, each of the others alone."""
    group: list[Recorded] = []
    for item in operations:
        if item.in_transaction:
            group.append(item)
            continue
        if group:
            yield group
            group = []
        yield [item]
    if group:
        yield group


def _judge_transaction(account: Account, held: dict[str, str]) -> None:
    """Tell what is wrong with a statement where it stands in its transaction.

    Args:
        account: That of the statement.
        held: Tables that nobody can write to until the transaction ends; this one's are added.
    """
    if account.is_slow and held:
        tables = ", ".join(held)
        account.says(
            Effect.BLOCKING,
            f"takes its time while the transaction keeps {tables} locked; make it a revision of "
            "its own",
        )
    if " CONCURRENTLY " in f" {account.sql.upper()} ".replace("\n", " "):
        account.says(Effect.OPAQUE, "CONCURRENTLY fails inside of a transaction; use "
                                    "`op.get_context().autocommit_block()`")  # fmt: skip
    held |= {table: "" for table, lock in account.locks.items() if lock.blocks_writers}


def _with_remarks(statement: Statement, remarks: Iterable[Remark]) -> Statement:
    """Add what squawk says where our own rules say nothing as bad.

    squawk knows neither what earlier revisions made nor what the running versions use, so where our
    rules know the statement, its words on compatibility and data do not count.
    """
    own = {item.effect for item in statement.judgements}
    added = []
    for remark in remarks:
        effect = _RULES.get(remark.rule, Effect.BREAKS)
        if effect in own or (effect in {Effect.BREAKS, Effect.LOSES} and _is_known(statement)):
            continue
        if effect is Effect.BLOCKING and not _hurts(statement):
            continue
        added.append(Judgement(effect, f"squawk {remark.rule}: {remark.message}"))
    return replace(statement, judgements=(*statement.judgements, *dict.fromkeys(added)))


def _is_known(statement: Statement) -> bool:
    return Effect.OPAQUE not in {item.effect for item in statement.judgements}


def _hurts(statement: Statement) -> bool:
    """Say whether a table that older versions know is locked against writers."""
    return any(lock.blocks_writers for lock in statement.locks.values())
