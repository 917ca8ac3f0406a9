"""Serves identity: `python -m eventflow_identity`."""

import sys

from eventflow_identity.application import create_identity
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.serving import serve
from eventflow_servicekit.settings import SettingsError, load_settings

SETTINGS_EXIT = 10


def main() -> int:
    """Serve until SIGTERM; return the exit code, 10 when the settings are not usable."""
    try:
        settings = load_settings(IdentitySettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return SETTINGS_EXIT
    return serve(create_identity(settings), settings)


if __name__ == "__main__":
    raise SystemExit(main())
