"""Bearer tokens: which answer a caller gets, and what it says."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from eventflow_servicekit.bearer import (
    Caller,
    TokenRefusedError,
    TokensUncheckedError,
    caller_with,
)
from eventflow_servicekit.problems import install_problem_handlers


class Reader:
    """Knows three tokens."""

    def read(self, token: str) -> Caller:
        """Return a writer or a reader, or refuse."""
        if token == "later":
            raise TokensUncheckedError("no keys yet")
        if token not in {"writer", "reader"}:
            raise TokenRefusedError("the token has expired")
        return Caller(subject=token, scopes=frozenset({f"things:{token[:-2]}e"}))


@pytest.fixture
def client() -> TestClient:
    """Return a client of an application that asks for scope `things:write`."""
    app = FastAPI()
    install_problem_handlers(app)
    writer = caller_with(Reader(), "things:write")

    @app.get("/")
    def read(caller: Annotated[Caller, Depends(writer)]) -> str:
        return caller.subject

    return TestClient(app)


def test_caller_with_the_scope_passes(client: TestClient) -> None:
    """A good token with the scope gives the handler its caller."""
    answer = client.get("/", headers={"Authorization": "Bearer writer"})
    assert (answer.status_code, answer.json()) == (200, "writer")


@pytest.mark.parametrize(
    ("authorization", "status", "kind", "challenge"),
    [
        (None, 401, "missing-token", "Bearer"),
        ("Basic d3JpdGVyOg==", 401, "missing-token", "Bearer"),
        ("Bearer old", 401, "invalid-token", 'Bearer error="invalid_token"'),
        (
            "Bearer reader",
            403,
            "missing-scope",
            'Bearer error="insufficient_scope", scope="things:write"',
        ),
        ("Bearer later", 503, "tokens-unchecked", None),
    ],
)
def test_refusal_says_what_is_missing(
    client: TestClient, authorization: str | None, status: int, kind: str, challenge: str | None
) -> None:
    """Each refusal has its own status, kind and challenge (RFC 6750, section 3)."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.get("/", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, kind)
    assert answer.headers.get("WWW-Authenticate") == challenge
