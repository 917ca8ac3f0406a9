"""Tries a version of a service on the migrated copy of its database; standard library.

    python monoyard_database trial --version NAME -- WORDS...

WORDS are the version's own program, which writes and reads as the version does; what it prints
goes to standard error. Exit status: 0 where it ended with 0; 16 where it did not; 8 where there is
no such program.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from .lines import Lines
from .statuses import DONE, NOTHING, UNFIT


def main(words: list[str]) -> int:
    """Run the program; return the exit status."""
    parser = argparse.ArgumentParser(description="Tries a version on a copy of its database.")
    parser.add_argument("--version", required=True, help="what it is called in messages")
    parser.add_argument("words", nargs="+", help="the version's own program")
    options = parser.parse_args(words)
    lines = Lines()
    try:
        done = subprocess.run(
            options.words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", check=False,
        )  # fmt: skip
    except OSError as error:
        lines.write("failed", status=NOTHING, message=f"{options.words[0]}: {error.strerror}")
        return NOTHING
    sys.stderr.write(done.stdout)
    if done.returncode == 0:
        lines.write("tried", version=options.version)
        return DONE
    said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    last = said[-1] if said else f"it ended with status {done.returncode}"
    message = f"{options.version} does not work with the migrated copy: {last[:500]}"
    lines.write("failed", status=UNFIT, message=message)
    return UNFIT
