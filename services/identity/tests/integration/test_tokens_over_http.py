"""Tokens over HTTP, with accounts in a real database."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
import pytest
from sqlalchemy import text

if TYPE_CHECKING:
    from .conftest import Identity

PASSWORD = "correct horse battery"


def sign_in(identity: "Identity", username: str, password: str) -> tuple[int, dict[str, object]]:
    """Try to sign in; return the status and the body."""
    grant = {"grant_type": "password", "username": username, "password": password}
    # Escaped, so that names arrive which a client would not encode.
    body = json.dumps(grant)
    headers = {"Content-Type": "application/json"}
    answer = identity.client.post("/v1/tokens", content=body, headers=headers)
    return answer.status_code, answer.json()


def test_user_gets_a_token_that_others_can_check(identity: "Identity") -> None:
    """A token of a signed-in user is verified with nothing but the published keys."""
    account = identity.accounts.add_user("ada@example.org", PASSWORD, ["events:read"])
    token = identity.token("ada@example.org", PASSWORD)
    keys = jwt.PyJWKSet.from_dict(identity.client.get("/.well-known/jwks.json").json())
    claims = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["EdDSA"],
        audience="eventflow",
        issuer="https://identity.eventflow",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["sub"], claims["scope"]) == (account.subject, "events:read")


def test_answer_with_a_token_is_not_stored(identity: "Identity") -> None:
    """No cache keeps an answer that holds a token (RFC 6749, section 5.1)."""
    identity.accounts.add_user("ada@example.org", PASSWORD, [])
    grant = {"grant_type": "password", "username": "ada@example.org", "password": PASSWORD}
    answer = identity.client.post("/v1/tokens", json=grant)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["expires_in"] == 900


def test_address_is_the_same_in_any_case(identity: "Identity") -> None:
    """A user signs in however the address is spelled."""
    identity.accounts.add_user("Ada@Example.org", PASSWORD, [])
    assert sign_in(identity, "aDA@example.ORG", PASSWORD)[0] == 200


def test_refusals_cannot_be_told_apart(identity: "Identity") -> None:
    """Unknown, wrong and disabled give the very same answer."""
    identity.accounts.add_user("ada@example.org", PASSWORD, [])
    identity.accounts.add_user("off@example.org", PASSWORD, [])
    with identity.engine.begin() as connection:
        connection.execute(
            text("UPDATE identity.users SET disabled_at = now() WHERE email = 'off@example.org'")
        )
    answers = [
        sign_in(identity, "ada@example.org", "not it"),
        sign_in(identity, "nobody@example.org", PASSWORD),
        sign_in(identity, "off@example.org", PASSWORD),
    ]
    assert answers[0][0] == 401
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("name", ["", "\x00", "x" * 255, "\ud800"])
def test_unusable_name_is_refused_not_crashed_on(identity: "Identity", name: str) -> None:
    """A name that no account can have is answered with 401 or 422."""
    assert sign_in(identity, name, PASSWORD)[0] in {401, 422}


def test_client_signs_in_with_its_secret(identity: "Identity") -> None:
    """A service client gets a token for itself, and none with another secret."""
    _, secret = identity.accounts.add_client("worker", ["events:read"])
    grant = {"grant_type": "client_credentials", "client_id": "worker", "client_secret": secret}
    answer = identity.client.post("/v1/tokens", json=grant)
    assert (answer.status_code, answer.json()["scope"]) == (200, "events:read")
    refused = identity.client.post("/v1/tokens", json={**grant, "client_secret": secret + "x"})
    assert refused.status_code == 401


def test_hash_of_older_cost_is_replaced_at_sign_in(identity: "Identity") -> None:
    """After the cost was raised, a user's next sign-in stores a hash of the new cost."""
    identity.accounts.add_user("ada@example.org", PASSWORD, [])
    stronger = identity.settings.model_copy(update={"password_hash_passes": 2})
    raised = type(identity)(stronger)
    with raised.client:
        raised.token("ada@example.org", PASSWORD)
    raised.engine.dispose()
    with identity.engine.connect() as connection:
        stored = connection.execute(text("SELECT password_hash FROM identity.users")).scalar_one()
    assert "t=2" in stored


