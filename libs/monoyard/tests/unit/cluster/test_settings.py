"""What the parts of the cluster are told: settings, manifests, the way in and out."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from monoyard import cluster
from monoyard.cluster import PARTS, PORTS, Place, own_manifests
from monoyard.cluster.addons import Addons, filled
from monoyard.cluster.authority import Authority
from monoyard.cluster.client import Client
from monoyard.cluster.control import ControlPlane, fill
from monoyard.cluster.enclosure import Enclosure
from monoyard.cluster.forward import Way
from monoyard.cluster.parts import ETCD_TAG, HOST_PROGRAMS, KUBERNETES_VERSION
from monoyard.cluster.place import NODE_ADDRESS, SERVICE_NETWORK
from monoyard.cluster.records import Records
from monoyard.cluster.runtime import Runtime
from monoyard.config.local_record import cluster_directory
from monoyard.errors import MachineError, ToolError
from monoyard.install import TABLE
from monoyard.install.go_tools import pinned_version
from monoyard.tools.kubectl import Target

HERE = Path(cluster.__file__).parent
IMAGES = {part.name: f"127.0.0.1:5000/c/{part.name}:tag" for part in PARTS}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A state directory that nothing was done in."""
    return Place(tmp_path / "state", 5000, (5000, 5077))


@pytest.fixture
def enclosure(place: Place) -> Enclosure:
    """Namespaces that are not there."""
    return Enclosure(place, Records(place.directory / "processes"))


def addons_of(place: Place) -> Addons:
    """Return what applies the manifests, with a kubectl that nobody calls."""
    return Addons(place, Client(Target(Path("kubectl"))), (), lambda _: None)


def test_every_template_is_filled(place: Place, enclosure: Enclosure) -> None:
    """No settings file that is written for a program has a name left in it."""
    control = ControlPlane(place, enclosure, enclosure.records, {})
    for path in (HERE / "settings").iterdir():
        text = control._configure(path.name).read_text("utf-8")  # noqa: SLF001
        assert not re.search(r"@[A-Z_]+@", text), path.name
        assert place.repository in text or path.name != "kubeadm.yaml"
    resolver = place.settings("resolv.conf").read_text("utf-8")
    assert resolver == "nameserver 10.96.0.10\n", "names are asked of the cluster alone"


def test_a_name_without_value_is_a_fault() -> None:
    """A template that names what nobody gives is refused rather than applied."""
    assert fill("a: @B@", {"B": "c"}) == "a: c"
    with pytest.raises(ValueError, match="no value for D"):
        fill("a: @D@", {"B": "c"})


def test_every_manifest_is_filled(place: Place) -> None:
    """Manifests name images of the cluster's own registry only, and no name is left in them."""
    authority = Authority(place)
    authority.ensure()
    values = addons_of(place)._values(IMAGES, authority)  # noqa: SLF001
    for path in (HERE / "manifests").glob("*.yaml"):
        text = filled(path, values)
        assert not re.search(r"@[A-Z_]+(:[a-z-]+)?@", text), path.name
        for image in re.findall(r"image: \"?([^\"\s]+)", text):
            assert image in IMAGES.values(), path.name


def test_passwords_stay_the_same(place: Place) -> None:
    """A password is made once, is long, differs from the others, and only root reads it."""
    place.directory.mkdir()
    addons = addons_of(place)
    one = addons.password("postgres")
    assert addons.password("postgres") == one != addons.password("s3")
    assert len(one) >= 32
    assert (place.directory / "secrets" / "postgres").stat().st_mode & 0o777 == 0o600


