"""The platform as a whole: an event goes in over HTTP, a letter comes out."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import httpx
import psycopg
import pytest

import eventflow_api
import eventflow_identity
import eventflow_notifications
import eventflow_worker
from eventflow_identity.keys import new_signing_key_pem
from eventflow_notifications.testing.smtp_sink import SmtpSink

SERVICES = Path(__file__).parents[2] / "services"
PATIENCE_SECONDS = 240.0
NAME, PASSWORD = "ada@example.org", "correct horse battery"
CALLER_TOKEN = "a token of some length"
# The cheapest hash there is: what is proven here is not how well it resists.
CHEAP_HASH = {"PASSWORD_HASH_MEMORY": "8", "PASSWORD_HASH_PASSES": "1", "PASSWORD_HASH_LANES": "1"}


class ServiceProcess:
    """A service as it is run, on a port that the system chooses.

    Its log is printed at the end, and pytest shows what was printed when a test fails.
    """

    def __init__(self, service: ModuleType, variables: Mapping[str, str]) -> None:
        self.name = service.__name__
        self.log: list[str] = []
        self._url: str | None = None
        self._listening = threading.Event()
        self._process = subprocess.Popen(
            (sys.executable, "-m", self.name),
            env={**os.environ, "PORT": "0", **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        print(f"--- log of {self.name}", *self.log, sep="\n")  # noqa: T201 - for the report

    def url(self) -> str:
        """Return where it listens, once it does; raise TimeoutError if it does not in time."""
        self._listening.wait(PATIENCE_SECONDS)
        if self._url is None:
            raise TimeoutError(f"{self.name} does not listen")
        return self._url

    def stop(self) -> int:
        """Stop it, gently first, and return its exit code."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        code = self._process.wait()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()
        return code

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line.rstrip())
            if '"listening"' in line:
                self._url = json.loads(line)["url"]
                self._listening.set()
        # Nothing more will come: nobody should go on waiting.
        self._listening.set()


