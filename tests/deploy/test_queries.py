"""What the gates' queries answer, asked of Prometheus' own engine (`promtool test rules`).

promtool comes with Debian's package `prometheus`; where it is missing these tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from monoyard.charts import parse

ROOT: Final = Path(__file__).parents[2]
SNAPSHOTS: Final = ROOT / "deploy" / "snapshots" / "staging"
WHERE: Final = 'namespace="eventflow-staging",pod="{hash}-{pod}",revision="{hash}"'

Series = tuple[str, str]


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own test runner."""
    found = shutil.which("promtool")
    if found is None and "cluster" in os.environ.get("MONOYARD_REQUIRE", "").split(","):
        pytest.fail("promtool is not on PATH")
    if found is None:
        pytest.skip("promtool is not on PATH: Debian's package prometheus has it")
    return found


def query(service: str, template: str, metric: str) -> str:
    """Return a query with the hashes `new` and `old` put in, as Argo Rollouts does."""
    for thing in parse((SNAPSHOTS / f"{service}.yaml").read_text("utf-8")):
        if thing["metadata"]["name"] != f"{service}-{template}":
            continue
        for item in thing["spec"]["metrics"]:
            if item["name"] == metric:
                text: str = item["provider"]["prometheus"]["query"]
                return text.replace("{{args.new}}", "new").replace("{{args.stable}}", "old")
    raise LookupError(f"{service}-{template} has no metric {metric}")


def one(name: str, revision: str, values: str, pod: str = "a", **labels: str) -> Series:
    """Return a series of a pod, in promtool's notation, a value every two seconds."""
    said = "".join(f',{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{WHERE.format(hash=revision, pod=pod)}{said}}}", values


def requests(revision: str, values: str, status: str = "200", route: str = "/v1/events") -> Series:
    """Return a count of answered requests."""
    return one("http_requests_total", revision, values, method="GET", route=route, status=status)


def bucket(revision: str, limit: str, values: str) -> Series:
    """Return a bucket of latencies."""
    name = "http_request_duration_seconds_bucket"
    return one(name, revision, values, method="GET", route="/v1/events", le=limit)


def busy(revision: str, values: str) -> Series:
    """Return the processor time of a pod."""
    return one("process_cpu_seconds_total", revision, values)


STEADY: Final = "0+10x40"
BOTH: Final = [requests("new", STEADY), requests("old", STEADY)]
ERRORS: Final = ("api", "gates", "errors")
LATENCY: Final = ("api", "gates", "latency")
ALONE: Final = ("api", "gates-alone", "latency")
CPU: Final = ("api", "gates", "cpu")


@pytest.mark.parametrize(
    ("asked", "series", "answer"),
    [
        pytest.param(ERRORS, [requests("new", STEADY)], [0], id="healthy"),
        pytest.param(
            ERRORS, [requests("new", "0+9x40"), requests("new", "0+1x40", "500")], [0.1],
            id="one in ten fails",
        ),
        pytest.param(
            ERRORS, [requests("new", "0+5x40"), requests("new", "_x28 50 50 50", "503")], [0.4],
            id="a series of failures that has only just begun, with its first value",
        ),
        pytest.param(
            ERRORS, [requests("new", "_x25 20 40 60 80 100 120")], [0],
            id="a version younger than the window",
        ),
        pytest.param(ERRORS, [requests("new", "0+1x40")], [], id="too few requests"),
        pytest.param(ERRORS, [requests("old", STEADY)], [], id="no series of the new version"),
        pytest.param(
            ERRORS, [requests("new", STEADY, route="/health/ready")], [], id="probes alone"
        ),
        pytest.param(
            LATENCY,
            [*BOTH, *(bucket(h, le, STEADY) for h in ("new", "old") for le in ("0.1", "+Inf"))],
            [0.95], id="as quick as before, below the floor",
        ),
        pytest.param(
            LATENCY,
            [
                *BOTH,
                *(bucket("old", le, STEADY) for le in ("0.1", "0.25", "0.5", "+Inf")),
                *(bucket("new", le, "0x40") for le in ("0.1", "0.25")),
                *(bucket("new", le, STEADY) for le in ("0.5", "+Inf")),
            ],
            [4.875], id="much slower than the stable version",
        ),
        pytest.param(
            LATENCY,
            [requests("new", STEADY), *(bucket("new", le, STEADY) for le in ("0.1", "+Inf"))],
            [], id="nothing to compare with",
        ),
        pytest.param(
            ALONE,
            [requests("new", STEADY), *(bucket("new", le, STEADY) for le in ("0.1", "+Inf"))],
            [0.095], id="alone at full weight",
        ),
        pytest.param(CPU, [busy("new", "0+2x40"), busy("old", "0+0.1x40")], [2], id="it burns"),
        pytest.param(CPU, [busy("new", "0+2x40"), busy("old", "0+2x40")], [1], id="both are busy"),
        pytest.param(
            CPU, [busy("new", "_x20 0+2x12"), busy("old", "0+0.1x40")], [],
            id="starting is no sign of anything",
        ),
        pytest.param(
            ("worker", "gates", "failures"),
            [
                one("worker_events_total", "new", "0+9x40", outcome="done"),
                one("worker_events_total", "new", "0+1x40", outcome="dead"),
            ],
            [0.1], id="one event in ten dies",
        ),
        pytest.param(
            ("worker", "gates", "queue-age"),
            [
                one("worker_backlog_oldest_seconds", "new", "7x40", pod="a"),
                one("worker_backlog_oldest_seconds", "new", "9x40", pod="b"),
            ],
            [9], id="the oldest of what waits",
        ),
    ],
)  # fmt: skip
def test_a_gate_measures_what_it_says(
    promtool: str,
    tmp_path: Path,
    asked: tuple[str, str, str],
    series: list[Series],
    answer: list[float],
) -> None:
    """A query answers with the number it is for, and with nothing where there is too little."""
    test = {
        "interval": "2s",
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [
            {
                "expr": query(*asked),
                "eval_time": "60s",
                "exp_samples": [{"labels": "{}", "value": value} for value in answer],
            }
        ],
    }
    (tmp_path / "rules.yml").write_text("groups: []\n", "utf-8")
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": "2s", "tests": [test]}
    (tmp_path / "test.yml").write_text(json.dumps(whole), "utf-8")

    done = subprocess.run(
        (promtool, "test", "rules", "test.yml"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
