"""Tries this version on a copy of its database: `python -m eventflow_identity.trial`.

A deployment runs it where a backup was restored and the new migrations were applied, in the image
that serves and in the new one. What it writes stays there: never run it on the database itself.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from eventflow_identity.application import create_accounts
from eventflow_identity.revocations import Revocations
from eventflow_identity.settings import IdentitySettings
from eventflow_identity.tokens import Token
from eventflow_servicekit.database import create_database_engine, session_factory
from eventflow_servicekit.settings import load_settings


def main() -> int:
    """Return 0 when accounts can be added and proven, and tokens ended; raise where not.

    Raises SettingsError, CredentialsRefusedError, or what SQLAlchemy raises.
    """
    settings = load_settings(IdentitySettings)
    engine = create_database_engine(settings, application_name="eventflow-identity-trial")
    name, now = f"trial-{uuid4().hex}", datetime.now(UTC)
    token = Token(name, f"client:{name}", (), now, now + timedelta(minutes=1))
    try:
        accounts = create_accounts(settings, engine)
        revocations = Revocations(session_factory(engine), lambda: datetime.now(UTC))
        accounts.add_user(f"{name}@example.org", name, ())
        accounts.prove_user(f"{name}@example.org", name)
        _, secret = accounts.add_client(name, ())
        accounts.prove_client(name, secret)
        revocations.revoke(token)
        is_revoked = revocations.is_revoked(token)
    finally:
        engine.dispose()
    return 0 if is_revoked else 1


if __name__ == "__main__":
    raise SystemExit(main())
