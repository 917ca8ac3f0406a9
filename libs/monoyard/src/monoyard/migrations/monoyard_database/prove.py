"""Restores a fetched backup into its throwaway PostgreSQL, and proves it; as `restore` does.

    python monoyard_database prove --from FILE --manifest FILE --identity FILE

with DATABASE_URL of a superuser of the empty copy. After the proof a role `monoyard` may log in
there as the one that the backup was taken by, so that a migration meets the same permissions.

Exit status: those of `restore`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString

from psycopg import sql

from .backup import stop_on_sigterm
from .database import address, connect
from .ending import ended
from .lines import Lines
from .restore import not_compared, parse_files, proof, restore
from .statuses import DIFFERS

USER = "monoyard"


def admit(url: str, backup: Mapping[str, Any]) -> None:
    """Make the role `monoyard`, which is whom the backup was taken by as soon as it logs in.

    Nobody who starts a migration knows that name beforehand. The database gets its owner as well.
    """
    user, owner = backup["database"]["user"], backup["database"]["owner"]
    with connect(url) as connection:

        def run(statement: LiteralString, *names: str) -> None:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for name in {user["name"], owner} - known:
            run("CREATE ROLE {}", name)
        if user["superuser"]:
            run("ALTER ROLE {} SUPERUSER", user["name"])
        run("ALTER DATABASE {} OWNER TO {}", connection.info.dbname, owner)
        run("CREATE ROLE {} LOGIN IN ROLE {}", USER, user["name"])
        run("ALTER ROLE {} SET role = {}", USER, user["name"])


def prove(options: argparse.Namespace, lines: Lines) -> int:
    """Restore and compare; return the exit status."""
    url, backup = address("DATABASE_URL"), options.backup
    restore(url, Path(options.source), backup, options.keys)
    lines.write("restored", bytes=backup["dump"]["bytes"])
    found = proof(url, backup)
    for line in found:
        lines.write("differs", message=line)
    if found:
        lines.write("failed", status=DIFFERS, message=f"the copy differs: {found[0]}")
        return DIFFERS
    admit(url, backup)
    tables = backup["data"]["tables"]
    lines.write("proven", tables=len(tables), not_compared=not_compared(backup))
    return 0


def main(words: list[str]) -> int:
    """Prove a backup; return the exit status."""
    options = parse_files(argparse.ArgumentParser(description="Proves a backup."), words)
    stop_on_sigterm()
    lines = Lines()
    return ended(lines, lambda: prove(options, lines))
