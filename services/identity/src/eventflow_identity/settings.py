"""Settings of identity, from the environment."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from eventflow_identity.keys import KeyRing, key_ring, read_private_key, read_public_keys
from eventflow_servicekit.settings import DatabaseSettings, ServiceSettings

_LEAST_MEMORY_PER_LANE = 8


def _holds_private_key(pem: SecretStr) -> SecretStr:
    read_private_key(_with_newlines(pem.get_secret_value()))
    return pem


def _holds_public_keys(pems: str) -> str:
    list(read_public_keys(_with_newlines(pems)))
    return pems


def _with_newlines(pem: str) -> str:
    # Some secret stores keep one line only, with the newlines spelled out.
    return pem.replace("\\n", "\n")


class IdentitySettings(ServiceSettings, DatabaseSettings):
    """What identity needs to know; durations are in seconds, memory in KiB."""

    service_name: str = "eventflow-identity"
    port: int = Field(default=8001, ge=0, le=65535)
    token_issuer: str = Field(default="https://identity.eventflow")
    token_audience: str = Field(default="eventflow")
    token_lifetime_seconds: int = Field(default=900, ge=1, le=86_400)
    signing_key: Annotated[SecretStr, AfterValidator(_holds_private_key)]
    retired_public_keys: Annotated[str, AfterValidator(_holds_public_keys)] = ""
    # RFC 9106, section 4: the second recommended option, for less memory.
    password_hash_memory: int = Field(default=65_536, ge=8)
    password_hash_passes: int = Field(default=3, ge=1)
    password_hash_lanes: int = Field(default=4, ge=1)
    password_checks_at_once: int = Field(
        default=4, ge=1, description="Bounds the memory that sign-ins can take together"
    )

    @model_validator(mode="after")
    def _has_memory_for_lanes(self) -> Self:
        # RFC 9106, section 3.1.
        if self.password_hash_memory < _LEAST_MEMORY_PER_LANE * self.password_hash_lanes:
            raise ValueError("PASSWORD_HASH_MEMORY is less than 8 KiB for each lane")
        return self

    def key_ring(self) -> KeyRing:
        """Return the keys that these settings name."""
        return key_ring(
            _with_newlines(self.signing_key.get_secret_value()),
            _with_newlines(self.retired_public_keys),
        )
