"""Writes and checks `openapi.json`: `python -m eventflow_identity.openapi --write`."""

from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from eventflow_identity.application import create_identity
from eventflow_identity.keys import new_signing_key_pem
from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.openapi_document import run_openapi_command

DOCUMENT_PATH = Path(__file__).parents[2] / "openapi.json"


def documented_application() -> FastAPI:
    """Return an application that is never served: its routes are all that counts."""
    settings = IdentitySettings(
        database_url=SecretStr("postgresql://nowhere/none"),
        signing_key=SecretStr(new_signing_key_pem()),
        password_hash_memory=8,
        password_hash_passes=1,
        password_hash_lanes=1,
    )
    return create_identity(settings)


if __name__ == "__main__":
    raise SystemExit(run_openapi_command(documented_application(), DOCUMENT_PATH))
