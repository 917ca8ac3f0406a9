"""What is said over HTTP: the bodies of requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Scope = Literal["events:read", "events:write", "tokens:introspect", "accounts:write"]
"""What a token may allow."""

# PostgreSQL stores no NUL, so no account can have one in its name.
_STORABLE = r"^[^\x00]*$"
_SECRET = Field(min_length=1, max_length=1000)
Secret = Annotated[SecretStr, _SECRET]
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[A-Za-z0-9.-]+$")
]
ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Message(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(frozen=True)


class PasswordGrant(Message):
    """A person signs in."""

    grant_type: Literal["password"]
    username: str = Field(max_length=254, pattern=_STORABLE, description="The e-mail address")
    password: Secret


class ClientCredentialsGrant(Message):
    """A service signs in."""

    grant_type: Literal["client_credentials"]
    client_id: str = Field(max_length=63, pattern=_STORABLE)
    client_secret: Secret


Grant = Annotated[PasswordGrant | ClientCredentialsGrant, Field(discriminator="grant_type")]


class IssuedToken(Message):
    """A new token (RFC 6749, section 5.1)."""

    access_token: str = Field(description="Send it as `Authorization: Bearer ...`")
    token_type: Literal["Bearer"] = Field(default="Bearer")
    expires_in: int = Field(description="Seconds from now")
    scope: str = Field(description="What it allows, separated by spaces")


class ShownToken(Message):
    """A token that is asked about."""

    token: str = Field(min_length=1, max_length=8192)


class Introspection(Message):
    """What identity knows about a token (RFC 7662); only `active` when it is not good."""

    active: bool
    sub: str | None = Field(default=None, description="Whom it speaks for")
    scope: str | None = Field(default=None, description="What it allows, separated by spaces")
    jti: str | None = Field(default=None, description="Its id")
    iat: int | None = Field(default=None, description="When it was issued, in Unix seconds")
    exp: int | None = Field(default=None, description="When it expires, in Unix seconds")


class NewUser(Message):
    """A person to be given an account."""

    email: Email
    password: SecretStr = Field(min_length=12, max_length=1000)
    scopes: list[Scope] = Field(default=["events:read", "events:write"])


class NewClient(Message):
    """A service to be given an account."""

    client_id: ClientId
    scopes: list[Scope]


class CreatedUser(Message):
    """An account that was made."""

    subject: str
    scopes: list[str]


class CreatedClient(Message):
    """An account that was made, and its secret, which is shown this once."""

    subject: str
    scopes: list[str]
    client_id: str
    client_secret: str


class JsonWebKey(Message):
    """A public key (RFC 7517, RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(Message):
    """The public keys that tokens are signed with."""

    keys: list[JsonWebKey]
