"""What is made of Helm's answers; that the real one answers so, the conformance suite sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monoyard.charts import ChartCall
from monoyard.config.environment_values import ServiceSettings
from monoyard.delivery import UNREACHABLE
from monoyard.deployment.releases import HelmReleases, newest_of
from monoyard.deployment.running import read_running
from monoyard.errors import ClusterError, DeliveryError, ToolError
from monoyard.tools.helm import Place

CALL = ChartCall("api", "chart", ("values.yaml",), {"image": "x"}, "shop")
WHERE = "--namespace=shop --kube-context=far --kubeconfig=/config"


def releases(top: Path, script: str, version: str = "v4.3.1") -> HelmReleases:
    """Return the releases of a Helm that is a script; what it is called with is kept."""
    program = top / "helm"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in version) echo {version}; exit;; esac\n'
        f'echo "$@" >> {top}/calls\n[ -t 0 ] || cat > {top}/told\n'
        f'echo "$KUBECONFIG:$HELM_CONFIG_HOME" > {top}/environment\n{script}\n',
        "utf-8",
    )
    program.chmod(0o755)
    return HelmReleases(program, top, Place("shop", "far", Path("/config")), 90.0, (0.0,))


def history(status: str) -> str:
    """Return a script that knows one revision."""
    row = {"name": "api", "revision": 2, "status": status, "chart": "c-1", "description": "d"}
    return f"echo '{json.dumps([row])}'"


def called(top: Path) -> str:
    """Return what Helm was called with last."""
    return (top / "calls").read_text("utf-8").splitlines()[-1]


def test_upgrade_says_all_of_it(tmp_path: Path) -> None:
    """Values come by standard input, and Helm waits for nothing and keeps nothing of before."""
    releases(tmp_path, "").upgrade(CALL, {"a": "b"}, "deployment 7")
    assert called(tmp_path) == (
        f"upgrade api chart --install --reset-values --history-max=20 --values values.yaml "
        f"--values - {WHERE} --output=json --description=deployment 7 --timeout=90s --labels=a=b "
        "--server-side=false"
    )
    assert json.loads((tmp_path / "told").read_text("utf-8")) == {"image": "x"}
    kubeconfig, home = (tmp_path / "environment").read_text("utf-8").strip().split(":")
    assert kubeconfig == "/dev/null"
    assert not Path(home).exists()


def test_going_back_and_removing(tmp_path: Path) -> None:
    """Both go to the one place, and a removed release keeps its history."""
    found = releases(tmp_path, history("deployed"), "v3.22.0")
    found.rollback("api", 3)
    assert called(tmp_path) == f"rollback api 3 {WHERE} --history-max=20 --timeout=90s"
    found.uninstall("api")
    assert called(tmp_path).startswith(f"uninstall api {WHERE} --keep-history")


def test_removed_release_is_not_removed_again(tmp_path: Path) -> None:
    """Helm calls that an error, and whoever resumes cannot know that it was done."""
    releases(tmp_path, history("uninstalled")).uninstall("api")
    assert called(tmp_path).startswith("history api")


def test_refusal_has_helms_own_words(tmp_path: Path) -> None:
    """What Helm complains of is the context of the error."""
    found = releases(tmp_path, 'echo "Error: another operation is in progress" >&2; exit 1')
    for do in (
        lambda: found.upgrade(CALL, {}, ""), lambda: found.rollback("api", 1),
        lambda: found.uninstall("api"), lambda: found.manifest("api", 1),
        lambda: found.all({}), lambda: found.history("api"),
    ):  # fmt: skip
        with pytest.raises(DeliveryError) as error:
            do()
        assert error.value.code == "helm"
        assert error.value.context == ("another operation is in progress",)


@pytest.mark.parametrize(
    "said",
    [
        "Kubernetes cluster unreachable: Get 'https://127.0.0.1:1/version': EOF",
        "UPGRADE FAILED: Patch 'https://x': dial tcp 10.0.0.1:443: connect: connection refused",
        "query: failed to query with labels: http2: client connection lost",
        "etcdserver: request timed out",
    ],
)
def test_cluster_that_does_not_answer_is_told_from_a_refusal(tmp_path: Path, said: str) -> None:
    """It may be waited for; what Helm said of it is kept."""
    found = releases(tmp_path, f'echo "Error: {said}" >&2; exit 1')
    for do in (lambda: found.upgrade(CALL, {}, ""), lambda: found.history("api")):
        with pytest.raises(ClusterError) as error:
            do()
        assert error.value.code == UNREACHABLE
        assert error.value.context == (said,)


FORBIDDEN = 'query: secrets is forbidden: User "jane" cannot list resource "secrets"'


def test_question_that_is_refused_is_asked_again(tmp_path: Path) -> None:
    """An API server that has just started refuses everybody; one that goes on means it."""
    once = (
        f'test -e {tmp_path}/asked || {{ touch {tmp_path}/asked; echo "Error: $1" >&2; exit 1; }}'
    )
    script = f"""set -- '{FORBIDDEN}'; {once}; {history("deployed")}"""
    assert [item.revision for item in releases(tmp_path, script).history("api")] == [2]
    always = releases(tmp_path, f"echo 'Error: {FORBIDDEN}' >&2; exit 1")
    with pytest.raises(DeliveryError, match="the history of api cannot be read") as error:
        always.history("api")
    assert error.value.code == "helm"
    assert error.value.context == (FORBIDDEN,)


def test_change_that_is_refused_may_be_tried_once_more(tmp_path: Path) -> None:
    """The first refusal may be one of everybody, the second one is ours; both have Helm's words."""
    found = releases(tmp_path, f"echo 'Error: {FORBIDDEN}' >&2; exit 1")
    with pytest.raises(
        ClusterError, match="api cannot be upgraded: the cluster refuses it"
    ) as first:
        found.upgrade(CALL, {}, "deployment 7")
    assert first.value.code == UNREACHABLE
    with pytest.raises(DeliveryError, match="api cannot be upgraded") as second:
        found.upgrade(CALL, {}, "deployment 7")
    assert second.value.code == "helm"
    assert first.value.context == second.value.context == (FORBIDDEN,)


