"""Whether a service can live with the schema that the database has; needs no package but these.

The same rule is the engine's when it plans a rollback: a floor and a minimum, never equality.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from eventflow_servicekit.health import Check

_CURRENT = "SELECT version_num FROM {}.alembic_version"
_HAS_RECORD = "SELECT to_regclass(:schema || '.monoyard_schema') IS NOT NULL"
_RECORD = "SELECT revision, parents, breaks FROM {}.monoyard_schema"


class SchemaMismatchError(Exception):
    """The database's schema is not one that this version can live with."""


@dataclass(frozen=True)
class SchemaNeed:
    """What a service needs of a schema.

    `head` is the newest revision that its code was written for, `minimum` the oldest that it can
    live with.
    """

    schema: str
    head: str
    minimum: str


def schema_check(engine: Engine, need: SchemaNeed) -> Check:
    """Return a readiness check that fails on a schema that the service cannot live with.

    The deployments keep `monoyard_schema` beside alembic's version table: each revision that is
    applied, what it follows, and why older versions cannot live with it. A schema that is ahead
    fits unless such a revision came after `head`. Without that record only `head` and `minimum`
    themselves fit.
    """

    def check() -> None:
        with engine.connect() as connection:
            current = set(connection.execute(text(_CURRENT.format(need.schema))).scalars())
            known = connection.execute(text(_HAS_RECORD), {"schema": need.schema}).scalar()
            rows = connection.execute(text(_RECORD.format(need.schema))).all() if known else []
        _judge(need, current, {row[0]: (tuple(row[1]), row[2]) for row in rows})

    return check


def _judge(
    need: SchemaNeed, current: set[str], record: dict[str, tuple[tuple[str, ...], str | None]]
) -> None:
    if not current <= set(record):
        if not current or not current <= {need.head, need.minimum}:
            raise SchemaMismatchError(f"the schema is at {sorted(current)}")
        return
    if need.minimum not in record:
        raise SchemaMismatchError(f"the schema lacks {need.minimum}")
    if need.head not in record:
        return
    behind, left = set(), [need.head]
    while left:
        name = left.pop()
        if name not in behind:
            behind.add(name)
            left += record[name][0] if name in record else ()
    for revision, (_, breaks) in record.items():
        if breaks and revision not in behind:
            raise SchemaMismatchError(f"{revision} is the floor: {breaks}")
