"""Gets a backup out of a store; boto3.

    python monoyard_database fetch --key KEY --to DIR [--only-manifest] [--space DIR]

with what `store.py` asks for set. Writes `manifest.json`, and `dump.age` after it was seen that
there is room for it and, with --space, for the restored copy, and that the server beside this
program is of the backup's major version. Bytes are compared with the manifest.

Exit status: those of a store, and
    3    the bytes are not those that were backed up
    9    too little space
    10   the PostgreSQL on PATH is of another major version
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .backup import stop_on_sigterm
from .ending import ended
from .lines import Lines
from .restore import DAMAGED, FULL, ROOM, RestoreError
from .save import summary
from .store import DUMP, MANIFEST, Store
from .streams import file_digest

OTHER_MAJOR = 10
_VERSION = re.compile(r"\) (\d+)")


def fetch(options: argparse.Namespace, lines: Lines) -> int:
    """Get it; return the exit status."""
    store, target = Store.of_environment(), Path(options.to)
    kept = store.backup(options.key)
    (target / MANIFEST).write_text(json.dumps(kept.manifest), "utf-8")
    if not options.only_manifest:
        _check_major(kept.manifest)
        _check_space(kept.manifest, target, options.space)
        store.get_file(f"{options.key}/{DUMP}", target / DUMP)
        if file_digest(target / DUMP) != kept.manifest["object"]:
            raise RestoreError(DAMAGED, f"{options.key}/{DUMP} is not what was backed up")
    lines.write("fetched", **summary(kept))
    return 0


def _check_major(backup: Mapping[str, Any]) -> None:
    wanted = int(backup["database"]["major"])
    program = shutil.which("postgres")
    argv = (program or "postgres", "--version")
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    found = _VERSION.search(said)
    if found is None or int(found[1]) != wanted:
        message = f"the backup is of PostgreSQL {wanted}, and this image has {said.strip()}"
        raise RestoreError(OTHER_MAJOR, message)


def _check_space(backup: Mapping[str, Any], target: Path, space: str | None) -> None:
    """See that there is room; both directories may lie on one disk."""
    wanted = {target: int(backup["object"]["bytes"])}
    if space is not None:
        wanted[Path(space)] = ROOM * int(backup["database"]["bytes"])
    for path in wanted:
        device = path.stat().st_dev
        needed = sum(size for other, size in wanted.items() if other.stat().st_dev == device)
        free = shutil.disk_usage(path).free
        if free < needed:
            raise RestoreError(FULL, f"{needed} bytes are needed in {path}, {free} are free")


def main(words: list[str]) -> int:
    """Get a backup; return the exit status."""
    parser = argparse.ArgumentParser(description="Gets a backup out of a store.")
    parser.add_argument("--key", required=True, help="its directory in the bucket")
    parser.add_argument("--to", required=True, help="directory that it is put into")
    parser.add_argument("--only-manifest", action="store_true", help="leave the dump")
    parser.add_argument("--space", help="directory that has to hold the restored copy")
    options = parser.parse_args(words)
    stop_on_sigterm()
    lines = Lines()
    return ended(lines, lambda: fetch(options, lines))
