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
    missing = {"lint", "type", "unit", "integration", "contract", "build"} - suites
    if missing:
        print(f"ci planned no task of {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    skipped = {result["task"] for result in results if result["outcome"] == "skip"}
    if refused := sorted(task for task in skipped if not task.endswith(":image")):
        print(f"ci skipped {', '.join(refused)}", file=sys.stderr)
        return 1
    known = {*skipped, *(result["task"] for result in results if result["is_cached"])}
    ran = [result["task"] for result in results if result["task"] not in known]
    if which == "second" and ran:
        print(f"the second run did not replay {', '.join(ran)}", file=sys.stderr)
        return 1
    said = f"{len(results)} tasks, {len(ran)} run, {len(skipped)} skipped"
    print(f"{which} run: {said}, {record['seconds']:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
