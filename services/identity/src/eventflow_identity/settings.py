"""Settings of identity, from the environment."""

from typing import Annotated, Self, get_args

from pydantic import AfterValidator, Field, SecretStr, model_validator

from eventflow_identity.given import GivenClient
from eventflow_identity.keys import KeyRing, key_ring, read_private_key, read_public_keys
from eventflow_identity.messages import ClientId, Scope
from eventflow_servicekit.settings import DatabaseSettings, ServiceSettings

_LEAST_CHARACTERS = 32
_LEAST_MEMORY_PER_LANE = 8


def _holds_private_key(pem: SecretStr) -> SecretStr:
    read_private_key(_with_newlines(pem.get_secret_value()))
    return pem


def _holds_public_keys(pems: str) -> str:
    list(read_public_keys(_with_newlines(pems)))
    return pems


def _is_long(secret: SecretStr) -> SecretStr:
    # Nothing slows guessing down but its length.
    if len(secret.get_secret_value()) < _LEAST_CHARACTERS:
        raise ValueError(f"has fewer than {_LEAST_CHARACTERS} characters")
    return secret


def _names_scopes(words: str) -> str:
    if unknown := set(words.split()).difference(get_args(Scope)):
        raise ValueError(f"there is no scope {', '.join(sorted(unknown))}")
    return words


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

    given_client_id: ClientId | None = Field(
        default=None, description="A client that is always there, with this secret and these scopes"
    )
    given_client_secret: Annotated[SecretStr, AfterValidator(_is_long)] | None = None
    given_client_scopes: Annotated[str, AfterValidator(_names_scopes)] = Field(
        default="", description="Separated by spaces"
    )

    @model_validator(mode="after")
    def _has_memory_for_lanes(self) -> Self:
        # RFC 9106, section 3.1.
        if self.password_hash_memory < _LEAST_MEMORY_PER_LANE * self.password_hash_lanes:
            raise ValueError("PASSWORD_HASH_MEMORY is less than 8 KiB for each lane")
        return self

    @model_validator(mode="after")
    def _gives_a_whole_client(self) -> Self:
        if (self.given_client_id is None) != (self.given_client_secret is None):
            raise ValueError("GIVEN_CLIENT_ID and GIVEN_CLIENT_SECRET go together")
        return self

    def given_client(self) -> GivenClient | None:
        """Return the client that these settings give, if they give one."""
        if self.given_client_id is None or self.given_client_secret is None:
            return None
        return GivenClient(
            self.given_client_id,
            self.given_client_secret.get_secret_value(),
            frozenset(self.given_client_scopes.split()),
        )

    def key_ring(self) -> KeyRing:
        """Return the keys that these settings name."""
        return key_ring(
            _with_newlines(self.signing_key.get_secret_value()),
            _with_newlines(self.retired_public_keys),
        )
