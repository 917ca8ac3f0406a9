"""The order in which a native cluster is made and taken away, on a machine that does nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from monoyard.cluster import (
    PARTS,
    NativeCluster,
    Place,
    Status,
    Workshop,
    cgroups,
    native,
)
from monoyard.cluster.addons import Addons
from monoyard.cluster.client import Client
from monoyard.cluster.control import ControlPlane
from monoyard.cluster.enclosure import Enclosure
from monoyard.cluster.namespaces import Namespaces
from monoyard.cluster.records import Records
from monoyard.cluster.runtime import Runtime
from monoyard.config.environment_values import EnvironmentSettings
from monoyard.config.local_cluster import LocalClusterSettings, SecretSource
from monoyard.errors import MachineError, ToolError
from monoyard.tools import kubectl
from monoyard.tools.kubectl import Trouble

SHOP = EnvironmentSettings(name="dev", namespace="shop-dev", secrets={"api": ("token",)})
SETTINGS = LocalClusterSettings(secrets={"api": {"token": SecretSource(random=32)}})
UP = Status("native", exists=True)
UID = "11111111-2222-3333-4444-555555555555"


class FakeDaemons:
    """A registry that nobody needs to start, or that was not there."""

    def __init__(self, steps: list[str]) -> None:
        self.steps = steps
        self.is_there = False

    def answers(self, name: str) -> bool:
        """Say whether it is there."""
        assert name == "registry"
        return self.is_there

    def start(self, name: str) -> None:
        """Take note."""
        self.is_there = True
        self.steps.append(f"start {name}")

    def stop(self, name: str) -> None:
        """Take note."""
        self.steps.append(f"stop {name}")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; nothing of it touches the machine."""
    done: list[str] = []

    def step(owner: object, name: str, word: str, answer: object = None) -> None:
        def call(*_: object, **__: object) -> object:
            done.append(word)
            return answer

        monkeypatch.setattr(owner, name, call)

    images = {"pause": "p"}
    monkeypatch.setattr(native, "check_root", lambda _: None)
    monkeypatch.setattr(native, "check_machine", list)
    step(Workshop, "programs", "programs", {"kubectl": Path("/bin/true")})
    step(Workshop, "images", "images", images)
    step(Enclosure, "open", "enclosure")
    step(Enclosure, "close", "close")
    step(Enclosure, "remove_mount_points", "mount points")
    monkeypatch.setattr(Enclosure, "holder", 1)
    step(NativeCluster, "_join", "ports")
    step(Runtime, "start", "containerd")
    step(ControlPlane, "start", "control plane")
    monkeypatch.setattr(NativeCluster, "_give_to_caller", lambda *_: None)
    step(Addons, "apply", "manifests")
    step(Addons, "await_ready", "ready")
    step(Namespaces, "provide", "secrets")
    step(Client, "uid", "uid", UID)
    step(cgroups, "remove", "groups", [])
    monkeypatch.setattr(Records, "stop", lambda _, name: done.append(f"end {name}"))

    def apply(_: Client, text: str, namespace: str = "") -> None:
        assert not namespace
        done.append("namespaces" if "shop-dev" in text else text)

    monkeypatch.setattr(Client, "apply", apply)
    monkeypatch.setattr(NativeCluster, "status", lambda _: UP)
    return done


def make(place: Path, steps: list[str]) -> NativeCluster:
    """Return a cluster in a state directory of its own."""
    own = place / "own.yaml"
    own.write_text("own manifest", encoding="utf-8")
    return NativeCluster(
        Place(place / "state", 5000),
        Workshop(None, place, place / "lock", steps.append),  # type: ignore[arg-type]
        FakeDaemons(steps),  # type: ignore[arg-type]
        (own,),
        (SHOP,),
        SETTINGS,
        lambda _: None,
    )


def test_what_is_needed_comes_first(tmp_path: Path, steps: list[str]) -> None:
    """Programs, registry, images, node, manifests, and Secrets once the database is ready."""
    assert make(tmp_path, steps).up() is UP
    assert steps == [
        "programs", "start registry", "images", "enclosure", "ports", "containerd",
        "control plane", "manifests", "namespaces", "own manifest", "ready", "secrets", "uid",
    ]  # fmt: skip


