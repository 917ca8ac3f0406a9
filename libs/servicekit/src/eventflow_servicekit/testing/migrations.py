"""Moves a database along a migration history, for tests; needs the package `alembic`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine


class MigrationHistory:
    """The revisions in `directory`, applied to the database behind `engine`.

    The directory's `env.py` must use the connection in `config.attributes["connection"]`.
    """

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._config = Config()
        self._config.set_main_option("script_location", str(directory))
        self._config.attributes["connection"] = engine
        self._scripts = ScriptDirectory.from_config(self._config)

    def heads(self) -> list[str]:
        """Return the newest revisions; a history that can be applied has one."""
        return list(self._scripts.get_heads())

    def revisions(self) -> list[str]:
        """Return all revisions, the oldest first."""
        return [script.revision for script in self._scripts.walk_revisions()][::-1]

    def upgrade(self, revision: str = "heads") -> None:
        """Bring the database up to `revision`."""
        command.upgrade(self._config, revision)

    def downgrade(self, revision: str) -> None:
        """Take the database back to `revision`; `base` is before the first."""
        command.downgrade(self._config, revision)

    def difference(self) -> str | None:
        """Return how the tables in the code differ from the migrated database, None if not."""
        try:
            command.check(self._config)
        except CommandError as error:
            return str(error)
        return None
