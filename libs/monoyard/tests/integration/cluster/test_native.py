"""The native cluster, part by part; the last tests break it and take it down."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from monoyard.cluster import PORTS
from monoyard.cluster.records import mount_namespace_of, of_namespace
from monoyard.cluster.requirements import is_answering

if TYPE_CHECKING:
    from .conftest import Yard

PORT = {port.name: port.here for port in PORTS}


def fetch(url: str, context: ssl.SSLContext | None = None) -> str:
    """Return what an address of this machine answers."""
    with urllib.request.urlopen(url, timeout=10, context=context) as answer:  # noqa: S310
        return str(answer.read().decode())


def until(question: object, seconds: float = 120) -> None:
    """Ask again and again until something is so."""
    deadline = time.monotonic() + seconds
    while not question():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)


def test_the_node_and_all_parts_are_ready(yard: Yard) -> None:
    """`up` returns when nothing is wrong, and says what does not hold."""
    assert yard.status.is_ready, yard.status.lines()
    assert "Ready" in yard.kubectl("get", "nodes")
    assert any("network policies are not enforced" in note for note in yard.status.notes)


def test_a_service_has_a_name_and_an_address(yard: Yard) -> None:
    """A pod reaches another by the name of its service: CoreDNS, kube-proxy and the bridge work."""
    mail = yard.image("mail")
    program = (
        "import urllib.request as u;"
        "print(u.urlopen('http://prometheus.platform.svc.cluster.local:9090/-/ready').read())"
    )
    yard.kubectl(
        "run", "asks", "--namespace=dev", f"--image={mail}", "--restart=Never", "--command", "--",
        "/usr/bin/python3", "-c", program,
    )  # fmt: skip
    yard.until("logs", "asks", "--namespace=dev", sign="Prometheus Server is Ready")


def test_nothing_leads_out(yard: Yard) -> None:
    """The cluster's network has the bridge and itself, and no route to anywhere else."""
    routes = yard.cluster.enclosure.run(("ip", "-json", "route"))
    assert {route["dst"] for route in json.loads(routes)} == {"10.244.0.0/16", "10.96.0.0/16"}
    said = subprocess.run(("ss", "-Hltn"), capture_output=True, text=True, check=True).stdout
    ours = [line.split()[3] for line in said.splitlines()]
    for port in PORTS:
        assert f"127.0.0.1:{port.here}" in ours
        assert f"0.0.0.0:{port.here}" not in ours


def test_the_ingress_answers_with_the_local_authority(yard: Yard) -> None:
    """Clients that trust the authority get TLS from Traefik on loopback; others refuse it."""
    url = f"https://localhost:{PORT['https']}/"
    trusting = ssl.create_default_context(cafile=str(yard.cluster.place.authority))

    def is_answered() -> bool:
        try:
            fetch(url, trusting)
        except urllib.error.HTTPError as error:
            return error.code == 404
        return False

    until(is_answered)
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(url)


def test_measurements_are_taken(yard: Yard) -> None:
    """Prometheus scrapes annotated pods, and metrics-server knows what nodes use."""
    url = f"http://127.0.0.1:{PORT['prometheus']}/api/v1/query?query=up%7Bapp=%22traefik%22%7D"

    def values() -> list[str]:
        return [item["value"][1] for item in json.loads(fetch(url))["data"]["result"]]

    until(lambda: values() == ["1"])
    yard.until("top", "nodes", sign="monoyard")