def test_environments_find_the_cluster_by_its_uid(tmp_path: Path, steps: list[str]) -> None:
    """What `local` stands for is written down when all of it is up, and gone when it is down."""
    cluster = make(tmp_path, steps)
    written = cluster.place.directory / "cluster.json"
    cluster.up()
    assert json.loads(written.read_bytes()) == {
        "kubeconfig": str(cluster.place.kubeconfig), "context": "local", "uid": UID,
        "recipients": {},
    }  # fmt: skip
    assert steps[-1] == "uid"
    cluster.down()
    assert not written.exists()


def test_keys_of_another_checkout_stay_known(tmp_path: Path, steps: list[str]) -> None:
    """Whoever shares the cluster goes on finding what its own backups are encrypted to."""
    cluster = make(tmp_path, steps)
    cluster.up()
    written = cluster.place.directory / "cluster.json"
    said = json.loads(written.read_bytes()) | {"recipients": {"theirs": ["age1one", "age1two"]}}
    written.write_text(json.dumps(said), "utf-8")
    cluster.up()
    assert json.loads(written.read_bytes())["recipients"] == {"theirs": ["age1one", "age1two"]}


def test_only_a_registry_of_ours_is_stopped(tmp_path: Path, steps: list[str]) -> None:
    """One that somebody else runs goes on after `down`; processes end before the namespaces."""
    cluster = make(tmp_path, steps)
    cluster.up()
    steps.clear()
    assert cluster.down()
    assert steps == [
        "end forward", "end kubelet", "end containerd", "end kube-proxy", "close",
        "mount points", "groups", "stop registry",
    ]  # fmt: skip
    assert not cluster.place.directory.exists()
    cluster.up()  # the registry is there now
    steps.clear()
    assert cluster.down()
    assert "stop registry" not in steps
    assert not cluster.down()


def test_status_names_what_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes, the state of the set-up, pods with their last words, and missing Secrets."""
    cluster = make(tmp_path, [])
    assert cluster.status().state == "down"
    cluster.place.directory.mkdir()
    cluster.records.directory.mkdir()
    cluster.records.log("kubelet").write_text("no space left\n", encoding="utf-8")
    found = {part.name: part.problem for part in cluster.status().components}
    assert found["kubelet"] == "it does not run; it said last: no space left"
    assert found["kubernetes"] == "it was never set up to the end"
    cluster.place.is_initialised.touch()
    crash = Trouble("platform/traefik-1", "CrashLoopBackOff: back-off")
    monkeypatch.setattr(Client, "troubles", lambda _: (crash,))

    def run(_: Client, argv: tuple[str, ...], said: str | None = None) -> str:
        assert said is None
        return "bad flag\n" if "logs" in argv else json.dumps({"items": []})

    monkeypatch.setattr(Client, "run", run)
    found = {part.name: part.problem for part in cluster.status().components}
    assert found["kubernetes"] == ""
    assert found["platform/traefik-1"].endswith("it said last: bad flag")
    assert found["shop-dev/secret api"] == "it lacks token"

    def refused(_: Client) -> tuple[Trouble, ...]:
        raise ToolError("no answer", context=("refused",))

    monkeypatch.setattr(Client, "troubles", refused)
    found = {part.name: part.problem for part in cluster.status().components}
    assert found["kubernetes"] == "no answer; refused"


def test_a_person_who_called_sudo_may_read_the_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file goes to who called; without sudo it stays as it is."""
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda *words: given.append(words))
    monkeypatch.delenv("SUDO_UID", raising=False)
    NativeCluster._give_to_caller(tmp_path)  # noqa: SLF001
    monkeypatch.setenv("SUDO_UID", "1000")
    NativeCluster._give_to_caller(tmp_path)  # noqa: SLF001
    assert given == [(tmp_path, 1000, -1)]


