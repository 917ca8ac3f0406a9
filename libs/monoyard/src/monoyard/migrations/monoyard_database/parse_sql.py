"""Splits and parses SQL with PostgreSQL's own grammar; runs in the venv that has pgparse.

A JSON list of texts on standard input, a JSON list of lists of statements on standard output:
`{"sql": "ALTER ...", "kind": "AlterTableStmt", "node": {...}}`, or with a `problem` for a text that
the grammar refuses. It runs apart from the engine because the parser is C: what kills it is an
error of a tool, and the engine goes on.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

# Neither the engine nor any service has it, so nothing may count it as a requirement of theirs.
pgparse: Any = importlib.import_module("pgparse")


def statements(text: str) -> list[dict[str, Any]]:
    """Return the statements of one text."""
    try:
        found = pgparse.parse(text)
    except pgparse.PGQueryError as error:
        return [{"sql": text.strip(), "kind": "", "node": {}, "problem": str(error)}]
    data, result = text.encode(), []
    for item in found:
        start = item.get("stmt_location", 0)  # bytes
        end = start + item["stmt_len"] if item.get("stmt_len") else len(data)
        ((kind, node),) = item["stmt"].items()
        sql = data[start:end].decode().strip().rstrip(";").strip()
        result.append({"sql": sql, "kind": kind, "node": node})
    return result


if __name__ == "__main__":
    json.dump([statements(text) for text in json.load(sys.stdin)], sys.stdout)