def test_the_database_takes_statements(yard: Yard) -> None:
    """PostgreSQL answers with the password of its Secret, in the version of the tests."""
    said = yard.kubectl(
        "exec", "--namespace=platform", "deployment/postgres", "--",
        "psql", "--host=/tmp", "--username=postgres", "--tuples-only", "--command=SELECT 6*7",
    )  # fmt: skip
    assert "42" in said
    version = yard.kubectl(
        "exec", "--namespace=platform", "deployment/postgres", "--", "postgres", "--version"
    )
    own = subprocess.run(
        (yard.cluster.workshop.tools.ensure("postgres"), "--version"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert own.stdout.strip() in version


def test_mail_arrives_and_can_be_read(yard: Yard) -> None:
    """What is sent to the SMTP port is there over HTTP, and goes nowhere else."""
    message = EmailMessage()
    message["Subject"] = "promise"
    message["From"], message["To"] = "a@example.org", "b@example.org"
    message.set_content("kept")
    with smtplib.SMTP("127.0.0.1", PORT["smtp"], timeout=30) as connection:
        connection.send_message(message)
    url = f"http://127.0.0.1:{PORT['mail']}/new/"
    until(lambda: 'href="' in fetch(url))
    name = fetch(url).partition('href="')[2].partition('"')[0]
    assert "promise" in fetch(url + name)
    assert yard.status.is_ready


def test_objects_are_stored(yard: Yard) -> None:
    """The object store refuses strangers, in the words of S3."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        fetch(f"http://127.0.0.1:{PORT['s3']}/")
    assert raised.value.code == 403
    assert b"AccessDenied" in raised.value.read()
    assert fetch(f"http://127.0.0.1:{PORT['s3']}/health") == "OK"
    assert yard.status.is_ready


def test_rollouts_are_known_and_measured_by_version(yard: Yard) -> None:
    """Argo Rollouts makes the pods of a Rollout; Prometheus labels them with their version."""
    args = ["--entrypoints.m.address=:9100", "--metrics.prometheus.entrypoint=m"]
    rollout = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "one", "namespace": "dev"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "one"}},
            "strategy": {"canary": {"steps": [{"setWeight": 50}]}},
            "template": {
                "metadata": {
                    "labels": {"app": "one"},
                    "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9100"},
                },
                "spec": {
                    "containers": [
                        {"name": "one", "image": yard.image("traefik"), "args": args},
                    ]
                },
            },
        },
    }  # fmt: skip
    yard.kubectl("apply", "--filename=-", said=json.dumps(rollout))
    yard.until(
        "get", "rollout", "one", "--namespace=dev", "--output=jsonpath={.status.phase}",
        sign="Healthy",
    )  # fmt: skip
    version = yard.kubectl(
        "get", "rollout", "one", "--namespace=dev", "--output=jsonpath={.status.stableRS}"
    )
    query = f"up{{namespace='dev',revision='{version}'}}"
    url = f"http://127.0.0.1:{PORT['prometheus']}/api/v1/query?query={quote(query)}"
    until(lambda: [r["value"][1] for r in json.loads(fetch(url))["data"]["result"]] == ["1"])
    yard.kubectl("delete", "rollout", "one", "--namespace=dev")


def test_environments_find_what_they_expect(yard: Yard) -> None:
    """A pod of an environment reaches its database with its Secret; deployers have an account."""
    assert yard.status.is_ready, "a missing Secret would be named"
    yard.kubectl("get", "serviceaccount", "deployer", "--namespace=dev")
    yard.kubectl("get", "configmap", "own", "--namespace=dev")
    variable = {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "database", "key": "url"}}}
    script = "exec psql \"$URL\" --tuples-only --command='CREATE SCHEMA a; SELECT current_user'"
    container = {
        "name": "asks", "image": yard.image("postgres"), "env": [variable],
        "command": ["/bin/sh", "-c", script],
    }  # fmt: skip
    pod = {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "database", "namespace": "dev"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }  # fmt: skip
    yard.kubectl("apply", "--filename=-", said=json.dumps(pod))
    yard.until("logs", "database", "--namespace=dev", sign="dev_events")


def test_published_images_are_pulled_by_digest(yard: Yard) -> None:
    """What is in the registry of this machine runs by the reference that a release holds."""
    crane = yard.cluster.workshop.tools.ensure("crane")
    source, place = yard.image("mail"), "127.0.0.1:5000/shop/asks"
    subprocess.run((crane, "copy", "--insecure", source, f"{place}:1"), check=True)
    digest = subprocess.run(
        (crane, "digest", "--insecure", f"{place}:1"), check=True, capture_output=True, text=True
    ).stdout.strip()
    for number, name in enumerate((place, place.replace("127.0.0.1", "localhost"))):
        yard.kubectl(
            "run", f"pulled-{number}", "--namespace=dev", f"--image={name}@{digest}",
            "--restart=Never", "--command", "--", "/usr/bin/python3", "-c", "print('it runs')",
        )  # fmt: skip
        yard.until("logs", f"pulled-{number}", "--namespace=dev", sign="it runs")


def test_the_pin_of_local_environments_is_this_cluster(yard: Yard) -> None:
    """The recorded context and UID are those that the API server tells."""
    found = json.loads((yard.cluster.place.directory / "cluster.json").read_bytes())
    words = ("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}")
    assert yard.kubectl(f"--context={found['context']}", *words) == found["uid"]
    assert (found["context"], found["kubeconfig"]) == ("local", str(yard.cluster.place.kubeconfig))


def test_up_again_changes_nothing(yard: Yard) -> None:
    """A second `up` finds everything, keeps every process and pod, and is quick (time printed)."""
    names = ("holder", "forward", "containerd", "kubelet", "kube-proxy")
    before = {name: yard.cluster.records.living(name) for name in names}
    pods = yard.kubectl("get", "pods", "--namespace=platform", "--output=name")
    began = time.monotonic()
    assert yard.cluster.up().is_ready
    print(f"a second `up` took {time.monotonic() - began:.1f} s")  # noqa: T201  measured, not judged
    assert {name: yard.cluster.records.living(name) for name in names} == before
    assert not any(pid is None for pid in before.values())
    assert yard.kubectl("get", "pods", "--namespace=platform", "--output=name") == pods


@pytest.mark.parametrize("name", ["containerd", "forward", "kube-proxy", "kubelet"])
def test_a_part_that_was_killed_is_told_and_comes_back(yard: Yard, name: str) -> None:
    """`status` names what does not run and what helps; `up` starts it again."""
    pid = yard.cluster.records.living(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: yard.cluster.records.living(name) is None)
    status = yard.cluster.status()
    assert not status.is_ready
    broken = {part.name: part for part in status.components if part.problem}
    assert broken[name].problem.startswith("it does not run")
    assert "cluster.up" in broken[name].hint
    assert yard.cluster.up().is_ready


def test_down_leaves_nothing(yard: Yard) -> None:
    """Processes, mounts, links, rules, groups, settings of the kernel, files: all as before."""
    holder = yard.cluster.enclosure.holder
    assert holder is not None
    namespace = mount_namespace_of(holder)
    inside = of_namespace(namespace)
    assert len(inside) > 10
    assert yard.cluster.down()
    assert of_namespace(namespace) == set()
    assert not [pid for pid in inside if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110
    assert yard.now() == yard.before
    assert not yard.cluster.place.directory.exists()
    assert not [port for port in PORTS if is_answering(port.here)]
    assert not yard.cluster.down(), "there is none any more"
    assert yard.cluster.status().state == "down"


def test_the_second_cluster_is_made_of_what_was_kept(yard: Yard) -> None:
    """After `down`, `up` builds nothing again (time printed); `down` leaves nothing again."""
    began = time.monotonic()
    assert yard.cluster.up().is_ready
    print(f"a second cluster took {time.monotonic() - began:.1f} s")  # noqa: T201  measured, not judged
    assert yard.cluster.down()
    assert yard.now() == yard.before
