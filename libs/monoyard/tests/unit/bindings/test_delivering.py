"""The questions to an environment, as the door asks them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from monoyard.bindings import delivering, steering
from monoyard.config.local_record import local_record
from monoyard.delivery import Lease, Ledger
from monoyard.delivery.objects import NAMESPACE, POD, new
from monoyard.delivery.rollouts import ROLLOUT
from monoyard.errors import ClusterError, UsageError
from monoyard.testing import FakeClock, FakeNamespace

ENVIRONMENT = 'namespace = "shop-dev"\ncluster = "local"\n[services.api]\n[services.web]\n'
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with an environment on the local cluster."""
    subprocess.run(("git", "init", "-q", str(tmp_path / "shop")), check=True)
    place = tmp_path / "shop" / "deploy" / "environments" / "dev"
    place.mkdir(parents=True)
    (place / "environment.toml").write_text(ENVIRONMENT, "utf-8")
    return tmp_path / "shop"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNamespace:
    """The local cluster, with its record."""
    cluster = FakeNamespace("shop-dev")
    uid = cluster.create(NAMESPACE, new(NAMESPACE, "kube-system"))["metadata"]["uid"]
    config = tmp_path / "config"
    contexts = '[{"name": "here", "context": {"cluster": "c", "user": "u"}}]'
    config.write_text(f"kind: Config\nclusters: []\nusers: []\ncontexts: {contexts}\n", "utf-8")
    monkeypatch.setenv("MONOYARD_CLUSTER_DIR", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    said = {"kubeconfig": str(config), "context": "here", "uid": uid}
    local_record({"MONOYARD_CLUSTER_DIR": str(tmp_path)}).write_text(json.dumps(said), "utf-8")
    return cluster


def deploy(cluster: FakeNamespace, clock: FakeClock) -> Lease:
    """Have a deployment under way that holds the environment, and an `api` that it is about."""
    lease = Lease(cluster, "dev", "runner", clock)
    lease.acquire(0, print)
    ledger = Ledger(cluster, "dev", clock)
    header = {"commit": "c0ffee" * 7, "by": "jane", "services": {"api": {}}, "at": "then"}
    record = ledger.append(lease, ledger.begin(lease, header), "upgrade:api", "intent", {})
    ledger.append(lease, record, "upgrade:api", "failed", {"message": "no good"})
    thing = new(
        ROLLOUT,
        "api",
        labels={"monoyard.dev/release": "c0ffee" * 7},
        annotations={"meta.helm.sh/release-name": "api"},
        spec={
            "strategy": {"canary": {"steps": [{"setWeight": 5}, {"pause": {}}]}},
            "template": {"spec": {"containers": [{"image": f"r/api@{DIGEST}"}]}},
        },
        status={"phase": "Paused", "currentStepIndex": 0, "message": "CanaryPauseStep",
                "canary": {"weights": {"canary": {"weight": 5}}}, "readyReplicas": 2,
                "observedGeneration": 1},
    )  # fmt: skip
    thing["metadata"]["generation"] = 1
    cluster.create(ROLLOUT, thing)
    cluster.create(ROLLOUT, new(ROLLOUT, "stray", spec={}))
    return lease


def test_status_is_one_screen(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each service has a line, what does not run and what nobody expects is said to be so."""
    deploy(cluster, FakeClock())
    delivering.show_status(top, "dev", None, lambda *_: cluster)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "dev: shop-dev by here"
    assert lines[1].startswith("   1  open  ")
    assert lines[1].endswith("commit c0ffeec0ffee  by jane  (api)")
    assert lines[2].startswith("held by runner, renewed at ")
    assert re.split(r" {2,}", lines[3].strip()) == [
        "api", "Rollout", "paused", "step 0 of 2", "5 % of traffic", "sha256:aaaaaaaaaaaa",
        "commit c0ffeec0ffee", "2 ready", "CanaryPauseStep",
    ]  # fmt: skip
    assert lines[4].split() == ["web", "does", "not", "run"]
    assert lines[5].endswith("(no service of the environment)")
    assert cluster.is_closed


def test_questions_answer_as_json(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status, history and Lease are data as well, with a version."""
    deploy(cluster, FakeClock())
    found = {}
    for ask in (delivering.show_status, delivering.show_history, delivering.show_lease):
        ask(top, "dev", "", lambda *_: cluster)
        found[ask.__name__] = json.loads(capsys.readouterr().out)
    assert {item["version"] for item in found.values()} == {1}
    assert found["show_status"]["workloads"][0]["digests"] == [DIGEST]
    assert found["show_status"]["last"]["number"] == 1
    [deployment] = found["show_history"]["deployments"]
    assert deployment["failure"] == "upgrade:api: no good"
    assert [entry["state"] for entry in deployment["entries"]] == ["intent", "failed"]
    assert found["show_lease"]["lease"]["holder"] == "runner"


def test_empty_environment_says_so(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing happened yet, every question is answered with that."""
    for ask in (delivering.show_status, delivering.show_history, delivering.show_lease):
        ask(top, "dev", None, lambda *_: cluster)
    assert capsys.readouterr().out.splitlines() == [
        "dev: shop-dev by here", "nothing was deployed here yet", "nobody holds it",
        "  api  does not run", "  web  does not run", "nothing was deployed here yet",
        "nobody holds it",
    ]  # fmt: skip


def test_history_says_why(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below a deployment that failed stands the step and its reason."""
    deploy(cluster, FakeClock())
    delivering.show_history(top, "dev", None, lambda *_: cluster)
    assert capsys.readouterr().out.splitlines()[1] == "     upgrade:api: no good"


def test_lease_is_given_up(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lease of a runner that is gone is free afterwards, and the second time there is none."""
    clock = FakeClock()
    deploy(cluster, clock)
    for _ in range(2):
        delivering.give_up_lease(
            top, "dev", is_forced=False, open_namespace=lambda *_: cluster, clock=clock
        )
    assert capsys.readouterr().out.splitlines() == ["`dev` is free now", "nobody held it"]


def test_other_cluster_is_refused_before_anything(top: Path, cluster: FakeNamespace) -> None:
    """Not even the Lease is looked at in a cluster that is not the pinned one."""
    other = FakeNamespace("shop-dev")
    with pytest.raises(ClusterError) as error:
        delivering.show_lease(top, "dev", None, lambda *_: other)
    assert error.value.code == "other-cluster"
    assert cluster.is_closed is False


def test_environment_has_to_be_named(top: Path) -> None:
    """Without a name the error lists them; a wrong one is answered with the nearest."""
    with pytest.raises(UsageError) as error:
        delivering.show_lease(top, "", None)
    assert error.value.hint == "the environments are dev"
    with pytest.raises(UsageError, match="did you mean `dev`"):
        delivering.show_lease(top, "dve", None)


def test_status_tells_what_a_person_holds(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever comes to it sees at once that nobody but a person will let it go on."""
    deploy(cluster, FakeClock())
    steering.steer(top, "dev", "pause", lambda *_: cluster)
    delivering.show_status(top, "dev", None, lambda *_: cluster)
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  api "))
    assert line.endswith("2 ready  held by a person")


def test_deployment_is_steered_from_another_terminal(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """`deploy.pause`, `continue` and `abort` say what they did to which rollout."""
    lease = deploy(cluster, FakeClock())
    for how in ("pause", "continue", "abort"):
        steering.steer(top, "dev", how, lambda *_: cluster)
    said = capsys.readouterr()
    assert said.out.splitlines() == ["api stays where it is", "api goes on", "api goes back"]
    assert "--resume" not in said.err
    found = cluster.get(ROLLOUT, "api")
    assert found is not None
    assert found["status"]["abort"] is True
    with lease.kept(lambda: None):
        pass  # and it is given up
    cluster.merge(ROLLOUT, "api", {"status": {"abort": False}}, status=True)
    steering.steer(top, "dev", "abort", lambda *_: cluster)
    assert "--resume" in capsys.readouterr().err


def test_logs_are_those_of_the_services_that_are_named(
    top: Path, cluster: FakeNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line stands behind its pod and container; a service that is not there is told."""
    for service in ("api", "web"):
        labels = {"monoyard.dev/service": service}
        spec = {"containers": [{"name": "main"}]}
        cluster.create(POD, new(POD, f"{service}-1", labels=labels, spec=spec))
        cluster.print_log(f"{service}-1", "main", f"first\nlast of {service}\n")
    steering.show_logs(top, "dev", (), 1, lambda *_: cluster)
    assert capsys.readouterr().out.splitlines() == [
        "api-1 main | last of api", "web-1 main | last of web",
    ]  # fmt: skip
    steering.show_logs(top, "dev", ("web",), 50, lambda *_: cluster)
    assert capsys.readouterr().out.splitlines() == [
        "web-1 main | first",
        "web-1 main | last of web",
    ]
    with pytest.raises(UsageError, match=r"no service `wbe`.*web"):
        steering.show_logs(top, "dev", ("wbe",), 50, lambda *_: cluster)
    with pytest.raises(UsageError, match="--lines"):
        steering.show_logs(top, "dev", (), 0, lambda *_: cluster)
