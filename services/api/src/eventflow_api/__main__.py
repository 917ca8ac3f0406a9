"""Serves the api: `python -m eventflow_api`."""

import sys

from eventflow_api.application import create_api
from eventflow_api.settings import ApiSettings
from eventflow_servicekit.serving import serve
from eventflow_servicekit.settings import SettingsError, load_settings

SETTINGS_EXIT = 10


def main() -> int:
    """Serve until SIGTERM; return the exit code, 10 when the settings are not usable."""
    try:
        settings = load_settings(ApiSettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return SETTINGS_EXIT
    return serve(create_api(settings), settings)


if __name__ == "__main__":
    raise SystemExit(main())
