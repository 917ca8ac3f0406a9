"""Runs `migrate.py` as a Job would: a process of its own, on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from monoyard.migrations import SCRIPTS

SECONDS = 180.0


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: int
    events: Sequence[Mapping[str, Any]]
    talk: str

    def of(self, event: str) -> list[Mapping[str, Any]]:
        """Return the events of one kind."""
        return [item for item in self.events if item["event"] == event]


class Runner:
    """Runs the migrations of a project on a database."""

    def __init__(self, place: Path, url: str) -> None:
        self.place = place
        self.url = url

    def start(self, *words: str, deployment: str = "d-1") -> subprocess.Popen[str]:
        """Start a run."""
        return subprocess.Popen(
            (sys.executable, str(SCRIPTS),
                "migrate", f"--deployment={deployment}",
             f"--directory={self.place}", "--pause=0.05", *words),
            env={**os.environ, "DATABASE_URL": self.url},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self, child: subprocess.Popen[str]) -> Ended:
        """Wait for the end of a run."""
        out, err = child.communicate(timeout=SECONDS)
        return Ended(child.returncode, [json.loads(line) for line in out.splitlines()], err)

    def run(self, *words: str, deployment: str = "d-1") -> Ended:
        """Run to the end."""
        return self.end(self.start(*words, deployment=deployment))

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """Connect to the database, each statement for itself."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection

    def ask(self, statement: str) -> list[Any]:
        """Return the rows of a statement."""
        with self.connection() as connection:
            done = connection.execute(statement)
            return list(done.fetchall()) if done.description else []

    def waits(self, kind: str = "Lock") -> bool:
        """Say whether a session of the database waits for a lock."""
        rows = self.ask(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            f" AND wait_event_type = '{kind}'"
        )
        return bool(rows)