def test_the_control_plane_is_set_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubeadm runs the first time alone; the kubelet starts between its phases, each time."""
    place = Place(tmp_path / "state", 5000)
    done: list[str] = []

    def run(_: Enclosure, argv: tuple[str, ...], seconds: float = 60) -> str:
        assert seconds
        done.append(" ".join(argv[1:4]) if "phase" in argv else argv[1])
        return "kubeconfig"

    def start(_: Records, name: str, argv: tuple[str, ...]) -> int:
        assert argv
        done.append(f"start {name}")
        return 1

    monkeypatch.setattr(Enclosure, "run", run)
    monkeypatch.setattr(Enclosure, "wrap", lambda _, argv: argv)
    monkeypatch.setattr(Records, "start", start)
    place.kubelet.mkdir(parents=True)
    flags = 'KUBELET_KUBEADM_ARGS="--node-ip=10.244.0.1"\n'
    (place.kubelet / "kubeadm-flags.env").write_text(flags, encoding="utf-8")
    place.kubernetes.mkdir()
    server = "server: https://10.244.0.1:6443\nname: kubernetes-admin@monoyard\n"
    place.admin.write_text(server, encoding="utf-8")
    records = Records(place.directory / "processes")
    programs: Mapping[str, Path] = {
        name: Path("/bin") / name for name in ("kubeadm", "kubelet", "kube-proxy")
    }
    control = ControlPlane(place, Enclosure(place, records), records, programs)
    control.start()
    assert done == [
        "init phase certs", "init phase kubeconfig", "init phase kubelet-start", "start kubelet",
        "init", "kubeconfig", "start kube-proxy",
    ]  # fmt: skip
    kubeconfig = place.kubeconfig.read_text("utf-8")
    assert kubeconfig == "server: https://127.0.0.1:16443\nname: local\n"
    assert place.kubeconfig.stat().st_mode & 0o777 == 0o600
    done.clear()
    written = place.settings("kube-proxy.yaml")
    stamp = written.stat().st_mtime_ns
    control.start()
    assert done == ["start kubelet", "start kube-proxy"]
    assert written.stat().st_mtime_ns == stamp, "kube-proxy ends when its file is written"
    monkeypatch.setattr(Records, "stop", lambda _, name: done.append(f"end {name}"))
    written.write_text("of an engine before", encoding="utf-8")
    done.clear()
    control.start()
    assert done == ["start kubelet", "end kube-proxy", "start kube-proxy"]


def addons(place: Place, said: list[str]) -> Addons:
    """Return what applies manifests."""
    return Addons(place, Client(kubectl.Target(Path("kubectl"))), (), said.append)


def test_definitions_come_before_what_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Namespaces, definitions, our own parts, then Argo's manifest with the image made here."""
    applied: list[tuple[str, str]] = []
    monkeypatch.setattr(Client, "apply", lambda _, text, name="": applied.append((text, name)))
    monkeypatch.setattr(os, "chown", lambda *_: None)
    place = Place(tmp_path / "state", 5000)
    crd = tmp_path / "kubernetes-crd-definition-v1.yml"
    crd.write_text("traefik definitions", encoding="utf-8")
    argo = "image: quay.io/argoproj/argo-rollouts:v1\nimagePullPolicy: Always\n"
    (tmp_path / "install.yaml").write_text(argo, encoding="utf-8")
    images = {part.name: f"127.0.0.1:5000/c/{part.name}:1" for part in PARTS}
    programs = {name: tmp_path / name for name in ("traefik", "argo-rollouts")}
    addons(place, []).apply(images, programs)
    texts = [text for text, _ in applied]
    assert "name: platform" in texts[0]
    assert texts[1] == "traefik definitions"
    assert applied[-1] == (
        f"image: {images['argo-rollouts']}\nimagePullPolicy: IfNotPresent\n", "argo-rollouts",
    )  # fmt: skip
    assert not any("@IMAGE" in text for text in texts)


def test_waiting_ends_when_all_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for is named; what never gets ready is one error with every reason."""
    troubles = iter(((Trouble("a/b", "Pending"),), ()))
    monkeypatch.setattr(Client, "troubles", lambda _: next(troubles))
    monkeypatch.setattr("monoyard.cluster.addons._PAUSE", 0)
    monkeypatch.setattr("monoyard.cluster.addons._WORD_EVERY", 0)
    said: list[str] = []
    place = Place(tmp_path / "state", 5000)
    addons(place, said).await_ready()
    assert said == ["waiting for a/b"]
    monkeypatch.setattr(Client, "troubles", lambda _: (Trouble("a/b", "Pending"),))
    monkeypatch.setattr("monoyard.cluster.addons._SECONDS", 0.01)
    with pytest.raises(MachineError) as raised:
        addons(place, []).await_ready()
    assert raised.value.code == "cluster-not-ready"


def test_empty_groups_of_pods_are_removed(tmp_path: Path) -> None:
    """Of the groups, those of pods go with all that is in them; others stay."""
    (tmp_path / "cpu" / "kubepods" / "burstable" / "pod1").mkdir(parents=True)
    (tmp_path / "kubelet").mkdir()
    (tmp_path / "cpu" / "docker").mkdir()
    assert cgroups.remove(tmp_path) == []
    assert [path.name for path in (tmp_path / "cpu").iterdir()] == ["docker"]
    assert not (tmp_path / "kubelet").exists()