def verify(place: Place, *names: str) -> bool:
    """Say whether the ingress's certificate holds for all of these names."""
    argv = ("openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "-verify_hostname")
    return all(
        subprocess.run(
            (*argv, name, "tls.crt"), cwd=place.authority.parent, check=False, capture_output=True
        ).returncode == 0
        for name in names
    )  # fmt: skip


def test_the_authority_signs_for_loopback(place: Place) -> None:
    """The certificate is signed once, for names of localhost and those that the workspace adds."""
    Authority(place, ("dev.shop.test",)).ensure()
    directory = place.authority.parent
    before = (directory / "tls.crt").read_bytes()
    Authority(place, ("dev.shop.test",)).ensure()
    assert (directory / "tls.crt").read_bytes() == before
    assert directory.stat().st_mode & 0o077 == 0
    assert verify(place, "localhost", "api.dev.localhost", "dev.shop.test")
    assert not verify(place, "other.shop.test")


def test_another_name_means_another_certificate_of_the_same_authority(place: Place) -> None:
    """Clients go on trusting what they trusted, and reaching what another checkout has named."""
    Authority(place).ensure()
    trusted = place.authority.read_bytes()
    assert not verify(place, "dev.shop.test")
    Authority(place, ("dev.shop.test",)).ensure()
    assert place.authority.read_bytes() == trusted
    assert verify(place, "dev.shop.test", "localhost")
    Authority(place, ("test.shop.test",)).ensure()
    assert verify(place, "dev.shop.test", "test.shop.test", "localhost")


def test_the_authority_is_no_good_for_other_names(place: Place) -> None:
    """Whoever steals its key can pretend to be nobody who exists."""
    Authority(place, ("bank.example",)).ensure()
    assert not verify(place, "bank.example")
    assert not verify(place, "localhost"), "a certificate with such a name holds for none"


def test_services_have_the_addresses_that_the_ports_lead_to() -> None:
    """Each port on loopback leads to the fixed address and port of a service, and no two clash."""
    text = "\n".join(path.read_text("utf-8") for path in (HERE / "manifests").glob("*.yaml"))
    services = {
        match[0]: {int(port) for port in re.findall(r"\bport: (\d+)", match[1])}
        for match in re.findall(r"clusterIP: (\S+)\n(.*?)(?=\n---|\Z)", text, re.DOTALL)
    }
    for port in PORTS:
        if port.address != NODE_ADDRESS:
            assert port.there in services[port.address], port.name
            assert port.address.startswith(SERVICE_NETWORK.rpartition(".")[0].rpartition(".")[0])
    assert len({port.here for port in PORTS}) == len(PORTS)


def test_versions_are_those_of_the_pins() -> None:
    """What kubeadm asks the registry for has the version of the program that is built."""
    assert pinned_version("kubernetes") == KUBERNETES_VERSION
    assert pinned_version("etcd") == ETCD_TAG
    names = {tool.name for tool in TABLE}
    assert {*HOST_PROGRAMS, *(part.program for part in PARTS if part.program)} <= names


def test_containerd_has_everything_of_its_own(
    place: Place, enclosure: Enclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root, socket, network and registry of containerd lie in the state directory or in memory."""
    monkeypatch.setattr(Enclosure, "wrap", lambda _, argv: argv)
    monkeypatch.setattr(Records, "start", lambda *_: 0)
    monkeypatch.setattr(Runtime, "_await", lambda _: None)
    Runtime(place, enclosure, enclosure.records).start("127.0.0.1:5000/c/pause:1")
    settings = tomllib.loads(place.settings("containerd.toml").read_text("utf-8"))
    assert settings["root"] == str(place.directory / "containerd")
    assert settings["state"] == "/run/containerd", "in memory of the enclosure"
    assert settings["grpc"]["address"] == str(place.socket)
    interface = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert interface["sandbox_image"] == "127.0.0.1:5000/c/pause:1"
    assert interface["restrict_oom_score_adj"] is True
    for name in ("127.0.0.1:5000", "localhost:5000", "127.0.0.1:5077"):
        hosts = place.settings(f"registries/{name}/hosts.toml").read_text("utf-8")
        assert tomllib.loads(hosts)["server"].endswith(name.partition(":")[2])
    network = json.loads(place.settings("networks/10-monoyard.conflist").read_text("utf-8"))
    assert [plugin["type"] for plugin in network["plugins"]] == ["bridge", "portmap"]
    assert "ipMasq" not in network["plugins"][0], "nothing goes out, so nothing is rewritten"


def test_containerd_that_ends_is_told(place: Place, enclosure: Enclosure) -> None:
    """A runtime that does not start is one error with its last words and the path of its log."""
    enclosure.records.directory.mkdir(parents=True)
    enclosure.records.log("containerd").write_text("a\nno space left\n", encoding="utf-8")
    with pytest.raises(MachineError) as raised:
        Runtime(place, enclosure, enclosure.records)._await()  # noqa: SLF001
    assert raised.value.code == "cluster-part-failed"
    assert raised.value.context == ("a", "no space left")


def test_nothing_runs_in_namespaces_that_are_not_there(enclosure: Enclosure) -> None:
    """Without a holder there is one error, and nothing is started on the machine instead."""
    with pytest.raises(MachineError, match="the cluster is not running"):
        enclosure.wrap(("ip", "link"))
    enclosure.close()
    enclosure.remove_mount_points()


def test_ways_are_read_as_they_are_written() -> None:
    """A way survives the command line; what is none is refused."""
    for way in (Way(True, 10443, "10.96.0.80", 443), Way(False, 5000, "127.0.0.1", 5000)):
        assert Way.parse(str(way)) == way
    with pytest.raises(ValueError, match="no way"):
        Way.parse("up:1=10.96.0.80:2")


def test_definitions_that_are_not_known_yet_are_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kind that the API server learns in a moment is applied then; another error is not tried."""
    answers: Iterator[str] = iter(['no matches for kind "TLSStore"', "", "denied"])

    def run(_: Client, argv: tuple[str, ...], said: str) -> str:
        assert argv[0] == "kubectl"
        assert said == "text"
        if answer := next(answers):
            raise ToolError("refused", context=(answer,))
        return ""

    monkeypatch.setattr(Client, "run", run)
    client = Client(Target(Path("kubectl")))
    client.apply("text", "default")
    with pytest.raises(ToolError):
        client.apply("text", "default")
    assert next(answers, None) is None


def test_the_state_directory_can_be_chosen(tmp_path: Path) -> None:
    """A variable names another state directory; a workspace's manifests come in order."""
    assert cluster_directory({}) == Path("/var/lib/monoyard-cluster")
    assert cluster_directory({"MONOYARD_CLUSTER_DIR": "/x"}) == Path("/x")
    for name in ("b.yaml", "a.yaml", "c.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in own_manifests(tmp_path)] == ["a.yaml", "b.yaml"]
