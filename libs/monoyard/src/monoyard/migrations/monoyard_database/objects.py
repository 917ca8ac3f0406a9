"""What stands in the schemas of a database, and is not of an extension; and how it is removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .manifest import Ask

# In this order: what a table owns goes with it, and cannot be removed before it.
_KINDS: Final = {
    "table": "TABLE", "foreign table": "FOREIGN TABLE", "materialized view": "MATERIALIZED VIEW",
    "view": "VIEW", "sequence": "SEQUENCE", "aggregate": "AGGREGATE", "function": "FUNCTION",
    "procedure": "PROCEDURE", "operator class": "OPERATOR CLASS",
    "operator family": "OPERATOR FAMILY", "operator": "OPERATOR", "type": "TYPE",
    "collation": "COLLATION", "conversion": "CONVERSION", "statistics object": "STATISTICS",
    "text search configuration": "TEXT SEARCH CONFIGURATION",
    "text search dictionary": "TEXT SEARCH DICTIONARY",
}  # fmt: skip
_OWN: Final = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
_NOT_OF_EXTENSION: Final = """
    NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = {} AND e.objid = {} AND e.deptype = 'e')
"""
_OBJECTS: Final = f"""
    SELECT o.type, o.identity FROM pg_depend d
    JOIN pg_namespace n ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
    WHERE d.deptype = 'n' AND {_OWN} AND {_NOT_OF_EXTENSION.format("d.classid", "d.objid")}
    ORDER BY 1, 2
"""  # noqa: S608  of our own words
# `public` is everybody's, and a schema with an extension in it goes with that.
_SCHEMAS: Final = f"""
    SELECT n.nspname, format('%I', n.nspname), n.nspname = 'public' OR EXISTS (
        SELECT FROM pg_depend d JOIN pg_depend e ON (e.classid, e.objid) = (d.classid, d.objid)
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid AND e.deptype = 'e')
        OR EXISTS (SELECT FROM pg_extension x WHERE x.extnamespace = n.oid)
        OR NOT {_NOT_OF_EXTENSION.format("'pg_namespace'::regclass", "n.oid")}
    FROM pg_namespace n WHERE {_OWN} ORDER BY 1
"""  # noqa: S608  of our own words
_FOREIGN: Final = f"""
    SELECT 'schema ' || n.nspname, pg_get_userbyid(n.nspowner) FROM pg_namespace n
    WHERE {_OWN} AND n.nspname <> 'public' AND NOT pg_has_role(n.nspowner, 'USAGE')
        AND {_NOT_OF_EXTENSION.format("'pg_namespace'::regclass", "n.oid")}
    UNION ALL
    SELECT n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        AND NOT pg_has_role(c.relowner, 'USAGE')
        AND {_NOT_OF_EXTENSION.format("'pg_class'::regclass", "c.oid")}
    UNION ALL
    SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE {_OWN} AND NOT pg_has_role(p.proowner, 'USAGE')
        AND {_NOT_OF_EXTENSION.format("'pg_proc'::regclass", "p.oid")}
    ORDER BY 1
"""  # noqa: S608  of our own words
# They stand in no schema, or belong to no table: nothing here takes them away and makes them again.
_APART: Final = f"""
    SELECT 'large objects' WHERE EXISTS (SELECT FROM pg_largeobject_metadata)
    UNION ALL SELECT 'publication ' || pubname FROM pg_publication
    UNION ALL SELECT 'subscription ' || subname FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger t
        WHERE {_NOT_OF_EXTENSION.format("'pg_event_trigger'::regclass", "t.oid")}
    UNION ALL SELECT 'foreign server ' || srvname FROM pg_foreign_server s
        WHERE {_NOT_OF_EXTENSION.format("'pg_foreign_server'::regclass", "s.oid")}
"""  # noqa: S608  of our own words


@dataclass(frozen=True)
class Standing:
    """An object of a schema.

    Attributes:
        kind: As PostgreSQL calls it, such as `materialized view`.
        identity: Its name as SQL has it, with the types of its arguments.
    """

    kind: str
    identity: str

    @property
    def words(self) -> str:
        """What it is called."""
        return f"{self.kind} {self.identity}"


def find_objects(ask: Ask) -> list[Standing]:
    """Return what stands in the schemas; what is made and removed with others is not told."""
    found = [Standing(str(kind), str(identity)) for kind, identity in ask(_OBJECTS)]
    return [item for item in found if item.kind in _KINDS]


def find_lasting(ask: Ask) -> list[str]:
    """Return the schemas that are not removed."""
    return [str(name) for name, _, lasts in ask(_SCHEMAS) if lasts]


def find_foreign(ask: Ask) -> list[tuple[str, str]]:
    """Return what the role that asks may not remove, and whose it is."""
    return [(str(name), str(owner)) for name, owner in ask(_FOREIGN)]


def find_apart(ask: Ask) -> list[str]:
    """Return what a database has beside its schemas that a restored one would lack."""
    return [str(name) for (name,) in ask(_APART)]


def remove_all(ask: Ask) -> None:
    """Remove all that stands in the schemas, and the schemas; extensions stay."""
    order = list(_KINDS)
    found: Iterable[Standing] = sorted(find_objects(ask), key=lambda item: order.index(item.kind))
    for item in found:
        ask(f"DROP {_KINDS[item.kind]} IF EXISTS {item.identity} CASCADE")
    for _, quoted, lasts in ask(_SCHEMAS):
        if not lasts:
            ask(f"DROP SCHEMA {quoted} CASCADE")
