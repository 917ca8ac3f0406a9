"""What backups find in a cluster of ours, with a kubectl that keeps what it is told."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]  # a compiled module
import pytest

from monoyard.cluster.backups import OUTSIDE, Backups
from monoyard.cluster.client import Client
from monoyard.config.environment_values import (
    LOCAL_STORE,
    DataPolicy,
    EnvironmentSettings,
    StoreSettings,
)
from monoyard.tools.kubectl import Target

ELSEWHERE = EnvironmentSettings(
    name="prod",
    namespace="shop-prod",
    data=DataPolicy(store=StoreSettings("https://s3.example", "shop")),
)
LOCAL = [
    EnvironmentSettings(
        name=name,
        namespace=f"shop-{name}",
        data=DataPolicy(store=StoreSettings(LOCAL_STORE, f"shop-{name}")),
    )
    for name in ("dev", "staging")
]


class FakeSecrets:
    """Keeps Secrets by namespace and name."""

    def __init__(self) -> None:
        self.data: dict[tuple[str, str], dict[str, str]] = {}
        self.applied = 0

    def run(self, argv: tuple[str, ...], said: str | None = None) -> str:
        """Answer as the API server would."""
        if "apply" in argv:
            self.applied += 1
            for item in json.loads(said or "")["items"]:
                metadata = item["metadata"]
                self.data[metadata["namespace"], metadata["name"]] = item["data"]
            return ""
        items: list[dict[str, Any]] = [
            {"metadata": {"namespace": space, "name": name}, "data": data}
            for (space, name), data in self.data.items()
        ]
        return json.dumps({"items": items})

    def value(self, space: str, name: str, key: str) -> str:
        """Return a value as a pod sees it."""
        return base64.b64decode(self.data[space, name][key]).decode()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> FakeSecrets:
    """A cluster without any Secret."""
    found = FakeSecrets()
    monkeypatch.setattr(Client, "run", found.run)
    return found


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    """The places of two environments of the local cluster, and of one that keeps its elsewhere."""
    client = Client(Target(Path("kubectl")))
    return Backups(client, tmp_path, [*LOCAL, ELSEWHERE], lambda name: f"password-of-{name}")


def test_each_local_environment_gets_keys_and_secrets(
    secrets: FakeSecrets, backups: Backups, tmp_path: Path
) -> None:
    """Its own key is in the cluster, the other one only in the state directory, for nobody else."""
    keys = backups.provide()
    assert keys.keys() == {"shop-dev", "shop-staging"}
    assert secrets.value("shop-dev", "backup-store", "secret-key") == "password-of-object-store"
    for space, (own, outside) in keys.items():
        text = secrets.value(space, "backup-identity", "identity")
        assert str(pyrage.x25519.Identity.from_str(text.strip()).to_public()) == own
        path = tmp_path / OUTSIDE
        assert path.stat().st_mode & 0o777 == 0o600
        line = path.read_text("utf-8").splitlines()[1]
        assert str(pyrage.x25519.Identity.from_str(line).to_public()) == outside
        assert line not in str(secrets.data)
    assert keys["shop-dev"][0] != keys["shop-staging"][0]


def test_keys_are_made_once(secrets: FakeSecrets, backups: Backups) -> None:
    """Older backups stay readable: what is there is used, and nothing is applied again."""
    first = backups.provide()
    assert backups.provide() == first
    assert secrets.applied == 1


def test_secret_of_somebody_is_left(secrets: FakeSecrets, backups: Backups) -> None:
    """A private key that a person put there stays; nobody here knows its public half then."""
    mine = {"identity": base64.b64encode(b"mine").decode()}
    secrets.data["shop-dev", "backup-identity"] = mine
    keys = backups.provide()
    assert secrets.data["shop-dev", "backup-identity"] == mine
    assert len(keys["shop-dev"]) == 1


def test_buckets_are_directories_of_the_store(
    backups: Backups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each local environment has one, which the store's user owns; one that is there stays."""
    place = tmp_path / "volumes" / "object-store"
    place.mkdir(parents=True)
    owned: list[tuple[str, int]] = []

    def chown(path: Path, user: int, group: int) -> None:
        del group
        owned.append((path.name, user))

    monkeypatch.setattr(os, "chown", chown)
    backups.make_buckets()
    backups.make_buckets()
    assert sorted(path.name for path in place.iterdir()) == ["shop-dev", "shop-staging"]
    assert owned == [("shop-dev", 65532), ("shop-staging", 65532)]


def test_nothing_is_made_for_others(secrets: FakeSecrets, tmp_path: Path) -> None:
    """An environment with a store of its own gets neither keys nor Secrets from here."""
    backups = Backups(Client(Target(Path("kubectl"))), tmp_path, [ELSEWHERE], str)
    assert backups.provide() == {}
    assert (secrets.data, list(tmp_path.iterdir())) == ({}, [])
