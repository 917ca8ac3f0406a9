"""Requests generated from the OpenAPI document of a running api, good ones and bad ones."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as generation
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.core.result import Ok

from eventflow_api.openapi import documented_application
from eventflow_api.settings import ApiSettings
from eventflow_servicekit.testing.issuer import Issuer
from eventflow_servicekit.testing.running import RunningService, run_service

EXAMPLES = 20
# The usual strategy gives years that the document's pattern excludes, nearly always.
schemathesis.openapi.format(
    "date-time",
    st.integers(*(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2000, 2099))).map(
        lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat()
    ),
)
OPERATIONS = [
    result.ok()
    for result in schemathesis.openapi.from_dict(
        documented_application().openapi()
    ).get_all_operations()
    if isinstance(result, Ok)
]


@pytest.fixture(scope="module")
def service(settings: ApiSettings, issuer: Issuer) -> Iterator[RunningService]:
    """Yield a served api."""
    environment = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "JWKS_URL": issuer.url,
    }
    with run_service("eventflow_api", environment) as service:
        yield service


def test_all_operations_are_played() -> None:
    """No operation of the document is left out, so that this suite cannot pass by finding none."""
    assert {operation.label for operation in OPERATIONS} == {
        "GET /v1/events",
        "GET /v1/events/{event_id}",
        "POST /v1/events",
        "POST /v1/events/batches",
    }


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_answers_are_what_the_document_says(
    service: RunningService,
    issuer: Issuer,
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
) -> None:
    """Good requests are accepted, bad ones refused, and every answer is a declared one."""
    headers = issuer.headers("events:read", "events:write")

    # The same requests in every run: a failure is a change of ours.
    @generation(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        # A cursor is only good when the api made it, which no schema can say.
        if mode is GenerationMode.POSITIVE:
            case.query.pop("cursor", None)
        case.call_and_validate(base_url=service.url, headers=headers)

    send()