def test_introspection_needs_its_scope(identity: "Identity") -> None:
    """Asking about tokens is refused without a token and without the scope."""
    identity.accounts.add_user("ada@example.org", PASSWORD, ["events:read"])
    own = {"Authorization": f"Bearer {identity.token('ada@example.org', PASSWORD)}"}
    question = {"token": "anything"}
    assert identity.client.post("/v1/tokens/introspect", json=question).status_code == 401
    refused = identity.client.post("/v1/tokens/introspect", json=question, headers=own)
    assert refused.status_code == 403


def test_revoked_token_is_not_active_and_not_accepted(identity: "Identity") -> None:
    """A token is active until it is revoked, and then neither active nor good for anything."""
    headers = identity.headers_with("tokens:introspect")
    token = {"token": headers["Authorization"].removeprefix("Bearer ")}
    other = identity.headers_with("accounts:write")
    watched = {"token": other["Authorization"].removeprefix("Bearer ")}
    ask = "/v1/tokens/introspect"
    before = identity.client.post(ask, json=watched, headers=headers).json()
    assert (before["active"], before["sub"]) == (True, "client:c-accounts-write")
    for _ in range(2):
        assert identity.client.post("/v1/tokens/revoke", json=watched).status_code == 204
    after = identity.client.post(ask, json=watched, headers=headers).json()
    assert after == {"active": False}
    assert identity.client.post(ask, json=token, headers=headers).json()["active"] is True
    new = {"client_id": "later", "scopes": []}
    assert identity.client.post("/v1/clients", json=new, headers=other).status_code == 401


def test_expired_token_is_not_active(identity: "Identity") -> None:
    """Once a token has expired it is not active."""
    identity.accounts.add_user("ada@example.org", PASSWORD, [])
    watched = {"token": identity.token("ada@example.org", PASSWORD)}
    identity.clock.now += timedelta(minutes=15)
    headers = identity.headers_with("tokens:introspect")
    answer = identity.client.post("/v1/tokens/introspect", json=watched, headers=headers)
    assert answer.json() == {"active": False}


def test_revocations_are_forgotten_once_they_cannot_matter(identity: "Identity") -> None:
    """A revocation whose token has expired is removed by the next one."""
    identity.accounts.add_user("ada@example.org", PASSWORD, [])
    first = {"token": identity.token("ada@example.org", PASSWORD)}
    identity.client.post("/v1/tokens/revoke", json=first)
    identity.clock.now += timedelta(minutes=16)
    second = {"token": identity.token("ada@example.org", PASSWORD)}
    identity.client.post("/v1/tokens/revoke", json=second)
    with identity.engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM identity.revoked_tokens")).scalar_one()
    assert kept == 1


def test_revoking_what_is_no_token_changes_nothing(identity: "Identity") -> None:
    """Nonsense is answered like a token that has ended already (RFC 7009, section 2.2)."""
    answer = identity.client.post("/v1/tokens/revoke", json={"token": "nonsense"})
    assert answer.status_code == 204


def test_sign_ins_are_counted_by_outcome(identity: "Identity") -> None:
    """Accepted and refused attempts are separate counts."""
    identity.accounts.add_user("ada@example.org", PASSWORD, [])
    sign_in(identity, "ada@example.org", PASSWORD)
    sign_in(identity, "ada@example.org", "not it")
    page = identity.client.get("/metrics").text
    assert 'identity_sign_ins_total{grant="password",outcome="accepted"} 1.0' in page
    assert 'identity_sign_ins_total{grant="password",outcome="refused"} 1.0' in page
