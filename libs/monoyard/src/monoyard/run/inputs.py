"""What the keys of a run were made from, as data that another machine can read."""

from __future__ import annotations

from typing import Any

from monoyard.cache import Entries, part_digest
from monoyard.plan import Plan

INPUTS_FILE = "inputs.json"
"""Beside the record of a run in CI, which is read on machines that lack the store."""


def inputs_data(plan: Plan) -> dict[str, Any]:
    """Return what stands behind the keys of a plan.

    Returns:
        `tasks`: task id to the name and digest of each part of its key; `parts`: digest to the
        (label, value) pairs, without what has changed since the plan was made.
    """
    parts: dict[str, Entries] = {}
    tasks = {}
    for planned in plan.tasks:
        if (manifest := planned.manifest) is None:
            continue
        tasks[planned.task.id] = dict(manifest.parts)
        for name, digest in manifest.parts.items():
            if digest not in parts and part_digest(entries := manifest.entries(name)) == digest:
                parts[digest] = entries
    return {"tasks": tasks, "parts": parts}
