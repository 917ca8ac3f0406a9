"""`--profile` and `--sarif`: files beside the verdict."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Checkout


def slices(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the slices of a trace by the name of their row."""
    events = json.loads(path.read_text("utf-8"))["traceEvents"]
    names = {item["tid"]: item["args"]["name"] for item in events if item["name"] == "thread_name"}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for event in events:
        if event["ph"] == "X":
            found[names[event["tid"]]].append(event)
    return found


def test_profile_is_a_trace_of_the_run(checkout: "Checkout", tmp_path: Path) -> None:
    """Steps of the engine and every task that ran are there in order, and the path is told."""
    target = tmp_path / "trace.json"
    ended = checkout.nox("ci", f"--profile={target}")
    assert ended.code == 0, ended.text
    assert f"profile: {target}" in ended.out
    assert "critical path: " in ended.out
    found = slices(target)
    steps = [item["name"] for item in found["engine"]]
    wanted = [
        "open the store", "read the workspace", "find changes", "make tasks", "make keys",
        "look up results", "explain misses", "run tasks", "keep results", "write the record",
    ]  # fmt: skip
    assert [name for name in steps if name in wanted] == wanted
    work = [item for name, row in found.items() if name.startswith("worker ") for item in row]
    ran = {task for item in work for task in item["args"].get("tasks", ())}
    assert ran == {"alpha:lint", "alpha:unit", "beta:lint", "beta:unit"}
    (run,) = (item for item in found["engine"] if item["name"] == "run tasks")
    assert all(run["ts"] <= item["ts"] for item in work)
    assert all(item["ts"] + item["dur"] <= run["ts"] + run["dur"] for item in work)
    critical = [item["name"] for item in found["critical path"]]
    assert critical == [item["name"] for item in work if item["args"].get("critical")]


def test_profile_without_a_name_is_in_the_record(checkout: "Checkout") -> None:
    """A run from cache has its steps in its record, and no task."""
    assert checkout.nox("lint").code == 0
    ended = checkout.nox("lint", "--profile")
    assert "critical path: nothing ran" in ended.out
    (path,) = (checkout.top / ".monoyard" / "runs").glob("*/profile.json")
    assert not [name for name in slices(path) if name.startswith("worker ")]


def test_findings_are_written_as_sarif(checkout: "Checkout", tmp_path: Path) -> None:
    """What lint found has its rule, level and place; without a place it is at the manifest."""
    table = '[tool.monoyard.suites.lint]\nalso = [["sh", "-c", "echo no; exit 1"]]\n'
    checkout.package("beta", source="VALUE = 1\n", table=table)
    checkout.write("libs/beta/src/beta/a b.py", "import os\n")
    target = tmp_path / "lint.sarif"
    assert checkout.nox("lint", "--sarif", str(target)).code == 1
    (run,) = json.loads(target.read_text("utf-8"))["runs"]
    found = {item["ruleId"]: item for item in run["results"]}
    assert found.keys() >= {"lint/F401", "lint/command"}
    places = {rule: item["locations"] for rule, item in found.items()}
    assert places["lint/F401"] == [
        {
            "physicalLocation": {
                "artifactLocation": {
                    "uri": "libs/beta/src/beta/a%20b.py", "uriBaseId": "%SRCROOT%",
                },
                "region": {"startLine": 1, "startColumn": 8},
            }
        }
    ]  # fmt: skip
    (place,) = places["lint/command"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "libs/beta/pyproject.toml"
    assert {item["level"] for item in run["results"]} == {"error"}
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[item["ruleIndex"]] == item["ruleId"] for item in run["results"])
    task = {item["properties"]["task"] for item in run["results"]}
    assert task == {"beta:lint"}
