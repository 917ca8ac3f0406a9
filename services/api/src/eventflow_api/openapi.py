"""Writes and checks `openapi.json`: `python -m eventflow_api.openapi --write`."""

from pathlib import Path

from fastapi import FastAPI
from pydantic import HttpUrl, SecretStr

from eventflow_api.application import create_api
from eventflow_api.settings import ApiSettings
from eventflow_servicekit.openapi_document import run_openapi_command

DOCUMENT_PATH = Path(__file__).parents[2] / "openapi.json"


def documented_application() -> FastAPI:
    """Return an application that is never served: its routes are all that counts."""
    return create_api(
        ApiSettings(
            database_url=SecretStr("postgresql://nowhere/none"),
            jwks_url=HttpUrl("http://nowhere/.well-known/jwks.json"),
        )
    )


if __name__ == "__main__":
    raise SystemExit(run_openapi_command(documented_application(), DOCUMENT_PATH))