@dataclass(frozen=True)
class Platform:
    """All services, running, and the mailbox at their end."""

    identity: ServiceProcess
    api: ServiceProcess
    worker: ServiceProcess
    notifications: ServiceProcess
    mailbox: SmtpSink

    def sign_in(self) -> str:
        """Return a token of the user."""
        grant = {"grant_type": "password", "username": NAME, "password": PASSWORD}
        answer = httpx.post(
            f"{self.identity.url()}/v1/tokens",
            json=grant,
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def stop(self) -> dict[str, int]:
        """Stop all services, callers first, and return their exit codes."""
        services = (self.api, self.worker, self.notifications, self.identity)
        return {service.name: service.stop() for service in services}


def run(service: str, variables: Mapping[str, str], *words: str, stdin: str = "") -> str:
    """Run a Python module in the directory of a service; return what it prints."""
    done = subprocess.run(
        (sys.executable, "-m", *words),
        cwd=SERVICES / service,
        env={**os.environ, **variables},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def migrate(database: Mapping[str, str], *services: str) -> None:
    """Bring the schemas of these services up to date, all at the same time."""
    with ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(lambda name: run(name, database, "alembic", "upgrade", "heads"), services))


def add_user(variables: Mapping[str, str]) -> None:
    """Give the user an account that may read and send events."""
    scopes = ("--scope", "events:read", "--scope", "events:write")
    command = ("eventflow_identity.provision", "user", NAME, *scopes)
    run("identity", variables, *command, stdin=PASSWORD)


@pytest.fixture
def platform(postgres_empty_url: str) -> Iterator[Platform]:
    """Yield the whole platform on a migrated database; all of it is gone at the end."""
    database = {"DATABASE_URL": postgres_empty_url}
    accounts = {**database, **CHEAP_HASH, "SIGNING_KEY": new_signing_key_pem()}
    with ExitStack() as stack:
        mailbox = stack.enter_context(SmtpSink())

        def start(service: ModuleType, **variables: str) -> ServiceProcess:
            return stack.enter_context(ServiceProcess(service, variables))

        notifications = start(
            eventflow_notifications,
            CALLER_TOKEN=CALLER_TOKEN,
            WEBHOOK_SECRET="a secret of some length",
            SMTP_HOST=mailbox.host,
            SMTP_PORT=str(mailbox.port),
            SMTP_SECURITY="none",
        )
        migrate(database, "identity", "api")
        identity = start(eventflow_identity, **accounts)
        add_user(accounts)
        api = start(eventflow_api, **database, JWKS_URL=f"{identity.url()}/.well-known/jwks.json")
        worker = start(
            eventflow_worker,
            **database,
            NOTIFICATIONS_URL=notifications.url(),
            NOTIFICATIONS_TOKEN=CALLER_TOKEN,
            IDLE_PAUSE_SECONDS="0.05",
        )
        yield Platform(identity, api, worker, notifications, mailbox)


def test_an_order_becomes_a_letter(platform: Platform) -> None:
    """A signed-in user's order is stored, read back, and told to the customer exactly once."""
    order: dict[str, Any] = {
        "type": "order.placed",
        "version": 2,
        "source": "shop",
        "occurred_at": "2026-03-01T12:34:56Z",
        "correlation_id": "checkout-1",
        "data": {
            "order_id": "o-1",
            "email": "grace@example.org",
            "total": {"minor_units": 123456, "currency": "EUR"},
        },
    }
    headers = {"Authorization": f"Bearer {platform.sign_in()}"}
    with httpx.Client(
        base_url=platform.api.url(), headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    ) as api:
        unknown = api.get("/v1/events", headers={"Authorization": "Bearer nobody"})
        sent = [
            api.post("/v1/events", json=order, headers={"Idempotency-Key": "order-1"})
            for _ in range(2)
        ]
        (letter,) = platform.mailbox.wait_for(1, seconds=PATIENCE_SECONDS)
        listed = api.get("/v1/events", params={"type": "order.placed"})
    codes = platform.stop()

    assert unknown.status_code == 401
    assert [answer.status_code for answer in sent] == [201, 201]
    stored = sent[0].json()
    assert sent[1].json() == stored
    assert listed.json() == {"items": [stored], "next_cursor": None}
    assert letter["To"] == "grace@example.org"
    assert letter["Subject"] == "Your order o-1"
    body = letter.get_body(("plain",))
    assert body is not None
    assert "1234.56 EUR" in body.get_content()
    assert codes == dict.fromkeys(codes, 0)
    # All work was finished by then, and it was one letter.
    assert len(platform.mailbox.letters) == 1
    # One id joins what the customer did with what came of it, across services.
    assert any("checkout-1" in line for line in platform.notifications.log)


SMOKE_SCOPES = ("events:read", "events:write", "tokens:introspect")


@dataclass(frozen=True)
class Smoke:
    """The smoke tests of services, as a deployment runs them against a running platform."""

    platform: Platform
    database: Mapping[str, str]
    client: Mapping[str, str]

    def run(self, service: str) -> subprocess.CompletedProcess[str]:
        """Run the smoke test of a service."""
        running = {
            "api": self.platform.api,
            "identity": self.platform.identity,
            "notifications": self.platform.notifications,
            "worker": self.platform.worker,
        }[service]
        variables = {
            **self.database,
            **self.client,
            "SMOKE_URL": running.url(),
            "SMOKE_IDENTITY_URL": self.platform.identity.url(),
            "SMOKE_ADDRESS": "operations@example.org",
            "CALLER_TOKEN": CALLER_TOKEN,
            "NOTIFICATIONS_TOKEN": CALLER_TOKEN,
        }
        return subprocess.run(
            (sys.executable, "-m", f"eventflow_{service}.smoke"),
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def break_database(self, statement: str) -> None:
        """Take something away that a healthy endpoint does not look at."""
        with psycopg.connect(self.database["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(statement.encode())

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with psycopg.connect(self.database["DATABASE_URL"]) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def smoke(platform: Platform, postgres_empty_url: str) -> Smoke:
    """Return the smoke tests of a platform that works, with a client of their own."""
    database = {"DATABASE_URL": postgres_empty_url}
    accounts = {**database, **CHEAP_HASH, "SIGNING_KEY": new_signing_key_pem()}
    scopes = [word for scope in SMOKE_SCOPES for word in ("--scope", scope)]
    command = ("eventflow_identity.provision", "client", "smoke", *scopes)
    secret = run("identity", accounts, *command).strip()
    return Smoke(platform, database, {"SMOKE_CLIENT_ID": "smoke", "SMOKE_CLIENT_SECRET": secret})


def test_a_version_that_works_passes_its_smoke_test(smoke: Smoke) -> None:
    """Each service's test writes, reads back, and leaves no event of the queue behind."""
    outcomes = {}
    for service in ("identity", "api", "notifications", "worker"):
        done = smoke.run(service)
        outcomes[service] = (done.returncode, done.stderr.strip().splitlines()[-1:])

    assert outcomes == dict.fromkeys(outcomes, (0, ["the smoke test passed"]))
    (letter,) = smoke.platform.mailbox.wait_for(1, seconds=PATIENCE_SECONDS)
    assert letter["To"] == "operations@example.org"
    # The api's event stays; that of the worker never was.
    assert smoke.count("events.events") == 1


@pytest.mark.parametrize(
    ("service", "broken"),
    [
        ("api", "ALTER TABLE events.queue RENAME TO gone"),
        ("worker", "ALTER TABLE events.effects RENAME TO gone"),
        ("identity", "ALTER TABLE identity.revoked_tokens RENAME TO gone"),
    ],
)
def test_a_broken_write_path_is_caught(smoke: Smoke, service: str, broken: str) -> None:
    """A version whose health is fine and whose writing is not does not pass."""
    smoke.break_database(broken)

    assert smoke.run(service).returncode != 0


def test_letters_that_go_nowhere_are_caught() -> None:
    """A version that takes every order and delivers none does not pass, and tells no secret."""
    variables = {
        "CALLER_TOKEN": CALLER_TOKEN, "WEBHOOK_SECRET": "a secret of some length",
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1", "SMTP_SECURITY": "none",
        "DELIVERY_ATTEMPTS": "1",
    }  # fmt: skip
    with ServiceProcess(eventflow_notifications, variables) as service:
        done = subprocess.run(
            (sys.executable, "-m", "eventflow_notifications.smoke"),
            env={
                **os.environ, **variables, "SMOKE_URL": service.url(),
                "SMOKE_ADDRESS": "operations@example.org",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.strip() == "the smoke test failed: the letter was not delivered"
    assert CALLER_TOKEN not in done.stdout + done.stderr
