"""Identity put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI
from sqlalchemy import Engine

from eventflow_identity.account_routes import account_router
from eventflow_identity.accounts import Accounts, given_client_check
from eventflow_identity.passwords import Passwords
from eventflow_identity.revocations import LiveTokens, Revocations
from eventflow_identity.settings import IdentitySettings
from eventflow_identity.tables import SCHEMA_NEED
from eventflow_identity.token_routes import token_router
from eventflow_identity.tokens import TokenMint
from eventflow_servicekit.application import create_application
from eventflow_servicekit.database import (
    create_database_engine,
    database_check,
    session_factory,
)
from eventflow_servicekit.database_problems import install_database_problems
from eventflow_servicekit.health import Check
from eventflow_servicekit.metrics import ServiceMetrics
from eventflow_servicekit.schema import schema_check


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def create_identity(
    settings: IdentitySettings, *, clock: Callable[[], datetime] = utc_now
) -> FastAPI:
    """Return the application; it connects to the database when it is first needed."""
    engine = create_database_engine(settings, application_name=settings.service_name)
    metrics = ServiceMetrics(service=settings.service_name, release=settings.release)
    accounts = create_accounts(settings, engine)
    tokens = LiveTokens(
        mint=TokenMint(
            keys=settings.key_ring(),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            lifetime=timedelta(seconds=settings.token_lifetime_seconds),
            clock=clock,
        ),
        revocations=Revocations(session_factory(engine), clock),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    checks: dict[str, Check] = {
        "database": database_check(engine),
        "schema": schema_check(engine, SCHEMA_NEED),
    }
    if given := settings.given_client():
        checks["given-client"] = given_client_check(accounts, given)
    app = create_application(
        settings,
        title="EventFlow identity",
        description="Issues, checks and revokes the tokens of users and services.",
        checks=checks,
        metrics=metrics,
        lifespan=lifespan,
    )
    install_database_problems(app)
    app.include_router(token_router(accounts, tokens, metrics.registry))
    app.include_router(account_router(accounts, tokens))
    return app


def create_accounts(settings: IdentitySettings, engine: Engine) -> Accounts:
    """Return the accounts in the database behind `engine`, with the settings' hash costs."""
    passwords = Passwords(
        memory=settings.password_hash_memory,
        passes=settings.password_hash_passes,
        lanes=settings.password_hash_lanes,
        checks_at_once=settings.password_checks_at_once,
    )
    return Accounts(session_factory(engine), passwords)
