"""The api put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from fastapi import FastAPI

from eventflow_api.acceptance import EventIntake
from eventflow_api.jwks import KeyCache, KeyPolicy, fetch_from
from eventflow_api.reading import EventArchive
from eventflow_api.reading_routes import reading_router
from eventflow_api.settings import ApiSettings
from eventflow_api.submission_routes import submission_router
from eventflow_api.tables import SCHEMA_NEED
from eventflow_api.tokens import JwksTokenReader, utc_now
from eventflow_servicekit.application import create_application
from eventflow_servicekit.database import (
    create_database_engine,
    database_check,
    session_factory,
)
from eventflow_servicekit.database_problems import install_database_problems
from eventflow_servicekit.metrics import ServiceMetrics
from eventflow_servicekit.schema import schema_check


def create_api(settings: ApiSettings, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Return the application; it connects to database and identity when they are first needed."""
    engine = create_database_engine(settings, application_name=settings.service_name)
    # A key set that redirects elsewhere would let that place issue tokens.
    identity = httpx.Client(timeout=settings.jwks_timeout_seconds, follow_redirects=False)
    keys = KeyCache(fetch_from(identity, str(settings.jwks_url)), key_policy(settings))
    tokens = JwksTokenReader(keys, settings.token_issuer, settings.token_audience, clock)
    metrics = ServiceMetrics(service=settings.service_name, release=settings.release)
    sessions = session_factory(engine)

    def close() -> None:
        identity.close()
        engine.dispose()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        close()

    app = create_application(
        settings,
        title="EventFlow API",
        description="Accepts events, queues them to be processed, and reads them back.",
        checks={
            "database": database_check(engine),
            "schema": schema_check(engine, SCHEMA_NEED),
            "identity-keys": keys.check,
        },
        metrics=metrics,
        lifespan=lifespan,
    )
    install_database_problems(app)
    app.include_router(submission_router(EventIntake(sessions, clock), tokens, metrics.registry))
    app.include_router(reading_router(EventArchive(sessions), tokens))
    return app


def key_policy(settings: ApiSettings) -> KeyPolicy:
    """Return when the keys of identity are asked for again."""
    return KeyPolicy(
        max_age=settings.jwks_max_age_seconds,
        cooldown=settings.jwks_cooldown_seconds,
        stale=settings.jwks_stale_seconds,
    )
