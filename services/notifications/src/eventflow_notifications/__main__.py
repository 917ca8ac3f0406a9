"""Serves notifications: `python -m eventflow_notifications`."""

import sys

from eventflow_notifications.application import create_notifications
from eventflow_notifications.settings import NotificationsSettings
from eventflow_servicekit.serving import serve
from eventflow_servicekit.settings import SettingsError, load_settings

SETTINGS_EXIT = 10


def main() -> int:
    """Serve until SIGTERM; return the exit code, 10 when the settings are not usable."""
    try:
        settings = load_settings(NotificationsSettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return SETTINGS_EXIT
    return serve(create_notifications(settings), settings)


if __name__ == "__main__":
    raise SystemExit(main())
