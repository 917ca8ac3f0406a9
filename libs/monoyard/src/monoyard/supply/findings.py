"""What was found in an image, as a statement: facts alone, which every environment judges anew.

The shape is that of cosign's predicate `vuln`; what a scanner found is in the open part of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from monoyard.results import SEVERITIES, SecurityFinding
from monoyard.supply.database import Database

_SCANNER: Final = "https://github.com/google/osv-scanner"
_UPDATED: Final = "databaseUpdatedOn"  # cosign 3.1 loses `db.lastUpdate` of its own specification
_SKEW_SECONDS: Final = 300.0
_FIELDS: Final = {field.name: field.type for field in fields(SecurityFinding)}


@dataclass(frozen=True, slots=True)
class Attested:
    """What somebody said was found.

    Attributes:
        found: What was found.
        at: When the scan ended.
    """

    found: tuple[SecurityFinding, ...]
    at: datetime.datetime


def state(
    found: Iterable[SecurityFinding], database: Database, began: float, ended: float
) -> dict[str, Any]:
    """Return what was found in an image, as the predicate `vuln` of cosign.

    Args:
        found: What was found.
        database: What it was looked for with.
        began: Unix seconds at which the scan began.
        ended: Unix seconds at which it ended.
    """
    identity, fetched_at = database.described(began)
    return {
        "scanner": {
            "uri": _SCANNER,
            "db": {"version": identity},
            "result": {
                _UPDATED: _moment(fetched_at), "findings": [asdict(item) for item in found],
            },
        },
        "metadata": {"scanStartedOn": _moment(began), "scanFinishedOn": _moment(ended)},
    }  # fmt: skip


def read_young(
    statement: Mapping[str, Any], image: str, limit: float, now: float
) -> Attested | None:
    """Return what a statement says was found in an image; None where it is nothing to go by today.

    Args:
        statement: An in-toto statement; somebody who is trusted signed it.
        image: Name of the image.
        limit: Seconds that the scan, and the database it was made with, may be old.
        now: Unix seconds.
    """
    try:
        scanner = statement["predicate"]["scanner"]
        ended = statement["predicate"]["metadata"]["scanFinishedOn"]
        at = datetime.datetime.fromisoformat(ended).astimezone(datetime.UTC)
        fetched_at = datetime.datetime.fromisoformat(scanner["result"][_UPDATED])
        ages = [now - moment.timestamp() for moment in (at, fetched_at)]
        if scanner["uri"] != _SCANNER:
            return None
        if not all(-_SKEW_SECONDS <= age <= limit for age in ages):
            return None
        found = tuple(_finding(item) for item in scanner["result"]["findings"])
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return None  # somebody else's shape; the image is scanned again
    return Attested(found, at) if all(item.images == (image,) for item in found) else None


def _finding(said: Mapping[str, Any]) -> SecurityFinding:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
    }
    finding = SecurityFinding(**values)
    if finding.severity not in {"", *SEVERITIES} or not finding.ids:
        raise ValueError("no finding")
    for name, kind in _FIELDS.items():
        value = getattr(finding, name)
        wanted = {"str": str, "int": int}.get(str(kind), tuple)
        if not isinstance(value, wanted):
            raise TypeError(name)
        if isinstance(value, tuple) and not all(isinstance(item, str) for item in value):
            raise TypeError(name)
    return finding


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
