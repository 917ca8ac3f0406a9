"""Field types that every event uses; each can be stored in PostgreSQL as it is."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL stores no NUL in text or jsonb; no other control character belongs in a field either.
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PRINTABLE)]
"""1 to 500 characters without control characters."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
"""The name of a thing in the producer's own terms."""

EmailAddress = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[A-Za-z0-9.-]+$")
]
"""Plausible as an address; only delivering to it proves that it is one."""


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[
    AwareDatetime,
    # A day more at each end, so that any time written as `20..` is accepted with any offset.
    Field(
        ge=datetime(1999, 12, 31, tzinfo=UTC),
        lt=datetime(2100, 1, 2, tzinfo=UTC),
        json_schema_extra={"pattern": "^20[0-9]{2}-"},
    ),
    AfterValidator(_in_utc),
]
"""A time of this century with its offset; kept in UTC."""


class Content(BaseModel):
    """The base of everything inside an event.

    Unknown fields are ignored: a consumer must read what a newer producer wrote.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Money(Content):
    """An amount in the smallest unit of a currency."""

    minor_units: int = Field(ge=0, le=10**12, description="Such as cents")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code")
