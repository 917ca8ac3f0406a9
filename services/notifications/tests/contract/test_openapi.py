"""The committed OpenAPI document: current, valid, in house style, and kind to old clients."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from eventflow_notifications.openapi import DOCUMENT_PATH, documented_application
from eventflow_servicekit.openapi_document import run_openapi_command
from eventflow_servicekit.testing.openapi_changes import breaking_changes
from eventflow_servicekit.testing.openapi_rules import rule_faults

DOCUMENT_IN_REPOSITORY = "services/notifications/openapi.json"


@pytest.fixture
def document() -> dict[str, Any]:
    """Return the committed document."""
    parsed: dict[str, Any] = json.loads(DOCUMENT_PATH.read_text(encoding="utf-8"))
    return parsed


def test_committed_document_is_current() -> None:
    """The document says what the code does."""
    assert run_openapi_command(documented_application(), DOCUMENT_PATH, ["--check"]) == 0


def test_document_is_valid(document: dict[str, Any]) -> None:
    """The document is what the OpenAPI standard asks for."""
    validate(document)


def test_document_keeps_the_house_rules(document: dict[str, Any]) -> None:
    """Every operation is named, described, and says how it fails."""
    assert rule_faults(document) == ()


def test_change_breaks_no_client_of_the_base_revision(document: dict[str, Any]) -> None:
    """Whoever uses the interface of the base revision can go on."""
    base_directory = os.environ.get("MONOYARD_BASE_DIR")
    if base_directory is None:
        pytest.skip("MONOYARD_BASE_DIR names no base revision")
    base = Path(base_directory) / DOCUMENT_IN_REPOSITORY
    if not base.exists():
        pytest.skip("the base revision has no OpenAPI document")
    assert breaking_changes(json.loads(base.read_text(encoding="utf-8")), document) == ()
