"""Works until SIGTERM: `python -m eventflow_worker`."""

import sys

from eventflow_servicekit.serving import serve
from eventflow_servicekit.settings import SettingsError, load_settings
from eventflow_worker.application import create_worker
from eventflow_worker.settings import WorkerSettings

SETTINGS_EXIT = 10


def main() -> int:
    """Work until SIGTERM; return the exit code, 10 when the settings are not usable."""
    try:
        settings = load_settings(WorkerSettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return SETTINGS_EXIT
    return serve(create_worker(settings), settings)


if __name__ == "__main__":
    raise SystemExit(main())
