"""Migrates a database, in the image that is about to run; standard library, alembic, SQLAlchemy.

    python monoyard_database migrate --deployment ID [--expect REVISION ...] [--help]

Works with any `env.py` that connects to PostgreSQL: lock and timeouts are set on the connection
that alembic is given. Each revision is a run of `env.py` and a transaction of its own. Each run
takes the lock, and reads the heads after that. JSON lines on standard output tell each step.

Exit status:
    0    the database has the revision asked for, now or already
    2    wrong words
    3    another migration held the lock, or builds the same index: try again
    4    the database is at other revisions than was planned: plan again
    5    a table lock could not be had in any attempt: nobody was kept waiting; try again
    6    a revision failed; those before it stay
    7    what a revision removes differs from the backup; nothing of it was done
    8    no project, no connection
    9    migrated, but the models differ from the database (with --check-drift)
    143  stopped by SIGTERM; the revision at hand was taken back
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .alembic_project import ancestors, in_order, read_config, steps_to
from .ledger import NAME, SchemaLedger
from .lines import Lines, one_line
from .manifest import DiffersError, compare_with_backup
from .migrate_words import parse
from .session import BusyError, Limits, Session, StoppedError
from .statuses import DIFFERS, DONE, FAILED, NOTHING, STOPPED

_RETRIED = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
BUSY, MOVED, LOCKED, DRIFT = 3, 4, 5, 9


class MovedError(Exception):
    """The database is at other revisions than was planned."""


class ElsewhereError(Exception):
    """`env.py` connected to another server than the one that was meant."""


@dataclass
class Run:
    """One run of the migrations.

    Attributes:
        options: The words.
        lines: Takes events.
        script: The revisions.
        stopping: Set by SIGTERM.
        session: The one at hand, for SIGTERM.
        last: The last one that was made.
    """

    options: argparse.Namespace
    lines: Lines
    script: ScriptDirectory
    config: Any
    stopping: threading.Event = field(default_factory=threading.Event)
    session: Session | None = None
    last: Session | None = None

    def all(self) -> int:
        """Apply what is pending; return the exit status."""
        target = self.script.get_revision(self.options.to)
        if target is None:
            raise CommandError("there is no revision to go to")
        pending = self._pending(target.revision)
        if not pending:
            self.lines.write("already", revision=target.revision)
        for revision in pending:
            self._apply(revision)
        if self.options.check_drift and self._drift():
            return DRIFT
        self.lines.write("done", revision=target.revision, applied=pending)
        return DONE

    def environment(self, fn: Callable[[MigrationContext], Iterable[Any]], revision: str) -> None:
        """Run `env.py` once; `fn` returns the steps, after the lock was taken."""

        def begin(_heads: object, context: MigrationContext) -> Iterable[Any]:
            connection = context.connection
            if connection is None or context.dialect.name != "postgresql":
                raise CommandError(f"nothing is known of {context.dialect.name}")
            limits = Limits(
                self.options.lock_timeout, self.options.statement_timeout, self.options.deadline,
                self.options.wait,
            )  # fmt: skip
            session = Session(connection, limits, self.lines.write, self.stopping)
            self.session = self.last = session
            self._check_server(connection)
            schema, table = context.version_table_schema, context.version_table
            session.prepare(f"monoyard migrations {schema}.{table}")
            return fn(context)

        # alembic would make its table before the lock is ours, and another run may at that moment.
        with EnvironmentContext(
            self.config, self.script, fn=begin, destination_rev=revision, dont_mutate=True
        ):
            try:
                self.script.run_env()
            finally:
                self.session = None

    def _check_server(self, connection: Connection) -> None:
        """See that this is the server that was meant, before anything is asked of it."""
        wanted = self.options.cluster
        found = str(connection.exec_driver_sql("SHOW cluster_name").scalar()) if wanted else ""
        if wanted and found != wanted:
            raise ElsewhereError(
                f"env.py connects to a server called `{found}`, not to the copy `{wanted}`: it "
                "takes the address from somewhere else"
            )

    def _pending(self, target: str) -> list[str]:
        """Return the revisions that are to be applied, in order."""
        found: list[str] = []

        def look(context: MigrationContext) -> Iterable[Any]:
            connection = _connection(context)
            heads = context.get_current_heads()
            self.lines.write("heads", heads=list(heads))
            applied = ancestors(self.script, heads)
            ledger = SchemaLedger(context)
            by = ledger.deployments(connection) if ledger.exists(connection) else {}
            self._check_expected(heads, by)
            wanted = ancestors(self.script, [target]) - applied
            found.extend(item.revision for item in in_order(self.script) if item.revision in wanted)
            self._check_planned(found)
            if not found:
                # Nobody commits on this connection now, and its transaction may be env.py's own.
                with connection.engine.begin() as other:
                    self._keep(ledger, other, applied)
            return ()

        self.environment(look, target)
        return found

    def _keep(self, ledger: SchemaLedger, connection: Connection, applied: set[str]) -> None:
        """Make the ledger, with the revisions that others have applied."""
        ledger.create(connection)
        known = (item for item in in_order(self.script) if item.revision in applied)
        ledger.catch_up(connection, known)

    def _check_expected(self, heads: tuple[str, ...], by: Any) -> None:
        """Refuse heads that are not as planned, but for what this very deployment has applied."""
        planned = self.options.expect
        if planned is None or set(planned) == set(heads):
            return
        beyond = ancestors(self.script, heads) - ancestors(self.script, planned)
        behind = ancestors(self.script, planned) - ancestors(self.script, heads)
        if behind or any(by.get(name) != self.options.deployment for name in beyond):
            raise MovedError(f"at {', '.join(heads) or 'no revision'}, planned at "
                             f"{', '.join(planned) or 'no revision'}")  # fmt: skip
        self.lines.write("resumed", applied=sorted(beyond))

    def _check_planned(self, pending: list[str]) -> None:
        """Refuse to apply more than was planned: nobody has looked at what the others do."""
        planned = pending if self.options.only is None else self.options.only
        beyond = [name for name in pending if name not in planned]
        if beyond:
            raise MovedError(f"it also lacks {', '.join(beyond)}, which nobody planned to apply")

    def _apply(self, revision: str) -> None:
        for attempt in range(1, self.options.attempts + 1):
            self.last = None
            try:
                self.environment(partial(self._steps, revision), revision)
            except DBAPIError as error:
                state = _sqlstate(error)
                if self.stopping.is_set():
                    raise StoppedError from error
                outside = self._finished_outside()
                # What was committed on the way would be done a second time.
                if state not in _RETRIED or outside or attempt == self.options.attempts:
                    raise
                pause = min(30.0, self.options.pause * 2 ** (attempt - 1))
                pause *= random.uniform(0.5, 1.0)  # noqa: S311  nobody is to guess it
                self.lines.write(
                    "retry", revision=revision, attempt=attempt, sqlstate=state,
                    seconds=round(pause, 2),
                )  # fmt: skip
                if self.stopping.wait(pause):
                    raise StoppedError from error
            else:
                self.lines.write("applied", revision=revision, attempt=attempt)
                return

    def _finished_outside(self) -> bool:
        """Say whether the last session committed something before it failed."""
        return self.last is not None and bool(self.last.finished_outside)

    def _steps(self, revision: str, context: MigrationContext) -> Iterator[Any]:
        heads = context.get_current_heads()
        if revision in ancestors(self.script, heads):
            return  # another run was quicker, while this one paused
        self.lines.write("applying", revision=revision, heads=list(heads))
        # In the revision's own transaction, whoever began it.
        context._ensure_version_table()  # noqa: SLF001  nothing else makes it alone
        self._keep(SchemaLedger(context), _connection(context), ancestors(self.script, heads))
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, self._record)
        for step in steps_to(self.script, revision, heads):
            guarded = self.options.guard.get(revision, ())
            if guarded:
                step.migration_fn = self._guarded(context, step.migration_fn, guarded)
            yield step

    def _record(self, ctx: MigrationContext, step: Any, **_: Any) -> None:
        if step.is_upgrade and not step.is_stamp:
            done = self.script.get_revision(step.up_revision_id)
            why = self.options.floor.get(done.revision, "")
            ledger = SchemaLedger(ctx)
            ledger.add(_connection(ctx), done, why, self.options.deployment)

    def _guarded(
        self, context: MigrationContext, upgrade: Callable[..., None], objects: Iterable[str]
    ) -> Callable[..., None]:
        def compare_first(**words: Any) -> None:
            backup = json.loads(Path(self.options.manifest).read_text("utf-8"))
            backup = backup.get("data", backup)  # of a backup, or of `manifest` alone
            compare_with_backup(_connection(context), backup, objects)
            self.lines.write("equals-backup", objects=list(objects))
            upgrade(**words)

        return compare_first

    def _drift(self) -> list[str]:
        """Tell how the models differ from the database."""
        found: list[str] = []

        def compare(context: MigrationContext) -> Iterable[Any]:
            metadata = context.opts.get("target_metadata")
            if metadata is None:
                self.lines.write("drift-unknown", reason="env.py names no target_metadata")
                return ()
            for item in compare_metadata(context, metadata):
                said = " ".join(repr(item).split())
                if NAME not in said:
                    found.append(said)
            return ()

        self.environment(compare, self.options.to)
        for item in found:
            self.lines.write("drift", difference=item)
        return found


def _connection(context: MigrationContext) -> Connection:
    if context.connection is None:
        raise CommandError("env.py gave no connection")
    return context.connection


def _sqlstate(error: DBAPIError) -> str:
    original = error.orig
    return str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")


def watch(run: Run) -> None:
    """Have SIGTERM stop the run: what runs in the database is cancelled, from a thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def wait() -> None:
        signal.sigwait({signal.SIGTERM})
        run.stopping.set()
        session = run.session
        if session is not None:
            with suppress(Exception):  # it may have ended just now
                session.cancel()

    threading.Thread(target=wait, daemon=True).start()


