"""What environments find in the cluster, with a kubectl that keeps what it is told."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from monoyard.cluster.client import Client
from monoyard.cluster.namespaces import Namespaces, namespace_manifest
from monoyard.config.environment_values import Deployers, EnvironmentSettings
from monoyard.config.local_cluster import LocalClusterSettings, SecretSource
from monoyard.tools.kubectl import Target

DEV = EnvironmentSettings(
    name="dev",
    namespace="shop-dev",
    deployers=Deployers(service_accounts=("deployer",)),
    secrets={"api": ("url", "token"), "worker": ("url",), "signing": ("key",), "other": ("a",)},
)
SETTINGS = LocalClusterSettings(
    secrets={
        "api": {"url": SecretSource(database="events"), "token": SecretSource(random=32)},
        "worker": {"url": SecretSource(database="events")},
        "signing": {"key": SecretSource(private_key="ed25519")},
        "unused": {"name": SecretSource(text="nobody expects it")},
    }
)


class FakeCluster:
    """Keeps Secrets and the SQL that the database was told."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, str]] = {}
        self.told: list[str] = []
        self.applied = 0

    def run(self, argv: tuple[str, ...], said: str | None = None) -> str:
        """Answer as the API server would."""
        if "exec" in argv:
            self.told.append(said or "")
            return ""
        if "apply" in argv:
            self.applied += 1
            for item in json.loads(said or "")["items"]:
                self.secrets[item["metadata"]["name"]] = item["data"]
            return ""
        assert "secrets" in argv
        items: list[dict[str, Any]] = [
            {"metadata": {"namespace": "shop-dev", "name": name}, "data": data}
            for name, data in self.secrets.items()
        ]
        return json.dumps({"items": items})

    def value(self, name: str, key: str) -> str:
        """Return a value as a pod sees it."""
        return base64.b64decode(self.secrets[name][key]).decode()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster without any Secret."""
    found = FakeCluster()
    monkeypatch.setattr(Client, "run", found.run)
    return found


@pytest.fixture
def namespaces() -> Namespaces:
    """The places of one environment."""
    client = Client(Target(Path("kubectl")))
    return Namespaces(client, (DEV,), SETTINGS, lambda name: f"password-of-{name}")


def test_a_namespace_has_the_accounts_of_those_who_deploy() -> None:
    """Roles are bound to accounts; a namespace says which environment it is."""
    first, second = json.loads(namespace_manifest((DEV,)))["items"]
    assert (first["kind"], first["metadata"]["name"]) == ("Namespace", "shop-dev")
    assert first["metadata"]["labels"] == {"monoyard.dev/environment": "dev"}
    assert (second["kind"], second["metadata"]["name"]) == ("ServiceAccount", "deployer")
    assert second["metadata"]["namespace"] == "shop-dev"


def test_expected_secrets_are_made(cluster: FakeCluster, namespaces: Namespaces) -> None:
    """Each key is made as the workspace says; who shares a database has the same address."""
    namespaces.provide()
    assert cluster.value("api", "url") == cluster.value("worker", "url")
    assert cluster.value("api", "url") == (
        "postgresql://shop_dev_events:password-of-database-shop_dev_events"
        "@postgres.platform.svc.cluster.local:5432/shop_dev_events"
    )
    assert "CREATE DATABASE shop_dev_events OWNER shop_dev_events" in cluster.told[0]
    assert len(cluster.value("api", "token")) >= 43
    shown = subprocess.run(
        ("openssl", "pkey", "-noout", "-text"),
        input=cluster.value("signing", "key"), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.startswith("ED25519 Private-Key")
    assert "unused" not in cluster.secrets


def test_what_is_there_stays(cluster: FakeCluster, namespaces: Namespaces) -> None:
    """A key that somebody made is kept beside those that are added; twice is as good as once."""
    cluster.secrets["api"] = {"token": "bWluZQ==", "more": "bW9yZQ=="}
    namespaces.provide()
    assert cluster.value("api", "token") == "mine"
    assert cluster.value("api", "more") == "more"
    before, applied = dict(cluster.secrets), cluster.applied
    namespaces.provide()
    assert cluster.secrets == before
    assert cluster.applied == applied


def test_what_nobody_says_how_to_make_is_told(cluster: FakeCluster, namespaces: Namespaces) -> None:
    """A Secret without a source is missing, by name and key, and no value is in the words."""
    namespaces.provide()
    (trouble,) = namespaces.missing()
    assert (trouble.name, trouble.reason) == ("shop-dev/secret other", "it lacks a")
    cluster.secrets["other"] = {"a": "YQ=="}
    assert namespaces.missing() == ()
