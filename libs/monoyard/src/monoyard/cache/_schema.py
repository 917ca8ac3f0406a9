"""The tables of `store-v1.sqlite`.

A change that an older or newer engine would misread takes a new number in `FORMAT`, and with it a
new file, so that no engine ever reads another's rows.
"""

from __future__ import annotations

FORMAT = 1

TABLES = """
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    scope TEXT NOT NULL,
    used_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    document BLOB NOT NULL,
    UNIQUE (key, scope)
);
CREATE INDEX results_by_use ON results (used_at);
CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL
);
CREATE TABLE uses (
    result INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
    blob INTEGER NOT NULL REFERENCES blobs (id),
    PRIMARY KEY (result, blob)
) WITHOUT ROWID;
CREATE INDEX uses_by_blob ON uses (blob);
CREATE TABLE parts (
    digest BLOB NOT NULL UNIQUE,
    entries BLOB NOT NULL
);
CREATE TABLE manifests (
    key BLOB NOT NULL,
    scope TEXT NOT NULL,
    at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (key, scope)
) WITHOUT ROWID;
CREATE TABLE successes (
    workspace TEXT NOT NULL,
    task TEXT NOT NULL,
    scope TEXT NOT NULL,
    key BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (workspace, task, scope)
) WITHOUT ROWID;
CREATE TABLE durations (
    workspace TEXT NOT NULL,
    task TEXT NOT NULL,
    scope TEXT NOT NULL,
    recent TEXT NOT NULL,
    estimate REAL NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (workspace, task, scope)
) WITHOUT ROWID;
CREATE TABLE outcomes (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    task TEXT NOT NULL,
    scope TEXT NOT NULL,
    passed INTEGER NOT NULL,
    run TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX outcomes_by_key ON outcomes (key, task);
CREATE TABLE memo (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    scope TEXT NOT NULL,
    used_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (namespace, key, scope)
) WITHOUT ROWID;
"""
