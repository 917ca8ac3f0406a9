"""Which attested findings are something to go by today."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from monoyard.results import SecurityFinding
from monoyard.supply import Database
from monoyard.supply.findings import read_young, state

NOW = 1_800_000_000.0
HOUR = 3600.0
FOUND = SecurityFinding(
    "osv-scanner", ("CVE-1", "GHSA-1"), "high", "bad", ecosystem="PyPI", package="alembic",
    version="1", fixed=("2",), images=("shop",),
)  # fmt: skip


def attested(*, age: float = 0.0, database_age: float = 0.0) -> dict[str, Any]:
    """Return a statement with a finding, as it comes back from a registry."""
    database = Database(Path("db"), False, "sha256:0", NOW - database_age)
    said = state([FOUND], database, NOW - age, NOW - age)
    statement: dict[str, Any] = json.loads(json.dumps({"predicate": said}))
    return statement


@pytest.mark.parametrize(
    ("age", "database_age", "is_young"),
    [
        (0.0, 0.0, True), (24 * HOUR, 24 * HOUR, True), (24 * HOUR + 1, 0.0, False),
        (0.0, 24 * HOUR + 1, False), (-60.0, 0.0, True), (-HOUR, 0.0, False),
        (0.0, -HOUR, False),
    ],
)  # fmt: skip
def test_scan_and_database_have_to_be_young(
    age: float, database_age: float, *, is_young: bool
) -> None:
    """Both may be as old as the limit; a clock may differ by minutes, and no more."""
    found = read_young(attested(age=age, database_age=database_age), "shop", 24 * HOUR, NOW)
    assert (found is not None) is is_young
    if found is not None:
        assert found.found == (FOUND,)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("scanner", "uri"), "https://example.org/another"),
        (("scanner", "result"), None),
        (("scanner", "result", "findings"), None),
        (("scanner", "result", "findings", 0), "CVE-1"),
        (("scanner", "result", "findings", 0, "severity"), "harmless"),
        (("scanner", "result", "findings", 0, "ids"), []),
        (("scanner", "result", "findings", 0, "ids"), "CVE-1"),
        (("scanner", "result", "findings", 0, "fixed"), [1]),
        (("scanner", "result", "findings", 0, "line"), "1"),
        (("scanner", "result", "findings", 0, "images"), ["other"]),
        (("scanner", "result", "findings", 0, "unknown"), ""),
        (("metadata", "scanFinishedOn"), "yesterday"),
        (("metadata", "scanFinishedOn"), None),
        (("scanner", "result", "databaseUpdatedOn"), None),
    ],
)
def test_odd_statement_is_nothing_to_go_by(path: tuple[str | int, ...], value: object) -> None:
    """A statement of another scanner, about another image or in another shape means a scan."""
    statement = copy.deepcopy(attested())
    place: Any = statement["predicate"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert read_young(statement, "shop", 24 * HOUR, NOW) is None
    assert read_young({}, "shop", 24 * HOUR, NOW) is None
