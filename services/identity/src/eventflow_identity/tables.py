"""The tables of schema `identity`, as the newest migration leaves them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, MetaData, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from eventflow_servicekit.schema import SchemaNeed

SCHEMA = "identity"
# What readiness asks of the database; a test holds `head` to the newest migration.
SCHEMA_NEED = SchemaNeed(SCHEMA, head="0002", minimum="0002")


class Table(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy declares the attribute
        datetime: TIMESTAMP(timezone=True),
        str: Text(),
        list[str]: ARRAY(Text()),
    }


class UserRow(Table):
    """A person; `email` is in lower case, `password_hash` is Argon2's encoded form."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", name="users_email_key"),
        CheckConstraint("email = lower(email)", name="users_email_lower_check"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    password_hash: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]


class ClientRow(Table):
    """A service that acts for itself."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]


class RevokedTokenRow(Table):
    """A token that ended before its time; kept until it would have expired."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index("revoked_tokens_expires_at_idx", "expires_at"),)

    token_id: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime] = mapped_column(server_default=func.now())
