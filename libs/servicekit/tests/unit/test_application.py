"""The application every service starts from, asked over HTTP."""

import threading
from http import HTTPStatus
from typing import Annotated, Literal

import pytest
from fastapi import APIRouter, Body, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field, SecretStr

from eventflow_servicekit.application import create_application
from eventflow_servicekit.correlation import current_correlation_id
from eventflow_servicekit.health import Check, Readiness
from eventflow_servicekit.problems import ProblemError, problem_responses
from eventflow_servicekit.settings import ServiceSettings


class Circle(BaseModel):
    """One member of a union."""

    kind: Literal["circle"]
    radius: int


class Square(BaseModel):
    """The other member."""

    kind: Literal["square"]
    side: int


class Drawing(BaseModel):
    """A list of unions."""

    shapes: list[Annotated[Circle | Square, Field(discriminator="kind")]]


class Credentials(BaseModel):
    """A body whose content must never be echoed."""

    password: Annotated[str, Body(min_length=50)]


def build(*, patience: float = 60.0, **checks: Check) -> FastAPI:
    """Return an application with routes that succeed, refuse and break."""
    settings = ServiceSettings(service_name="example", check_timeout_seconds=patience)
    app = create_application(settings, title="Example", description="An example", checks=checks)
    router = APIRouter(prefix="/v1")

    @router.get("/things/{thing}")
    def read_thing(thing: str) -> dict[str, str | None]:
        return {"thing": thing, "correlation": current_correlation_id()}

    @router.get("/taken", responses=problem_responses(HTTPStatus.CONFLICT))
    def refuse() -> None:
        raise ProblemError(HTTPStatus.CONFLICT, "already-taken", "somebody has it")

    @router.get("/broken")
    def break_down() -> None:
        raise RuntimeError(f"secret detail {SecretStr('x')}")

    @router.post("/login")
    def log_in(credentials: Credentials) -> int:
        return len(credentials.password)

    @router.post("/drawings")
    def draw(drawing: Drawing) -> int:
        return len(drawing.shapes)

    app.include_router(router)
    return app


@pytest.fixture
def client() -> TestClient:
    """Return a client of an application without checks."""
    return TestClient(build())


def test_ids_of_the_caller_are_kept_and_reach_the_handler(client: TestClient) -> None:
    """A caller's correlation id is seen by the handler and comes back in the answer."""
    answer = client.get("/v1/things/a", headers={"X-Correlation-ID": "order-17"})
    assert answer.json()["correlation"] == "order-17"
    assert answer.headers["X-Correlation-ID"] == "order-17"
    assert answer.headers["X-Request-ID"] != "order-17"


@pytest.mark.parametrize("forged", ["a" * 65, "x y", '{"level":"ERROR"}'])
def test_unacceptable_id_is_replaced(client: TestClient, forged: str) -> None:
    """An id that could forge a log line is replaced by a new one."""
    answer = client.get("/v1/things/a", headers={"X-Correlation-ID": forged})
    assert answer.headers["X-Correlation-ID"] == answer.headers["X-Request-ID"] != forged


def test_requests_are_counted_by_route_template(client: TestClient) -> None:
    """Two paths of one route are one series, and unknown paths share another."""
    client.get("/v1/things/a")
    client.get("/v1/things/b")
    client.get("/no/such/path")
    client.get("/neither/this")
    page = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="/v1/things/{thing}",status="200"} 2.0' in page
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 2.0' in page
    assert 'http_request_duration_seconds_count{method="GET",route="/v1/things/{thing}"}' in page


def test_invented_methods_share_one_label(client: TestClient) -> None:
    """A method that HTTP does not know cannot create a series of its own."""
    client.request("BREW", "/v1/things/a")
    page = client.get("/metrics").text
    assert 'method="other"' in page
    assert "BREW" not in page


def test_problem_is_answered_as_rfc_9457(client: TestClient) -> None:
    """A ProblemError becomes a problem document with its status, kind and detail."""
    answer = client.get("/v1/taken")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "already-taken",
        "title": "Conflict",
        "status": 409,
        "detail": "somebody has it",
    }


def test_invalid_request_names_fields_and_repeats_no_input(client: TestClient) -> None:
    """A validation fault names the field and never the value."""
    answer = client.post("/v1/login", json={"password": "hunter2"})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["body.password"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"shapes": [{"kind": "circle", "radius": "x"}]}, "body.shapes.0.radius"),
        ({"shapes": [{"kind": "square"}]}, "body.shapes.0.side"),
        ({"shapes": [{"kind": "star"}]}, "body.shapes.0"),
        ({}, "body.shapes"),
        (7, "body"),
    ],
)
def test_field_at_fault_is_named_as_the_caller_wrote_it(
    client: TestClient, body: object, field: str
) -> None:
    """The path of a fault holds only keys of the request, not the names of union members."""
    answer = client.post("/v1/drawings", json=body)
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_unknown_path_is_a_problem_too(client: TestClient) -> None:
    """The framework's own 404 is a problem document."""
    answer = client.get("/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404}


def test_defect_is_answered_without_detail_and_counted(client: TestClient) -> None:
    """An unexpected exception becomes a bare 500 that still carries its ids and is counted."""
    answer = client.get("/v1/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["X-Request-ID"]
    assert 'route="/v1/broken",status="500"} 1.0' in client.get("/metrics").text


def test_openapi_says_problem_json_for_errors(client: TestClient) -> None:
    """The document declares error answers with the media type they really have."""
    document = client.get("/openapi.json").json()
    responses = document["paths"]["/v1/taken"]["get"]["responses"]
    assert set(responses["409"]["content"]) == {"application/problem+json"}
    assert "/health/live" not in document["paths"]


def test_ready_names_every_check() -> None:
    """A failing check turns readiness into 503 and is named beside the good ones."""

    def fail() -> None:
        raise ConnectionError("db-7.internal refused")

    client = TestClient(build(database=fail, disk=lambda: None))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "checks": {"database": "failed: ConnectionError", "disk": "ok"},
    }
    assert client.get("/health/live").status_code == 200


def test_hanging_check_fails_in_time() -> None:
    """A check that never returns counts as failed after its timeout."""
    release = threading.Event()
    client = TestClient(build(patience=0.2, database=release.wait))
    try:
        answer = client.get("/health/ready")
    finally:
        release.set()
    assert answer.json()["checks"] == {"database": "no answer within 0.2 s"}


def test_draining_process_is_not_ready() -> None:
    """Once the drain has begun readiness fails although every check passes."""
    app = build(database=lambda: None)
    readiness = app.state.readiness
    assert isinstance(readiness, Readiness)
    client = TestClient(app)
    assert client.get("/health/ready").json()["status"] == "ready"
    readiness.begin_drain()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")


@pytest.mark.parametrize("path", ["/v1/things/x", "/v1/broken", "/nowhere", "/health/live"])
def test_every_answer_names_the_pod(path: str) -> None:
    """Whoever counts the shares of two versions can tell which one answered, faults included."""
    settings = ServiceSettings(service_name="example", pod_name="example-5d8f7c-x2x9z")
    app = create_application(settings, title="Example", description="An example")

    @app.get("/v1/broken")
    def break_down() -> None:
        raise RuntimeError

    answer = TestClient(app, raise_server_exceptions=False).get(path)

    assert answer.headers["X-Served-By"] == "example-5d8f7c-x2x9z"


def test_no_pod_is_made_up() -> None:
    """Outside of a cluster there is no name of a pod in the answers."""
    assert "X-Served-By" not in TestClient(build()).get("/health/live").headers
