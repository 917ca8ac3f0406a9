"""Holds a run's record against what CI has to see: something was selected, and it can be replayed."""

import json
import sys
from pathlib import Path


def main(which: str, path: str) -> int:
    """Return 0 when the record is as it has to be.

    Args:
        which: `first` for a run with an empty store, `second` for the one after it.
        path: The record that `--json=FILE` wrote.
    """
    record = json.loads(Path(path).read_text(encoding="utf-8"))
    results = record["results"]
    if not results:
        print("ci selected nothing", file=sys.stderr)
        return 1
    suites = {task["suite"] for task in record["plan"]["tasks"]}
    missing = {"lint", "type", "unit", "integration", "contract", "build", "image"} - suites
    if missing:
        print(f"ci planned no task of {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    skipped = {result["task"] for result in results if result["outcome"] == "skip"}
    if skipped:
        print(f"ci skipped {', '.join(sorted(skipped))}", file=sys.stderr)
        return 1
    ran = [result["task"] for result in results if not result["is_cached"]]
    # Images on bases that are not locked have no key that would cover them.
    checks = [task for task in ran if not task.endswith(":image")]
    if which == "second" and checks:
        print(f"the second run did not replay {', '.join(checks)}", file=sys.stderr)
        return 1
    said = f"{len(results)} tasks, {len(ran)} run"
    print(f"{which} run: {said}, {record['seconds']:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
