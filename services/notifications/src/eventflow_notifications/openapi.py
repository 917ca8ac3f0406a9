"""Writes and checks `openapi.json`: `python -m eventflow_notifications.openapi --write`."""

from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from eventflow_notifications.application import create_notifications
from eventflow_notifications.settings import NotificationsSettings
from eventflow_servicekit.openapi_document import run_openapi_command

DOCUMENT_PATH = Path(__file__).parents[2] / "openapi.json"


def documented_application() -> FastAPI:
    """Return an application that is never served: its routes are all that counts."""
    unused = SecretStr("never used for anything")
    return create_notifications(NotificationsSettings(caller_token=unused, webhook_secret=unused))


if __name__ == "__main__":
    raise SystemExit(run_openapi_command(documented_application(), DOCUMENT_PATH))
