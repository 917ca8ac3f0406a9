"""Identity as it is run: provisioned from the command line, served as a process."""

import os
import subprocess
import sys

import httpx2
import jwt
import pytest

from eventflow_identity.settings import IdentitySettings
from eventflow_servicekit.testing.running import run_service

PATIENCE_SECONDS = 90.0
PASSWORD = "correct horse battery"


@pytest.fixture
def environment(settings: IdentitySettings) -> dict[str, str]:
    """Return the variables of a process on the test's database."""
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SIGNING_KEY": settings.signing_key.get_secret_value(),
        "PASSWORD_HASH_MEMORY": "8",
        "PASSWORD_HASH_PASSES": "1",
        "PASSWORD_HASH_LANES": "1",
    }


def provision(
    environment: dict[str, str], *arguments: str, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the provisioning command to its end."""
    return subprocess.run(
        (sys.executable, "-m", "eventflow_identity.provision", *arguments),
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_provisioned_accounts_sign_in_and_no_secret_is_logged(
    environment: dict[str, str],
) -> None:
    """Accounts from the command line get tokens from the process, whose log holds no secret."""
    name = f"ada-{os.getpid()}@example.org"
    made = provision(environment, "user", name, "--scope", "events:read", stdin=PASSWORD + "\n")
    assert made.stdout.startswith("user:"), made.stderr
    with run_service("eventflow_identity", environment) as service:
        url = service.url
        grant = {"grant_type": "password", "username": name, "password": PASSWORD}
        token = httpx2.post(f"{url}/v1/tokens", json=grant, timeout=PATIENCE_SECONDS).json()[
            "access_token"
        ]
        httpx2.post(
            f"{url}/v1/tokens", json={**grant, "password": PASSWORD + "!"}, timeout=PATIENCE_SECONDS
        )
        httpx2.post(f"{url}/v1/tokens/revoke", json={"token": token}, timeout=PATIENCE_SECONDS)
        keys = jwt.PyJWKSet.from_dict(
            httpx2.get(f"{url}/.well-known/jwks.json", timeout=PATIENCE_SECONDS).json()
        )
        checks = httpx2.get(f"{url}/health/ready", timeout=PATIENCE_SECONDS).json()["checks"]
        assert checks == {"database": "ok", "schema": "ok"}
        assert service.stop() == 0
        log = service.log()
    claims = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["EdDSA"],
        audience="eventflow",
    )
    assert claims["sub"] == made.stdout.strip()
    assert "signed in" in log
    for secret in (PASSWORD, token, environment["SIGNING_KEY"].splitlines()[1], name):
        assert secret not in log


def test_printed_key_is_one_to_serve_with(environment: dict[str, str]) -> None:
    """A key made on the command line is accepted as the signing key."""
    pem = provision(environment, "signing-key").stdout
    with run_service("eventflow_identity", {**environment, "SIGNING_KEY": pem}) as service:
        assert (
            len(
                httpx2.get(f"{service.url}/.well-known/jwks.json", timeout=PATIENCE_SECONDS).json()[
                    "keys"
                ]
            )
            == 1
        )


def test_missing_settings_are_all_named(environment: dict[str, str]) -> None:
    """Without settings the process ends with code 10 and names each missing variable."""
    bare = {k: v for k, v in environment.items() if k not in {"DATABASE_URL", "SIGNING_KEY"}}
    done = subprocess.run(
        (sys.executable, "-m", "eventflow_identity"),
        env=bare,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 10
    assert "DATABASE_URL: " in done.stderr
    assert "SIGNING_KEY: " in done.stderr
