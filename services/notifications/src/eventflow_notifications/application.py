"""Notifications put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from eventflow_notifications.callers import SharedToken
from eventflow_notifications.email_channel import EmailChannel
from eventflow_notifications.idempotency import KeyMemory
from eventflow_notifications.notifier import Notifier
from eventflow_notifications.retrying import Retrying
from eventflow_notifications.routes import notification_router
from eventflow_notifications.settings import NotificationsSettings
from eventflow_notifications.targets import TargetGuard
from eventflow_notifications.webhook_channel import WebhookChannel
from eventflow_servicekit.application import create_application
from eventflow_servicekit.metrics import ServiceMetrics


def create_notifications(settings: NotificationsSettings) -> FastAPI:
    """Return the application.

    Readiness asks nobody: while the mail server is away, webhooks and clear answers still work.
    """
    metrics = ServiceMetrics(service=settings.service_name, release=settings.release)
    tls = settings.tls()
    client = httpx.AsyncClient(
        verify=tls,
        trust_env=False,
        follow_redirects=False,
        timeout=settings.webhook_timeout_seconds,
    )
    notifier = Notifier(
        email=EmailChannel(settings.mail_server(tls)),
        webhook=WebhookChannel(
            client,
            TargetGuard(allow_private=settings.webhook_allow_private),
            secret=settings.webhook_secret.get_secret_value(),
        ),
        retrying=Retrying(settings.retry_policy()),
        memory=KeyMemory(capacity=settings.remembered_keys, lifetime=settings.remembered_seconds),
        registry=metrics.registry,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    app = create_application(
        settings,
        title="EventFlow notifications",
        description="Sends e-mail and webhooks on behalf of other services.",
        metrics=metrics,
        lifespan=lifespan,
    )
    app.include_router(notification_router(notifier, SharedToken(settings.caller_token)))
    return app
