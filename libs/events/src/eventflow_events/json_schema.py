"""Writes and checks the committed JSON Schema: `python -m eventflow_events.json_schema --write`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from eventflow_events.union import EVENT_ADAPTER

SCHEMA_PATH = Path(__file__).with_name("events.schema.json")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def render_schema() -> str:
    """Return the JSON Schema of any event as text, the same bytes each time."""
    schema = {"$schema": _DIALECT, "title": "Event", **EVENT_ADAPTER.json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None, *, path: Path = SCHEMA_PATH) -> int:
    """Run `--write` or `--check` for the schema at `path`; return 1 when it is not current."""
    parser = argparse.ArgumentParser(description="Write or check the committed JSON Schema")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true")
    mode.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if options.write:
        path.write_text(render_schema(), encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == render_schema():
        return 0
    sys.stderr.write(f"{path.name} is not current; run with --write\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
