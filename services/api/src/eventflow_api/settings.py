"""Settings of the api, from the environment."""

from pydantic import Field, HttpUrl

from eventflow_servicekit.settings import DatabaseSettings, ServiceSettings


class ApiSettings(ServiceSettings, DatabaseSettings):
    """What the api needs to know; durations are in seconds."""

    service_name: str = "eventflow-api"
    jwks_url: HttpUrl = Field(description="Where identity publishes its keys")
    jwks_timeout_seconds: float = Field(default=2.0, gt=0)
    jwks_max_age_seconds: float = Field(
        default=300.0, gt=0, description="After this long the keys are asked for again"
    )
    jwks_cooldown_seconds: float = Field(
        default=10.0, gt=0, description="The least time between two requests for the keys"
    )
    jwks_stale_seconds: float = Field(
        default=3600.0, gt=0, description="How long keys are used while identity does not answer"
    )
    token_issuer: str = Field(default="https://identity.eventflow")
    token_audience: str = Field(default="eventflow")
