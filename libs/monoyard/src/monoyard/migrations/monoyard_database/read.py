"""Lists the revisions of an alembic project with their operations and SQL; needs no database.

    python monoyard_database read [DIRECTORY]

Each `upgrade()` is called in alembic's offline mode against a buffer that keeps what it would send,
so the SQL is what alembic makes, not a guess. One JSON line for each event:

    {"event": "project", "dialect": "postgresql", "heads": [...], "version_table": "s.t"}
    {"event": "revision", "revision": "0003", "parents": ["0002"], "path": "...", "title": "...",
     "reviewed": {...}, "problem": "" or why the SQL is not all that it does,
     "operations": [{"kind": "AddColumnOp", "table": "events.events", "statements": ["ALTER ..."],
                     "in_transaction": true}]}
    {"event": "problem", "message": "..."}       nothing can be said of any revision

A revision that asks the database anything is never taken as read: what it would do then depends on
the answer, so it has a `problem`.

Exit status: 0, also with problems; 2 where there is no alembic project.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.operations.base import AbstractOperations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from .alembic_project import in_order, parents, read_config
from .lines import Lines, one_line

_ASKING = "it asks whether there is a database, so what it does there may differ"
_ASKED = frozenset({"as_sql", "bind", "connection"})  # of the context; no call that could be seen


class Recorder(io.StringIO):
    """Takes what alembic would print, and keeps it by operation."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[dict[str, Any]] = []
        self.problem = ""
        self._in_transaction = True
        self._open: dict[str, Any] | None = None

    def begin(self) -> None:
        """Start with another revision."""
        self.operations, self.problem, self._in_transaction = [], "", True

    def write(self, text: str) -> int:
        """Take one statement; alembic hands each over by itself."""
        said = text.strip()
        if said in {"BEGIN;", "COMMIT;"} and self._open is None:
            self._in_transaction = said == "BEGIN;"
        elif said and not said.startswith("-- "):
            self._place()["statements"].append(said)
        return len(text)

    def _place(self) -> dict[str, Any]:
        if self._open is not None:
            return self._open
        self.operations.append(self._operation("", ""))
        return self.operations[-1]

    def _operation(self, kind: str, table: str) -> dict[str, Any]:
        where = self._in_transaction
        return {"kind": kind, "table": table, "statements": [], "in_transaction": where}

    def invoked(self, operation: Any, call: Callable[[], Any]) -> Any:
        """Run one operation; what it writes belongs to it, also through operations of its own."""
        if self._open is not None:
            return call()
        self._open = self._operation(type(operation).__name__, _table(operation))
        self.operations.append(self._open)
        try:
            return call()
        finally:
            self._open = None


def _table(operation: Any) -> str:
    name = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    schema = getattr(operation, "schema", None) or getattr(operation, "source_schema", None)
    return f"{schema}.{name}" if schema and name else str(name or "")


def record_operations(recorder: Recorder) -> None:
    """Have every operation, and every look at the database, told to the recorder."""
    invoke, get_bind = AbstractOperations.invoke, Operations.get_bind
    is_offline = EnvironmentContext.is_offline_mode

    def recorded(self: AbstractOperations, operation: Any) -> Any:
        return recorder.invoked(operation, lambda: invoke(self, operation))

    def asked(self: Operations) -> Any:
        recorder.problem = recorder.problem or _ASKING
        return get_bind(self)

    def asked_for_mode(self: EnvironmentContext) -> bool:
        recorder.problem = recorder.problem or _ASKING
        return is_offline(self)

    AbstractOperations.invoke = recorded  # type: ignore[method-assign]
    Operations.get_bind = asked  # type: ignore[assignment, method-assign]
    EnvironmentContext.is_offline_mode = asked_for_mode  # type: ignore[method-assign]


def describe(revision: Script, recorder: Recorder) -> dict[str, Any]:
    """Run one `upgrade()` and return what it did."""
    recorder.begin()
    if looks_at_connection(Path(revision.path)):
        recorder.problem = _ASKING
    try:
        revision.module.upgrade()
    except Exception as error:
        recorder.problem = f"it cannot be read without a database ({one_line(error)})"
    return summary(revision, recorder)


def looks_at_connection(path: Path) -> bool:
    """Say whether anything in a revision but its `downgrade()` names the connection."""
    tree = ast.parse(path.read_bytes())
    parts = [item for item in tree.body if getattr(item, "name", "") != "downgrade"]
    nodes = (node for part in parts for node in ast.walk(part))
    return any(isinstance(node, ast.Attribute) and node.attr in _ASKED for node in nodes)


def summary(revision: Script, recorder: Recorder) -> dict[str, Any]:
    """Return what is told of a revision."""
    reviewed = getattr(revision.module, "monoyard", {})
    return {
        "revision": revision.revision,
        "parents": parents(revision),
        "path": revision.path,
        "title": revision.doc or "",
        "reviewed": reviewed if isinstance(reviewed, dict) else {"": repr(reviewed)},
        "problem": recorder.problem,
        "operations": [item for item in recorder.operations if item["statements"]],
    }


def main(words: list[str]) -> int:
    """Print the project in the directory named, or in the working directory."""
    lines = Lines()
    recorder = Recorder()
    try:
        config = read_config(Path(words[0]) if words else Path())
        config.output_buffer = recorder
        script = ScriptDirectory.from_config(config)
        revisions = in_order(script)
    except CommandError as error:
        lines.write("problem", message=one_line(error))
        return 2
    told: list[str] = []

    def tell(_heads: object, context: MigrationContext) -> Iterable[Any]:
        if told:  # an `env.py` for several databases calls again, with other connections
            lines.write("problem", message="env.py runs the migrations more than once")
            return ()
        schema, table = context.version_table_schema, context.version_table
        lines.write(
            "project", dialect=context.dialect.name, heads=script.get_heads(),
            version_table=f"{schema}.{table}" if schema else table,
        )  # fmt: skip
        record_operations(recorder)
        for revision in revisions:
            lines.write("revision", **describe(revision, recorder))
            told.append(revision.revision)
        return ()

    try:
        with EnvironmentContext(config, script, fn=tell, as_sql=True, destination_rev="heads"):
            script.run_env()
    except (Exception, SystemExit) as error:
        lines.write("problem", message=f"env.py has no offline mode: {one_line(error)}")
    else:
        if not told and revisions:
            lines.write("problem", message="env.py runs no migrations in offline mode")
    for revision in revisions:
        if revision.revision not in told:  # its SQL is not known, but that it is there
            recorder.begin()
            lines.write("revision", **summary(revision, recorder))
    return 0
