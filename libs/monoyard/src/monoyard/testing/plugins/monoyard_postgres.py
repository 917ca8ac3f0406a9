"""Gives tests databases on a running PostgreSQL server; load it with `-p monoyard_postgres`.

It stands alone (standard library, pytest, psycopg), because it runs in the tests' interpreter.
Variables in: `MONOYARD_POSTGRES_URL`, the superuser's URL of a running server;
`MONOYARD_POSTGRES_MIGRATE`, optional, a JSON list of words that brings the database in
`DATABASE_URL` up to date, run in the package's directory ("python" means this interpreter); and
`MONOYARD_POSTGRES_TEMPLATE`, optional, the name under which the migrated database is kept, so that
the migration runs once and every later database is a copy.

Several test processes and packages may use one server at the same time: a template is made under
an advisory lock, and counts only once it is marked complete.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

URL_VARIABLE = "MONOYARD_POSTGRES_URL"
TEMPLATE_VARIABLE = "MONOYARD_POSTGRES_TEMPLATE"
MIGRATE_VARIABLE = "MONOYARD_POSTGRES_MIGRATE"

_COMPLETE: LiteralString = "monoyard: template complete"
# PostgreSQL cuts longer names silently, and two cut names may be one.
_LONGEST_NAME = 63
_SHOWN_LINES = 15
_URL = re.compile(r"(postgres(?:ql)?://[^/?]*)(?:/[^?]*)?(\?.*)?", re.DOTALL)


class PostgresPluginError(Exception):
    """The server or the migration did not do what the tests need; the message says it all."""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL server, reached through its superuser's URL."""

    url: str

    def url_of(self, database: str) -> str:
        """Return the URL of another database of this server."""
        matched = _URL.fullmatch(self.url)
        if matched is None:
            raise PostgresPluginError(f"{URL_VARIABLE} is not a postgresql:// URL")
        return f"{matched[1]}/{database}{matched[2] or ''}"

    @contextlib.contextmanager
    def session(self) -> Iterator[psycopg.Connection]:
        """Connect to the server's own database, outside of any transaction."""
        try:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            raise PostgresPluginError(f"no PostgreSQL at {URL_VARIABLE}: {reason}") from None
        with connection:
            yield connection

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[psycopg.Connection]:
        """Hold the server-wide lock called `name`; it ends with this process at the latest."""
        with self.session() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
            # Closing the session gives the lock back.
            yield connection

    def create(self, database: str, *, template: str = "template0") -> None:
        """Make `database` a copy of `template`, which nobody may be connected to."""
        # Copies of one template wait for each other instead of failing as "being accessed".
        with self.locked(f"monoyard copy {template}") as connection:
            _command(connection, "CREATE DATABASE {} TEMPLATE {}", database, template)

    def drop(self, database: str) -> None:
        """Remove `database` and end whatever is still connected to it."""
        with self.session() as connection:
            _command(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", database)


@dataclass(frozen=True)
class Migration:
    """The command that brings a database up to date."""

    argv: tuple[str, ...]
    directory: Path

    @classmethod
    def from_json(cls, text: str, directory: Path) -> "Migration":
        """Read a JSON list of words; the word "python" at its start is this interpreter."""
        try:
            words = json.loads(text)
        except ValueError:
            words = None
        if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
            raise PostgresPluginError(f"{MIGRATE_VARIABLE} is not a JSON list of words")
        first = sys.executable if words[0] == "python" else words[0]
        return cls(argv=(first, *words[1:]), directory=directory)

    def run(self, database_url: str) -> None:
        """Migrate the database at `database_url`; raise with the last lines when it fails."""
        try:
            done = subprocess.run(
                self.argv,
                cwd=self.directory,
                env={**os.environ, "DATABASE_URL": database_url},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise PostgresPluginError(f"the migration did not start: {error}") from None
        if done.returncode != 0:
            last = "\n".join(done.stdout.strip().splitlines()[-_SHOWN_LINES:])
            told = f"the migration failed (exit {done.returncode}): {' '.join(self.argv)}\n{last}"
            raise PostgresPluginError(told)


def ensure_template(server: Server, name: str, migration: Migration) -> None:
    """Make sure that a complete, migrated template `name` exists; one process makes it.

    A template without its mark is the remains of a process that died or failed, and is made anew.
    """
    with server.locked(f"monoyard template {name}") as connection:
        if _is_complete(connection, name):
            return
        server.drop(name)
        server.create(name)
        migration.run(server.url_of(name))
        # Somebody connected to a template would block every copy.
        _command(connection, "ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        _command(connection, f"COMMENT ON DATABASE {{}} IS '{_COMPLETE}'", name)


@pytest.fixture(scope="session")
def postgres_server_url() -> str:
    """Return the URL of the server's own database, for its superuser; check that it answers."""
    url = os.environ.get(URL_VARIABLE)
    if not url:
        missing = f"{URL_VARIABLE} is not set: no PostgreSQL server to test with"
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    with _told_plainly(), Server(url).session():
        return url


@pytest.fixture(scope="session")
def postgres_url(
    postgres_server_url: str,
    request: pytest.FixtureRequest,
    pytestconfig: pytest.Config,
) -> Iterator[str]:
    """Yield the URL of a migrated database of this test process alone; drop it at the end."""
    server = Server(postgres_server_url)
    template = os.environ.get(TEMPLATE_VARIABLE) or None
    text = os.environ.get(MIGRATE_VARIABLE)
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = _fresh_name(template or "monoyard_test", worker)
    with _told_plainly():
        migration = Migration.from_json(text, pytestconfig.rootpath) if text else None
        if migration is not None and template is not None:
            ensure_template(server, template, migration)
            server.create(name, template=template)
        else:
            server.create(name)
    try:
        with _told_plainly():
            if migration is not None and template is None:
                migration.run(server.url_of(name))
        yield server.url_of(name)
    finally:
        with _told_plainly():
            server.drop(name)


@pytest.fixture
def postgres_empty_url(postgres_server_url: str) -> Iterator[str]:
    """Yield the URL of a new, empty database; drop it after the test."""
    server = Server(postgres_server_url)
    name = _fresh_name("monoyard_test", "empty")
    with _told_plainly():
        server.create(name)
    try:
        yield server.url_of(name)
    finally:
        with _told_plainly():
            server.drop(name)


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except (PostgresPluginError, psycopg.Error) as error:
        pytest.fail(str(error).strip(), pytrace=False)


def _is_complete(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        [name],
    ).fetchone()
    return found == (_COMPLETE,)


def _fresh_name(stem: str, part: str) -> str:
    tail = f"_{part}_{uuid.uuid4().hex[:12]}"
    return stem[: _LONGEST_NAME - len(tail)] + tail


def _command(connection: psycopg.Connection, words: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))
