"""Small alembic projects, and the two programs that read their SQL."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from monoyard.migrations import Classed, Classifier, History, Judges, read_history
from monoyard.migrations.values import Usage

ENV = """
import os
import sqlalchemy as sa
from alembic import context

options = {"target_metadata": None, "version_table_schema": os.environ.get("VERSIONS")}
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1)
    with sa.create_engine(url, poolclass=sa.pool.NullPool).connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
"""
_REVISION = '''"""{title}."""

import sqlalchemy as sa
from alembic import context, op

revision = "{name}"
down_revision = {parent!r}
{attributes}

def upgrade():
{body}


def downgrade():
    pass
'''


class Project:
    """An alembic project of a foreign team: `alembic.ini`, and an `env.py` that connects itself."""

    def __init__(self, place: Path, env: str = ENV) -> None:
        self.place = place
        self.versions = place / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        text = "[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n"
        (place / "alembic.ini").write_text(text, encoding="utf-8")
        (place / "migrations" / "env.py").write_text(env, encoding="utf-8")
        self._last: str | None = None

    def revision(
        self, name: str, *lines: str, attributes: str = "", after: str | None = None
    ) -> None:
        """Add a revision after the last one, or another; each line is one of `upgrade()`."""
        self._last = after or self._last
        body = textwrap.indent("\n".join(lines) or "pass", "    ")
        text = _REVISION.format(
            title=f"Revision {name}", name=name, parent=self._last, body=body, attributes=attributes
        )
        (self.versions / f"{name}.py").write_text(text, encoding="utf-8")
        self._last = name

    def sql(
        self, name: str, *statements: str, attributes: str = "", after: str | None = None
    ) -> None:
        """Add a revision of SQL."""
        lines = [f"op.execute(sa.text({text!r}))" for text in map(_escaped, statements)]
        self.revision(name, *lines, attributes=attributes, after=after)

    def autocommit(self, name: str, *statements: str, after: str | None = None) -> None:
        """Add a revision of SQL that runs outside of a transaction."""
        lines = [f"    op.execute(sa.text({text!r}))" for text in map(_escaped, statements)]
        block = "with op.get_context().autocommit_block():"
        self.revision(name, block, *lines, after=after)

    def history(self) -> History:
        """Read it."""
        return read_history(Path(sys.executable), self.place, {}, ())

    def classed(
        self, applied: Sequence[str] | None = None, usage: Usage | None = None
    ) -> tuple[Classed, ...]:
        """Read and class it."""
        judges = find_judges()
        return Classifier(judges.grammar, judges.lint, usage).classify(self.history(), applied)


def _escaped(sql: str) -> str:
    return sql.replace(":", "\\:")


def find_judges() -> Judges:
    """Return the programs that the run put on PATH."""
    program = shutil.which("squawk")
    assert program, "squawk"
    return Judges(Path(program))
