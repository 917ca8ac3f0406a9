"""Is a throwaway PostgreSQL for the copy of a backup: on loopback, no passwords; standard library.

    python monoyard_database serve --data DIR --manifest FILE --name NAME [--port N]

A cluster is made where there is none, in the encoding that the manifest says, and the server takes
the place of this program. NAME is its `cluster_name`, by which a migration can see that it is at
this very copy. What is written is not kept safe from a crash: a copy is made again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
from pathlib import Path


def main(words: list[str]) -> int:
    """Become the server; return an exit status where that fails."""
    parser = argparse.ArgumentParser(description="Serves a throwaway database.")
    parser.add_argument("--data", required=True, help="directory of the cluster")
    parser.add_argument("--manifest", required=True, help="file with the backup's manifest")
    parser.add_argument("--name", required=True, help="cluster_name of the server")
    parser.add_argument("--port", type=int, default=5432)
    options = parser.parse_args(words)
    data = Path(options.data) / "cluster"
    backup = json.loads(Path(options.manifest).read_text("utf-8"))
    if not (data / "PG_VERSION").is_file():
        shutil.rmtree(data, ignore_errors=True)
        argv = (
            "initdb", f"--pgdata={data}", f"--encoding={backup['database']['encoding']}",
            "--locale=C", "--username=postgres", "--auth=trust", "--no-sync", "--no-instructions",
        )  # fmt: skip
        subprocess.run(argv, check=True)
    settings = {
        "cluster_name": options.name, "fsync": "off", "full_page_writes": "off",
        "max_wal_size": "512MB", "listen_addresses": "127.0.0.1", "shared_buffers": "64MB",
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in settings.items()]
    os.execvp("postgres", ("postgres", "-D", str(data), "-p", str(options.port), "-k", "", *words))  # noqa: S606, S607  no shell is in between, and PATH says which
