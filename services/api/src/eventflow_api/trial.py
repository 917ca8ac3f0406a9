"""Tries this version on a copy of its database: `python -m eventflow_api.trial`.

A deployment runs it where a backup was restored and the new migrations were applied, in the image
that serves and in the new one. What it writes stays there: never run it on the database itself.
"""

from datetime import UTC, datetime
from uuid import uuid4

from eventflow_api.acceptance import EventIntake
from eventflow_api.reading import EventArchive, EventFilter
from eventflow_api.settings import ApiSettings
from eventflow_events import PageViewedDataV1, PageViewedV1
from eventflow_servicekit.database import create_database_engine, session_factory
from eventflow_servicekit.settings import load_settings


def main() -> int:
    """Return 0 when an event can be stored, and read back alone and in a list; 1 where not.

    Raises SettingsError, or what SQLAlchemy raises.
    """
    settings = load_settings(ApiSettings)
    engine = create_database_engine(settings, application_name="eventflow-api-trial")
    name = f"trial-{uuid4().hex}"
    event = PageViewedV1(
        type="page.viewed",
        version=1,
        source=name,
        occurred_at=datetime.now(UTC),
        data=PageViewedDataV1(path="/trial", visitor_id=name),
    )
    try:
        sessions = session_factory(engine)
        intake, archive = EventIntake(sessions, lambda: datetime.now(UTC)), EventArchive(sessions)
        (stored,) = intake.accept(name, name, [event]).events
        is_replayed = intake.accept(name, name, [event]).is_replayed
        found = archive.find(stored.id)
        listed = archive.page(EventFilter(source=name), None, 10).items
    finally:
        engine.dispose()
    return 0 if is_replayed and found == stored and listed == [stored] else 1


if __name__ == "__main__":
    raise SystemExit(main())
