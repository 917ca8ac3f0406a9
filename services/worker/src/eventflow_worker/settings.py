"""Settings of the worker, from the environment."""

import os
import secrets
import socket
from typing import Self

from pydantic import Field, SecretStr, model_validator

from eventflow_servicekit.settings import DatabaseSettings, ServiceSettings
from eventflow_worker.backoff import Backoff
from eventflow_worker.loop import LoopPolicy


def unique_name() -> str:
    """Return a name for this process; a process id alone is used again after a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class WorkerSettings(ServiceSettings, DatabaseSettings):
    """What the worker needs to know; durations are in seconds."""

    service_name: str = "eventflow-worker"
    port: int = Field(default=8003, ge=0, le=65535, description="Health and metrics only")
    notifications_url: str = "http://127.0.0.1:8002"
    notifications_token: SecretStr = Field(min_length=16)
    notifications_timeout_seconds: float = Field(default=12.0, gt=0)
    payments_webhook_url: str | None = None
    batch_size: int = Field(default=50, ge=1, le=1000)
    lease_seconds: float = Field(default=60.0, gt=0)
    idle_pause_seconds: float = Field(default=0.5, gt=0)
    max_attempts: int = Field(default=10, ge=1)
    first_retry_seconds: float = Field(default=2.0, gt=0)
    longest_retry_seconds: float = Field(default=600.0, gt=0)
    stop_patience_seconds: float = Field(
        default=20.0, gt=0, description="How long the event in hand may take after SIGTERM"
    )

    @model_validator(mode="after")
    def _lease_outlasts_an_event(self) -> Self:
        if self.lease_seconds < 2 * self.notifications_timeout_seconds:
            raise ValueError(
                "LEASE_SECONDS must be twice NOTIFICATIONS_TIMEOUT_SECONDS at least, "
                "or another worker could take an event that is being worked on"
            )
        return self

    def backoff(self) -> Backoff:
        """Return how long a failed event waits."""
        return Backoff(self.first_retry_seconds, self.longest_retry_seconds)

    def loop_policy(self) -> LoopPolicy:
        """Return how the loop goes."""
        return LoopPolicy(
            batch=self.batch_size,
            working_time=self.lease_seconds - self.notifications_timeout_seconds,
            idle_pause=self.idle_pause_seconds,
        )

    def longest_silence(self) -> float:
        """Return after how many seconds without a sign the loop counts as stuck."""
        return self.lease_seconds + self.idle_pause_seconds