def test_questions_are_understood(tmp_path: Path) -> None:
    """History, releases, values and manifests are read as Helm prints them."""
    row = {"name": "api", "revision": 2, "status": "deployed", "chart": "c-1", "description": "d"}
    found = releases(tmp_path, f"echo '{json.dumps([row])}'")
    assert [item.revision for item in found.history("api")] == [2]
    assert [item.name for item in found.all({"a": "b"})] == ["api"]
    assert called(tmp_path).endswith("--selector=a=b")
    newest = newest_of(found, "api")
    assert newest is not None
    assert newest.description == "d"
    assert releases(tmp_path, "echo null").values("api", 2) == {}
    assert releases(tmp_path, "echo kind: A").manifest("api", 2) == "kind: A\n"


def test_release_that_is_not_there(tmp_path: Path) -> None:
    """No release is no error: it has no history."""
    found = releases(tmp_path, 'echo "Error: release: not found" >&2; exit 1')
    assert found.history("api") == ()
    assert newest_of(found, "api") is None


def test_other_major_is_refused(tmp_path: Path) -> None:
    """A Helm that nobody tried is not let near a cluster."""
    with pytest.raises(ToolError, match="helm 5 is not understood"):
        releases(tmp_path, "", "v5.0.0").rollback("api", 1)
    assert not (tmp_path / "calls").exists()


def test_record_without_objects_is_told(tmp_path: Path) -> None:
    """A manifest that is no YAML is an error of Helm's record, and no empty release."""
    row = {"revision": 1, "status": "deployed", "chart": "c-1"}
    script = (
        f"""case "$1" in history) echo '{json.dumps([row])}';; get) echo '{{"a": [1]}}';; esac"""
    )
    with pytest.raises(DeliveryError, match="holds no objects"):
        read_running(releases(tmp_path, script), "api", ServiceSettings())