def main(words: list[str]) -> int:
    """Migrate; return the exit status."""
    options = parse(words)
    lines = Lines()
    try:
        config = read_config(Path(options.directory))
        run = Run(options, lines, ScriptDirectory.from_config(config), config)
    except (CommandError, OSError) as error:
        lines.write("failed", status=NOTHING, message=one_line(error))
        return NOTHING
    watch(run)
    try:
        return run.all()
    except (Exception, SystemExit) as error:
        status = STOPPED if run.stopping.is_set() else _status(error)
        state = _sqlstate(error) if isinstance(error, DBAPIError) else ""
        lines.write("failed", status=status, sqlstate=state, message=one_line(error))
        return status


def _status(error: BaseException) -> int:
    if isinstance(error, BusyError):
        return BUSY
    if isinstance(error, MovedError):
        return MOVED
    if isinstance(error, DiffersError):
        return DIFFERS
    if isinstance(error, ElsewhereError):
        return NOTHING
    if isinstance(error, DBAPIError) and _sqlstate(error) in _RETRIED:
        return LOCKED
    if isinstance(error, DBAPIError) and _sqlstate(error)[:2] in {"", "08", "28", "3D", "57"}:
        return NOTHING if _sqlstate(error) != "57014" else FAILED
    return FAILED
