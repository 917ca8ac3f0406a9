"""The api as it is run: a process on a socket, stopped by a signal."""

import os
import subprocess
import sys

import httpx2

from eventflow_api.settings import ApiSettings
from eventflow_servicekit.testing.issuer import Issuer
from eventflow_servicekit.testing.running import run_service

PATIENCE_SECONDS = 90.0
EVENT = {
    "type": "page.viewed",
    "version": 1,
    "source": "site",
    "occurred_at": "2026-03-01T12:00:00Z",
    "data": {"path": "/", "visitor_id": "v-1"},
}


def test_event_goes_in_and_comes_out_over_a_socket(settings: ApiSettings, issuer: Issuer) -> None:
    """A served api is ready, stores an event, gives it back, logs no token, and stops cleanly."""
    url = settings.database_url.get_secret_value()
    headers = issuer.headers("events:read", "events:write")
    environment = {"DATABASE_URL": url, "JWKS_URL": issuer.url}
    with run_service("eventflow_api", environment) as service:
        base = service.url
        ready = httpx2.get(f"{base}/health/ready", timeout=PATIENCE_SECONDS)
        assert ready.json()["checks"] == {
            "database": "ok", "schema": "ok", "identity-keys": "ok",
        }  # fmt: skip
        key = {**headers, "Idempotency-Key": f"process-{os.getpid()}", "X-Correlation-ID": "c-9"}
        stored = httpx2.post(
            f"{base}/v1/events", json=EVENT, headers=key, timeout=PATIENCE_SECONDS
        ).json()
        read = httpx2.get(
            f"{base}/v1/events/{stored['id']}", headers=headers, timeout=PATIENCE_SECONDS
        )
        assert read.json() == stored
        assert service.stop() == 0
        answered, log = service.log_lines("request answered"), service.log()
    assert [line["route"] for line in answered] == ["/v1/events", "/v1/events/{event_id}"]
    assert answered[0]["correlation_id"] == "c-9"
    assert headers["Authorization"].removeprefix("Bearer ") not in log


def test_api_without_database_lives_but_is_not_ready(issuer: Issuer) -> None:
    """While the database is away the process stays up, is not ready, and answers 503."""
    environment = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "JWKS_URL": issuer.url,
    }
    with run_service("eventflow_api", environment) as service:
        base = service.url
        assert httpx2.get(f"{base}/health/live", timeout=PATIENCE_SECONDS).status_code == 200
        ready = httpx2.get(f"{base}/health/ready", timeout=PATIENCE_SECONDS)
        assert (ready.status_code, ready.json()["checks"]["identity-keys"]) == (503, "ok")
        answer = httpx2.get(
            f"{base}/v1/events", headers=issuer.headers("events:read"), timeout=PATIENCE_SECONDS
        )
        assert answer.json()["type"] == "database-unavailable"


def test_api_without_identity_says_that_it_cannot_tell(
    settings: ApiSettings, issuer: Issuer
) -> None:
    """While identity has never answered a token is neither good nor bad: the answer is 503."""
    environment = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "JWKS_URL": "http://127.0.0.1:1/jwks.json",
    }
    with run_service("eventflow_api", environment) as service:
        token = issuer.headers("events:read")
        answer = httpx2.get(f"{service.url}/v1/events", headers=token, timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()["type"]) == (503, "tokens-unchecked")


def test_missing_settings_are_all_named() -> None:
    """Without settings the process ends with code 10 and names each missing variable."""
    bare = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "JWKS_URL"}}
    done = subprocess.run(
        (sys.executable, "-m", "eventflow_api"),
        env=bare,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 10
    assert "DATABASE_URL: " in done.stderr
    assert "JWKS_URL: " in done.stderr
