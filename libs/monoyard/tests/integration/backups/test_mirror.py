"""Records of deployments go to a real store, only grow there, and are read without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.bindings.mirror_reading import read_mirror
from monoyard.errors import DeliveryError, UsageError
from monoyard.migrations import SCRIPTS

if TYPE_CHECKING:
    from .conftest import Gateway

PREFIX = "staging/ledger/"
NAME = "7-20261122T101112Z"
ENVIRONMENT = 'namespace = "shop"\ncluster = "local"\n[services.api]\n'


def entry(step: str, **facts: Any) -> dict[str, Any]:
    """Return an entry as a ledger keeps it."""
    return {"step": step, "state": "done", "at": "2026-11-22T10:11:13Z", "token": 3, "facts": facts}


def lay_out(place: Path, *entries: dict[str, Any], name: str = NAME) -> Path:
    """Lay a record out as a pod mounts it."""
    (place / name).mkdir(parents=True, exist_ok=True)
    header = {"at": "2026-11-22T10:11:12Z", "commit": "c" * 40, "by": "jane", "services": {}}
    (place / name / "header").write_text(json.dumps(header), "utf-8")
    lines = "".join(f"{json.dumps(item)}\n" for item in entries)
    (place / name / "entries").write_text(lines, "utf-8")
    return place


def run(gateway: Gateway, *words: str, **more: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a program; return its status and what it tells."""
    variables = {"PATH": os.environ["PATH"], **gateway.variables(), **more}
    argv = (sys.executable, "-B", str(SCRIPTS), *words)
    done = subprocess.run(argv, env=variables, check=False, capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def mirror(gateway: Gateway, place: Path, **more: str) -> tuple[int, list[dict[str, Any]]]:
    """Put what is laid out."""
    return run(gateway, "mirror", "--from", str(place), "--prefix", PREFIX, **more)


def test_record_is_put_and_comes_back(gateway: Gateway, tmp_path: Path) -> None:
    """Header and entries are as they were, but for what pods printed."""
    place = lay_out(
        tmp_path / "ledger",
        entry("evidence", lines=["a token"]),
        entry("outcome", outcome="went-back", reason="no good"),
        entry("upgrade:api", message="no", context=["a token"]),
    )
    status, events = mirror(gateway, place)
    assert status == 0, events
    assert events[-1] == {"event": "done", "entries": {NAME: 3}}
    assert gateway.files() == [f"{PREFIX}{NAME}.json"]
    assert b"a token" not in (gateway.place / "backups" / PREFIX / f"{NAME}.json").read_bytes()
    status, events = run(gateway, "records", "--prefix", PREFIX)
    record = events[0]["record"]
    assert (record["number"], record["header"]["by"]) == (7, "jane")
    assert [item["facts"] for item in record["entries"]] == [
        {}, {"outcome": "went-back", "reason": "no good"}, {"message": "no"},
    ]  # fmt: skip


def test_record_only_ever_grows(gateway: Gateway, tmp_path: Path) -> None:
    """A runner that sees an older record takes nothing away; one with more is put again."""
    mirror(gateway, lay_out(tmp_path / "ledger", entry("a"), entry("b")))
    for entries in ([entry("a")], [entry("a"), entry("other")]):
        _, events = mirror(gateway, lay_out(tmp_path / "ledger", *entries))
        assert [event["event"] for event in events] == ["done"]
    _, events = mirror(gateway, lay_out(tmp_path / "ledger", entry("a"), entry("b"), entry("c")))
    assert events[0] == {"event": "mirrored", "key": f"{PREFIX}{NAME}.json", "entries": 3}


def test_what_is_no_record_is_told(gateway: Gateway, tmp_path: Path) -> None:
    """What Kubernetes itself puts beside records is passed over; a damaged one is a fault."""
    place = lay_out(tmp_path / "ledger", entry("a"))
    (place / "..data").mkdir()
    assert mirror(gateway, place)[0] == 0
    (place / NAME / "entries").write_text("{", "utf-8")
    status, events = mirror(gateway, place)
    assert (status, events[-1]["event"]) == (6, "failed")


def test_backups_of_a_service_of_that_name_are_no_records(gateway: Gateway, tmp_path: Path) -> None:
    """A service may be called `ledger`: its backups are directories."""
    mirror(gateway, lay_out(tmp_path / "ledger", entry("a")))
    backup = gateway.place / "backups" / PREFIX / "7-now"
    backup.mkdir()
    (backup / "manifest.json").write_text("{}", "utf-8")
    status, events = run(gateway, "records", "--prefix", PREFIX, "--to", str(tmp_path))
    assert (status, events) == (0, [{"event": "done", "records": 1}])
    assert json.loads((tmp_path / f"{NAME}.json").read_text("utf-8"))["number"] == 7


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with an environment whose cluster is gone."""
    place = tmp_path / "shop" / "deploy" / "environments" / "staging"
    place.mkdir(parents=True)
    subprocess.run(("git", "init", "-q", str(tmp_path / "shop")), check=True)
    (place / "environment.toml").write_text(ENVIRONMENT, "utf-8")
    return tmp_path / "shop"


def test_history_is_read_without_a_cluster(
    gateway: Gateway, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the store by its keys, or from files that were fetched; newest first by time."""
    older = lay_out(tmp_path / "ledger", entry("outcome", outcome="completed", reason=""))
    mirror(gateway, lay_out(older, entry("a"), name="1-20261123T000000Z"))
    (later,) = (gateway.place / "backups" / PREFIX).glob("1-*.json")
    said = json.loads(later.read_text("utf-8"))
    said["header"]["at"] = "2026-11-23T00:00:00Z"
    later.write_text(json.dumps(said), "utf-8")
    for name, value in gateway.variables().items():
        monkeypatch.setenv(name, value)
    found = read_mirror(repository, "staging", "store")
    assert [(item.number, item.outcome) for item in found] == [(1, "open"), (7, "completed")]
    directory = str(gateway.place / "backups" / PREFIX)
    assert read_mirror(repository, "staging", directory) == found
    assert read_mirror(repository, "staging", str(later)) == found[:1]


def test_store_that_does_not_say_is_told(
    gateway: Gateway, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No records, wrong keys, other files, and an unknown environment are one error each."""
    for name, value in gateway.variables().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeliveryError, match="store has no records of `staging`"):
        read_mirror(repository, "staging", "store")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(DeliveryError) as error:
        read_mirror(repository, "staging", "store")
    assert error.value.code == "no-mirror"
    assert "in backups of http" in error.value.context[0]
    (tmp_path / "other.json").write_text("{}", "utf-8")
    for source in ("none", "other.json", "shop"):
        with pytest.raises(UsageError):
            read_mirror(repository, "staging", str(tmp_path / source))
    with pytest.raises(UsageError, match="there is no environment"):
        read_mirror(repository, "stagign", "store")
