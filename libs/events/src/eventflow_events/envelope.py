"""What every event carries around its own data."""

from pydantic import Field

from eventflow_events.fields import Content, Identifier, Moment


class Envelope(Content):
    """Who saw what happen, when, and to what; a concrete event adds type, version and data."""

    source: Identifier = Field(description="The system that saw it happen")
    subject: Identifier | None = Field(default=None, description="What it happened to")
    occurred_at: Moment = Field(description="When it happened, as the source knows")
    correlation_id: Identifier | None = Field(
        default=None, description="Joins everything that one user action caused"
    )
