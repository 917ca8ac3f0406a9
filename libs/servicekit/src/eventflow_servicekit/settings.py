"""Settings come from environment variables, are checked once at start, and never change after.

A field `database_url` is the variable `DATABASE_URL`. Secrets are `SecretStr`: they print redacted
and are opened by `get_secret_value()` where they are used.
"""

from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Settings = TypeVar("Settings", bound=BaseSettings)


class SettingsError(Exception):
    """The environment does not describe a service that could run; every fault is listed."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(("the settings are not usable:", *faults)))


class EnvironmentSettings(BaseSettings):
    """How every settings class reads the environment."""

    # An empty variable is how Compose and Helm spell "not set".
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )


class ServiceSettings(EnvironmentSettings):
    """What any process that answers HTTP needs to know; durations are in seconds."""

    service_name: str = Field(default="service", description="Name in logs and metrics")
    release: str = Field(default="unreleased", description="Version or commit that is running")
    pod_name: str = Field(
        default="",
        pattern=r"^[a-z0-9.-]*$",
        description="Name of the pod; answered as X-Served-By where it is set",
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535, description="0 lets the system choose")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        description="After SIGTERM, how long to answer while readiness already fails, "
        "so that load balancers stop sending before the listener closes",
    )
    shutdown_grace_seconds: int = Field(
        default=10, ge=1, description="How long running requests may take to finish"
    )
    check_timeout_seconds: float = Field(
        default=2.0, gt=0, description="After this long a readiness check counts as failed"
    )


class DatabaseSettings(EnvironmentSettings):
    """How to reach PostgreSQL and how long anything there may take."""

    database_url: SecretStr
    database_pool_size: int = Field(default=5, ge=1)
    database_max_overflow: int = Field(default=5, ge=0)
    database_pool_timeout_seconds: float = Field(default=5.0, gt=0)
    database_connect_timeout_seconds: int = Field(default=5, ge=1)
    database_statement_timeout_milliseconds: int = Field(default=5_000, ge=0)
    database_lock_timeout_milliseconds: int = Field(default=2_000, ge=0)


def load_settings(kind: type[Settings]) -> Settings:
    """Read `kind` from the environment; raise SettingsError naming each variable at fault.

    Values are never repeated in the error: any of them may be a secret.
    """
    try:
        return kind()
    except ValidationError as error:
        faults = tuple(
            # A fault of several settings together has no place of its own.
            f"{'.'.join(map(str, fault['loc'])).upper() or 'settings'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_context=False)
        )
        raise SettingsError(faults) from None
