"""Makes a database cluster where there is none, then becomes the server: `python -m ...`."""

import os
import sys
from typing import NoReturn

from eventflow_postgres.cluster import ClusterError, make_cluster
from eventflow_postgres.settings import Settings, SettingsError

SETTINGS_EXIT = 10
CLUSTER_EXIT = 20


def main() -> int:
    """Return an exit code, 10 when a setting is missing and 20 when there is no cluster."""
    try:
        settings = Settings.read(os.environ)
        if not (settings.cluster / "PG_VERSION").is_file():
            make_cluster(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return SETTINGS_EXIT
    except ClusterError as error:
        sys.stderr.write(f"{error}\n")
        return CLUSTER_EXIT
    return serve(settings)


def serve(settings: Settings) -> NoReturn:
    """Become the server, so that signals reach it."""
    server = str(settings.programs / "postgres")
    os.execv(server, (server, *settings.arguments))  # noqa: S606  no shell is in between


if __name__ == "__main__":
    raise SystemExit(main())
