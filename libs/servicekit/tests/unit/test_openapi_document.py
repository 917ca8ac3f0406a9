"""The committed OpenAPI document and the command that keeps it current."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from eventflow_servicekit.openapi_document import run_openapi_command


def test_written_document_is_current(tmp_path: Path) -> None:
    """What --write wrote, --check accepts."""
    path = tmp_path / "openapi.json"
    app = FastAPI(title="Example", version="1")
    assert run_openapi_command(app, path, ["--write"]) == 0
    assert run_openapi_command(app, path, ["--check"]) == 0


def test_changed_interface_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check fails after a change of the interface and shows the changed line."""
    path = tmp_path / "openapi.json"
    run_openapi_command(FastAPI(title="Before", version="1"), path, ["--write"])
    assert run_openapi_command(FastAPI(title="After", version="1"), path, ["--check"]) == 1
    assert '+    "title": "After"' in capsys.readouterr().err


def test_missing_document_fails_the_check(tmp_path: Path) -> None:
    """--check fails where nothing was committed."""
    app = FastAPI(title="Example", version="1")
    assert run_openapi_command(app, tmp_path / "openapi.json", ["--check"]) == 1
