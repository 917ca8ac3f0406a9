"""A cluster that others made."""

import json
from pathlib import Path

import pytest

from monoyard.cluster import ExistingCluster, Target
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.errors import MachineError, UsageError

PROGRAM = """\
#!/bin/sh
echo "$@" >>{log}
case "$*" in
*readyz*) {ready} ;;
*--output=json*) echo '{objects}' ;;
*customresourcedefinitions*) echo customresourcedefinition/rollouts.argoproj.io ;;
*--filename=-*) cat >>{log} ;;
esac
"""
SHOP = EnvironmentSettings(name="test", namespace="shop-test")
POD = {"kind": "Pod", "metadata": {"name": "a", "namespace": "dev"}, "status": {"phase": "Pending"}}


def make(place: Path, ready: str = "echo ok") -> ExistingCluster:
    """Return a cluster behind a kubectl that answers the same every time."""
    program = place / "kubectl"
    text = PROGRAM.format(log=place / "log", ready=ready, objects=json.dumps({"items": [POD]}))
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    (place / "own.yaml").write_text("kind: ConfigMap\n", encoding="utf-8")
    return ExistingCluster(
        Target(program, context="kind-x"), (place / "own.yaml",), (SHOP,), lambda _: None
    )


def test_only_the_workspaces_manifests_are_applied(tmp_path: Path) -> None:
    """Its own objects stay; the environments' namespaces come first; what is missing is named."""
    status = make(tmp_path).up()
    said = (tmp_path / "log").read_text("utf-8")
    assert said.count("--filename=-") == 2
    assert said.index('"name": "shop-test"') < said.index("kind: ConfigMap")
    calls = [line for line in said.splitlines() if line.startswith("-")]
    assert all(line.startswith("--context=kind-x") for line in calls)
    assert {part.name: part.problem for part in status.components} == {
        "kubernetes": "",
        "dev/a": "it is Pending",
        "traefikservices.traefik.io": "it is not installed",
    }
    assert (status.kind, status.context, status.state) == ("existing", "kind-x", "not ready")


def test_a_cluster_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """Status says what kubectl said; `up` fails with it, and applies nothing."""
    cluster = make(tmp_path, "echo refused >&2; exit 1")
    (part,) = cluster.status().components
    assert part.problem.endswith("refused")
    with pytest.raises(MachineError) as raised:
        cluster.up()
    assert raised.value.code == "cluster-unreachable"
    assert "--filename" not in (tmp_path / "log").read_text("utf-8")


def test_what_others_made_is_not_removed(tmp_path: Path) -> None:
    """`down` refuses and names what would."""
    with pytest.raises(UsageError, match="was not made here"):
        make(tmp_path).down()
