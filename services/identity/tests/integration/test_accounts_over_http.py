"""Accounts over HTTP: who may make them, and what is refused."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Identity

USER = {"email": "ada@example.org", "password": "correct horse battery"}


def test_new_user_can_sign_in(identity: "Identity") -> None:
    """An account made over HTTP is one to sign in with, and its scopes are in the token."""
    headers = identity.headers_with("accounts:write")
    made = identity.client.post("/v1/users", json=USER, headers=headers)
    assert made.status_code == 201
    assert made.json()["scopes"] == ["events:read", "events:write"]
    assert USER["password"] not in made.text
    assert identity.token(USER["email"], USER["password"])


def test_new_client_gets_its_secret_once(identity: "Identity") -> None:
    """The answer holds the secret, and it works."""
    headers = identity.headers_with("accounts:write")
    new = {"client_id": "worker", "scopes": ["events:read"]}
    made = identity.client.post("/v1/clients", json=new, headers=headers)
    assert made.status_code == 201
    grant = {
        "grant_type": "client_credentials",
        "client_id": "worker",
        "client_secret": made.json()["client_secret"],
    }
    assert identity.client.post("/v1/tokens", json=grant).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/users", USER), ("/v1/clients", {"client_id": "worker", "scopes": []})]
)
def test_taken_name_is_a_conflict(identity: "Identity", path: str, body: dict[str, object]) -> None:
    """A second account of the same name is refused with 409."""
    headers = identity.headers_with("accounts:write")
    assert identity.client.post(path, json=body, headers=headers).status_code == 201
    again = identity.client.post(path, json=body, headers=headers)
    assert (again.status_code, again.json()["type"]) == (409, "account-exists")


@pytest.mark.parametrize("path", ["/v1/users", "/v1/clients"])
def test_making_accounts_needs_its_scope(identity: "Identity", path: str) -> None:
    """Nobody makes accounts without a token that allows it."""
    assert identity.client.post(path, json={}).status_code == 401
    headers = identity.headers_with("events:write")
    assert identity.client.post(path, json={}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "short"},
        {"email": "no address"},
        {"email": "nul\x00@example.org"},
        {"scopes": ["everything"]},
    ],
)
def test_unacceptable_user_is_refused(identity: "Identity", changes: dict[str, object]) -> None:
    """A weak password, a wrong address and an unknown scope are faults of the request."""
    headers = identity.headers_with("accounts:write")
    answer = identity.client.post("/v1/users", json={**USER, **changes}, headers=headers)
    assert answer.status_code == 422
    assert "short" not in answer.text.replace("should have", "")
