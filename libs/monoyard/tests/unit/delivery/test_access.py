"""The way to an environment, and that it is no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from monoyard.config.environment_values import ClusterPin, DataPolicy, EnvironmentSettings
from monoyard.config.local_record import LocalCluster, local_record
from monoyard.delivery import Namespace
from monoyard.delivery.access import Access, enter, find_access, find_recipients
from monoyard.delivery.objects import NAMESPACE, new
from monoyard.errors import ClusterError, ConfigurationError
from monoyard.testing import FakeNamespace

UID = "0fb9ca2c-9e5e-4f29-bb26-0a1b2c3d4e5f"
FAR = EnvironmentSettings(name="prod", namespace="shop", cluster=ClusterPin("far", UID))
LOCAL = EnvironmentSettings(name="dev", namespace="shop", cluster=ClusterPin("local", "local"))


def kubeconfig(path: Path, *contexts: str) -> Path:
    """Write a kubeconfig with contexts of these names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in contexts],
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def record(directory: Path, context: str = "own") -> Path:
    """Write what `cluster.up` writes; return the kubeconfig that it names."""
    own = kubeconfig(directory / "own.yaml", context)
    said = {"kubeconfig": str(own), "context": context, "uid": UID}
    local_record({"MONOYARD_CLUSTER_DIR": str(directory)}).write_text(json.dumps(said), "utf-8")
    return own


def test_context_is_looked_for_in_every_file_of_the_variable(tmp_path: Path) -> None:
    """The first file that has the context wins, and files that are missing are none."""
    first = kubeconfig(tmp_path / "one", "near")
    second = kubeconfig(tmp_path / "two", "far", "near")
    named = f"{tmp_path}/none:{first}:{second}:"
    assert find_access(FAR, {"KUBECONFIG": named}) == Access(second, "far", UID, "shop")


def test_usual_file_is_used_without_the_variable(tmp_path: Path) -> None:
    """Without KUBECONFIG it is `~/.kube/config`."""
    usual = kubeconfig(tmp_path / ".kube" / "config", "far")
    assert find_access(FAR, {"HOME": str(tmp_path)}).kubeconfig == usual


def test_missing_context_names_the_files(tmp_path: Path) -> None:
    """Where no file has the context, the error says which were looked at."""
    first = kubeconfig(tmp_path / "one", "near")
    with pytest.raises(ClusterError, match="no kubeconfig has the context `far`") as error:
        find_access(FAR, {"KUBECONFIG": str(first)})
    assert error.value.code == "no-context"
    assert error.value.context == (f"looked at {first}",)


@pytest.mark.parametrize("text", ["{", "[]", "kind: Config\n"])
def test_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    """A file that is no kubeconfig is an error of its own, and not a missing context."""
    damaged = tmp_path / "config"
    damaged.write_text(text, "utf-8")
    with pytest.raises(ClusterError, match="is no kubeconfig"):
        find_access(FAR, {"KUBECONFIG": str(damaged)})


def test_local_cluster_says_what_it_is(tmp_path: Path) -> None:
    """For `local` the cluster's own record gives kubeconfig, context and UID."""
    own = record(tmp_path)
    kubeconfig(tmp_path / ".kube" / "config", "own")
    variables = {"MONOYARD_CLUSTER_DIR": str(tmp_path), "HOME": str(tmp_path)}
    assert find_access(LOCAL, variables) == Access(own, "own", UID, "shop")


def test_credentials_of_somebody_else_are_used_on_the_local_cluster(tmp_path: Path) -> None:
    """A KUBECONFIG with the local cluster's context goes before the administrator's file."""
    own = record(tmp_path)
    deployer = kubeconfig(tmp_path / "deployer", "own")
    other = kubeconfig(tmp_path / "other", "elsewhere")
    variables = {"MONOYARD_CLUSTER_DIR": str(tmp_path)}
    assert find_access(LOCAL, {**variables, "KUBECONFIG": str(deployer)}).kubeconfig == deployer
    assert find_access(LOCAL, {**variables, "KUBECONFIG": str(other)}).kubeconfig == own


def test_without_a_local_cluster_there_is_a_hint(tmp_path: Path) -> None:
    """Nothing was made, or something else lies there: two errors, both lead to `cluster.up`."""
    variables = {"MONOYARD_CLUSTER_DIR": str(tmp_path)}
    with pytest.raises(ClusterError, match="there is no local cluster") as error:
        find_access(LOCAL, variables)
    assert error.value.hint == "`invoke cluster.up` makes one"
    for text in ("{", "[]", "{}"):
        local_record(variables).write_text(text, "utf-8")
        with pytest.raises(ClusterError, match="cannot be read"):
            find_access(LOCAL, variables)


def test_environment_without_a_pin_is_refused() -> None:
    """No pin is never any cluster."""
    with pytest.raises(ConfigurationError):
        find_access(EnvironmentSettings(name="dev"), {})


ACCESS = Access(Path("/config"), "far", UID, "shop")


def test_pinned_cluster_is_entered() -> None:
    """The namespace is opened by the way that was found."""
    cluster = FakeNamespace("shop")
    pinned = new(NAMESPACE, "kube-system")
    uid = str(cluster.create(NAMESPACE, pinned)["metadata"]["uid"])
    asked: list[tuple[Path, str, str]] = []

    def open_namespace(*words: str | Path) -> Namespace:
        asked.append(words)  # type: ignore[arg-type]
        return cluster

    access = Access(ACCESS.kubeconfig, ACCESS.context, uid, "shop")
    assert enter(access, "prod", open_namespace) is cluster
    assert asked == [(Path("/config"), "far", "shop")]
    assert not cluster.is_closed


@pytest.mark.parametrize("has_uid", [True, False])
def test_other_cluster_is_refused(has_uid: bool) -> None:
    """A cluster with another UID, or that says none, is left at once, with both named."""
    cluster = FakeNamespace("shop")
    if has_uid:
        cluster.create(NAMESPACE, new(NAMESPACE, "kube-system"))
    with pytest.raises(ClusterError, match="leads to another cluster") as error:
        enter(ACCESS, "prod", lambda *_: cluster)
    assert error.value.code == "other-cluster"
    assert f"`prod` is pinned to {UID}" in error.value.context
    assert cluster.is_closed


def test_backups_of_the_local_cluster_are_for_its_own_keys(tmp_path: Path) -> None:
    """What `cluster.up` made counts, unless the environment's file names others; none is none."""
    variables = {"MONOYARD_CLUSTER_DIR": str(tmp_path)}
    with pytest.raises(ClusterError, match="there is no local cluster"):
        find_recipients(LOCAL, variables)
    keys = {"shop": ("age1inside", "age1outside")}
    made = LocalCluster("kubeconfig", "own", UID, keys)
    local_record(variables).write_text(made.to_json(), "utf-8")
    assert LocalCluster.parse(made.to_json().encode()) == made
    assert find_recipients(LOCAL, variables) == keys["shop"]
    assert find_recipients(replace(LOCAL, namespace="other"), variables) == ()
    named = replace(LOCAL, data=DataPolicy(recipients=("age1one", "age1two")))
    assert find_recipients(named, variables) == ("age1one", "age1two")
    assert find_recipients(FAR, variables) == ()
    record(tmp_path)
    assert find_recipients(LOCAL, variables) == ()
