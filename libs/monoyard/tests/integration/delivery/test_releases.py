"""What the deployment room relies on in Helm: the fake and the real one both do it."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.charts import ChartCall, parse
from monoyard.config.environment_values import ServiceSettings
from monoyard.delivery import Kind, Namespace
from monoyard.delivery.objects import CONFIG_MAP, NAMESPACE, SECRET, new
from monoyard.deployment.releases import HelmReleases, Releases
from monoyard.deployment.running import find_drift, read_running
from monoyard.errors import DeliveryError
from monoyard.install import is_ci
from monoyard.testing import FakeNamespace, FakeReleases
from monoyard.tools.helm import Place

if TYPE_CHECKING:
    from .conftest import Connect

TEMPLATE = """\
{{- range $name, $text := .Values.maps }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ $name }}, labels: {team: blue}}
data: {text: {{ $text | quote }}, fixed: "1"}
{{- end }}
"""
LABELS = {"monoyard.dev/environment": "dev"}
SERVICE = Kind("", "v1", "Service", "services")
FOREIGN = ServiceSettings(given={"image.ref": "reference", "made": "commit"})


def rendered(call: ChartCall) -> list[dict[str, Any]]:
    """Return what the template above comes to."""
    maps = call.given.get("maps") or {}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"team": "blue"}},
            "data": {"text": text, "fixed": "1"},
        }
        for name, text in maps.items()
    ]


def call(name: str = "shop", **given: Any) -> ChartCall:
    """Return a chart with values."""
    return ChartCall(name, "chart", (), given, "")


@pytest.fixture(params=["fake", "real"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Releases, Namespace]]:
    """Return an empty namespace and its releases: fakes, then the real things."""
    if request.param == "fake":
        fake = FakeNamespace("fake")
        yield FakeReleases(fake, rendered), fake
        return
    program = shutil.which("helm")
    if program is None and is_ci(os.environ):
        pytest.fail("helm is not on PATH")
    if program is None:
        pytest.skip("helm is not on PATH: `nox -s integration -- monoyard` puts it there")
    open_namespace: Connect = request.getfixturevalue("api_server")
    config: Path = request.getfixturevalue("kubeconfig")
    name = f"helm-{time.monotonic_ns()}"
    open_namespace("default").create(NAMESPACE, new(NAMESPACE, name))
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n", "utf-8")
    (chart / "templates" / "maps.yaml").write_text(TEMPLATE, "utf-8")
    where = Place(name, "here", config)
    yield HelmReleases(Path(program), tmp_path, where, 60.0), open_namespace(name)


def test_upgrades_are_kept_with_values_and_objects(place: tuple[Releases, Namespace]) -> None:
    """Every revision is there with its number, state and words, and can be read again."""
    releases, namespace = place
    assert releases.history("shop") == ()
    assert releases.all(LABELS) == ()
    releases.upgrade(call(maps={"one": "a"}), LABELS, "deployment 1")
    releases.upgrade(call(maps={"one": "b", "two": "c"}), LABELS, "deployment 2")
    told = [(item.revision, item.status, item.description) for item in releases.history("shop")]
    assert told == [(1, "superseded", "deployment 1"), (2, "deployed", "deployment 2")]
    assert [(item.name, item.revision) for item in releases.all(LABELS)] == [("shop", 2)]
    assert releases.all({"monoyard.dev/environment": "prod"}) == ()
    assert releases.values("shop", 1) == {"maps": {"one": "a"}}
    names = [thing["metadata"]["name"] for thing in parse(releases.manifest("shop", 2))]
    assert sorted(names) == ["one", "two"]
    found = namespace.get(CONFIG_MAP, "one")
    assert found is not None
    assert found["data"]["text"] == "b"
    assert found["metadata"]["annotations"]["meta.helm.sh/release-name"] == "shop"


def test_what_is_no_longer_rendered_is_removed(place: tuple[Releases, Namespace]) -> None:
    """An upgrade takes away what the revision before it had made."""
    releases, namespace = place
    releases.upgrade(call(maps={"one": "a", "two": "b"}), LABELS, "1")
    releases.upgrade(call(maps={"one": "a"}), LABELS, "2")
    assert namespace.get(CONFIG_MAP, "two") is None


def test_rollback_sends_an_earlier_revision(place: tuple[Releases, Namespace]) -> None:
    """It is a new revision that says which one it is, and the objects are those of then."""
    releases, namespace = place
    releases.upgrade(call(maps={"one": "a"}), LABELS, "1")
    releases.upgrade(call(maps={"one": "b"}), LABELS, "2")
    releases.rollback("shop", 1)
    newest = releases.history("shop")[-1]
    assert (newest.revision, newest.status, newest.description) == (3, "deployed", "Rollback to 1")
    found = namespace.get(CONFIG_MAP, "one")
    assert found is not None
    assert found["data"]["text"] == "a"
    assert releases.values("shop", 3) == {"maps": {"one": "a"}}


def test_rollback_ends_what_was_interrupted(place: tuple[Releases, Namespace]) -> None:
    """After a call that was killed an upgrade is refused; once gone back it is possible again."""
    releases, namespace = place
    releases.upgrade(call(maps={"one": "a"}), LABELS, "1")
    if isinstance(releases, FakeReleases):
        releases.fail_next("shop", "pending-upgrade")
        with pytest.raises(DeliveryError):
            releases.upgrade(call(maps={"one": "b"}), LABELS, "2")
    else:
        releases.upgrade(call(maps={"one": "b"}), LABELS, "2")
        _interrupt(namespace)
    assert releases.history("shop")[-1].is_interrupted
    with pytest.raises(DeliveryError) as error:
        releases.upgrade(call(maps={"one": "c"}), LABELS, "3")
    assert "in progress" in error.value.context[0]
    releases.rollback("shop", 1)
    releases.upgrade(call(maps={"one": "c"}), LABELS, "4")
    assert releases.history("shop")[-1].status == "deployed"


def _interrupt(namespace: Namespace) -> None:
    """Leave what a killed Helm leaves: the newest revision under way, the one before deployed."""
    for revision, status in ((1, "deployed"), (2, "pending-upgrade")):
        name = f"sh.helm.release.v1.shop.v{revision}"
        found = namespace.get(SECRET, name)
        assert found is not None
        changed = _with_status(found["data"]["release"], status)
        labels = {**found["metadata"]["labels"], "status": status}
        namespace.merge(
            SECRET, name, {"metadata": {"labels": labels}, "data": {"release": changed}},
            status=False,
        )  # fmt: skip


def _with_status(data: str, status: str) -> str:
    inner = gzip.decompress(base64.b64decode(base64.b64decode(data)))
    release = json.loads(inner)
    release["info"]["status"] = status
    packed = gzip.compress(json.dumps(release).encode())
    return base64.b64encode(base64.b64encode(packed)).decode()


def test_uninstalled_release_leaves_its_history(place: tuple[Releases, Namespace]) -> None:
    """What it made is gone, also if that is said twice; its revisions stay, and it comes back."""
    releases, namespace = place
    releases.uninstall("shop")
    releases.upgrade(call(maps={"one": "a"}), LABELS, "1")
    releases.uninstall("shop")
    releases.uninstall("shop")
    assert namespace.get(CONFIG_MAP, "one") is None
    assert [item.status for item in releases.history("shop")] == ["uninstalled"]
    releases.upgrade(call(maps={"one": "b"}), LABELS, "2")
    assert releases.history("shop")[-1].status == "deployed"


def test_refusal_is_in_helms_words(place: tuple[Releases, Namespace]) -> None:
    """What is not there cannot be read or gone back to, and the error says so."""
    releases, _ = place
    asks: list[Callable[[], object]] = [
        lambda: releases.rollback("shop", 1),
        lambda: releases.manifest("shop", 1),
        lambda: releases.values("shop", 1),
    ]
    for ask in asks:
        with pytest.raises(DeliveryError) as error:
            ask()
        assert error.value.code == "helm"


def test_what_runs_is_read_off_the_newest_deployed(place: tuple[Releases, Namespace]) -> None:
    """Values and objects are those that were taken; what somebody changed since is drift."""
    releases, namespace = place
    assert read_running(releases, "shop", FOREIGN).revision == 0
    given = {"image": {"ref": "r.example/shop@sha256:1"}, "made": "c0ffee", "maps": {"one": "a"}}
    releases.upgrade(ChartCall("shop", "chart", (), given, ""), LABELS, "1")
    running = read_running(releases, "shop", FOREIGN)
    assert (running.repository, running.digest, running.commit) == (
        "r.example/shop", "sha256:1", "c0ffee",
    )  # fmt: skip
    assert running.is_whole
    assert find_drift(namespace, running.objects) == ()
    namespace.merge(CONFIG_MAP, "one", {"data": {"text": "x", "more": "y"}}, status=False)
    [change] = find_drift(namespace, running.objects)
    assert [(item.path, item.before, item.after) for item in change.fields] == [
        ("data.text", '"a"', '"x"')
    ]
    namespace.delete(CONFIG_MAP, "one")
    [change] = find_drift(namespace, running.objects)
    assert (change.name, change.action) == ("ConfigMap/one", "removed")
    releases.uninstall("shop")
    assert read_running(releases, "shop", FOREIGN).revision == 0


def test_what_argo_adds_to_a_selector_is_no_drift(place: tuple[Releases, Namespace]) -> None:
    """The hash of the version that a Service leads to is Argo's; another selector is drift."""
    _, namespace = place
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]
    sent = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop"},
        "spec": {"selector": {"app": "shop"}, "ports": ports},
    }
    namespace.create(SERVICE, sent)
    added = {"spec": {"selector": {"rollouts-pod-template-hash": "abc"}}}
    namespace.merge(SERVICE, "shop", added, status=False)
    assert find_drift(namespace, [sent]) == ()
    namespace.merge(SERVICE, "shop", {"spec": {"selector": {"app": "x"}}}, status=False)
    [change] = find_drift(namespace, [sent])
    assert [item.path for item in change.fields] == ["spec.selector.app"]
