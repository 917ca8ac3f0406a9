"""Settings of notifications, from the environment."""

import ssl
from pathlib import Path
from typing import Self

import httpx
from pydantic import Field, SecretStr, model_validator

from eventflow_notifications.email_channel import MailServer, Security
from eventflow_notifications.retrying import RetryPolicy
from eventflow_servicekit.settings import ServiceSettings


class NotificationsSettings(ServiceSettings):
    """What notifications needs to know; durations are in seconds."""

    service_name: str = "eventflow-notifications"
    port: int = Field(default=8002, ge=0, le=65535)
    caller_token: SecretStr = Field(
        min_length=16, description="What callers show as bearer token; we would be an open relay"
    )
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_security: Security = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_sender: str = "EventFlow <no-reply@eventflow.example>"
    smtp_timeout_seconds: float = Field(default=5.0, gt=0)
    webhook_secret: SecretStr = Field(min_length=16, description="Signs webhooks")
    webhook_timeout_seconds: float = Field(default=5.0, gt=0)
    webhook_allow_private: bool = Field(
        default=False, description="Allow private addresses and plain HTTP: for tests only"
    )
    extra_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) to trust besides the public ones"
    )
    delivery_attempts: int = Field(default=3, ge=1, le=10)
    delivery_deadline_seconds: float = Field(default=8.0, gt=0)
    remembered_keys: int = Field(default=50_000, ge=1)
    remembered_seconds: float = Field(default=86_400.0, gt=0)

    @model_validator(mode="after")
    def _login_is_whole_and_secret(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD belong together")
        if self.smtp_password is not None and self.smtp_security == "none":
            raise ValueError("SMTP_PASSWORD needs SMTP_SECURITY starttls or tls")
        return self

    def tls(self) -> ssl.SSLContext:
        """Return what is trusted; raises OSError when the extra certificates cannot be read."""
        context = httpx.create_ssl_context(trust_env=False)
        if self.extra_ca_file is not None:
            context.load_verify_locations(self.extra_ca_file)
        return context

    def mail_server(self, tls: ssl.SSLContext) -> MailServer:
        """Return how mail is handed over."""
        return MailServer(
            host=self.smtp_host,
            port=self.smtp_port,
            security=self.smtp_security,
            tls=tls,
            sender=self.smtp_sender,
            username=self.smtp_username,
            password=self.smtp_password,
            timeout=self.smtp_timeout_seconds,
        )

    def retry_policy(self) -> RetryPolicy:
        """Return how often a delivery is tried within one request."""
        return RetryPolicy(attempts=self.delivery_attempts, deadline=self.delivery_deadline_seconds)
