"""What `monoyard_database migrate` is told; standard library."""

from __future__ import annotations

import argparse


def _pairs(words: list[str]) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in words)


def parse(words: list[str]) -> argparse.Namespace:
    """Read the words."""
    parser = argparse.ArgumentParser(description="Migrates a database.")
    parser.add_argument("--deployment", required=True, help="kept with what this run applies")
    parser.add_argument("--directory", default=".", help="where the alembic project is")
    parser.add_argument("--to", default="head", help="revision to go to")
    parser.add_argument("--expect", nargs="*", help="heads of the plan; none for an empty database")
    parser.add_argument("--only", action="append", metavar="REVISION", help="apply no other one")
    parser.add_argument("--floor", action="append", default=[], metavar="REVISION=WHY")
    parser.add_argument("--guard", action="append", default=[], metavar="REVISION=TABLE[.COLUMN]")
    parser.add_argument("--cluster", default="", help="cluster_name of the server that is meant")
    parser.add_argument("--manifest", help="file with the backup's manifest; needed by --guard")
    parser.add_argument("--lock-timeout", type=float, default=2.0, help="seconds")
    parser.add_argument("--statement-timeout", type=float, default=60.0, help="seconds")
    parser.add_argument("--deadline", type=float, default=3600.0, help="seconds for CONCURRENTLY")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds for another migration")
    parser.add_argument("--attempts", type=int, default=20, help="for a table lock")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds after the first of them")
    parser.add_argument("--check-drift", action="store_true", help="compare with the models")
    options = parser.parse_args(words)
    options.floor = _pairs(options.floor)
    guards: dict[str, list[str]] = {}
    for word in options.guard:
        revision, _, name = word.partition("=")
        guards.setdefault(revision, []).append(name)
    options.guard = guards
    if guards and not options.manifest:
        parser.error("--guard needs --manifest")
    return options
