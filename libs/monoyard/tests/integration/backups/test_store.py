"""Backups go to a real store and come back out of it, or it is said in one line why not."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyrage  # type: ignore[import-untyped]  # a compiled module
import pytest

from monoyard.migrations import SCRIPTS

if TYPE_CHECKING:
    from .conftest import Desk, Ended, Gateway

KEY = "staging/api/7-20261122T101112Z"


def _save(desk: Desk, gateway: Gateway, key: str = KEY, *words: str, **said: Any) -> Ended:
    variables = {**gateway.variables(), **said}
    keeping = () if "--keep" in words else ("--keep", "7")
    return desk.run(
        "save", "--key", key, "--directory", str(desk.place), *keeping, *desk.recipients(),
        "--fact", "service=api", *words, **variables,
    )  # fmt: skip


def _fetch(desk: Desk, gateway: Gateway, *words: str, key: str = KEY) -> Ended:
    return desk.run("fetch", "--key", key, "--to", str(desk.place), *words, **gateway.variables())


def _list(desk: Desk, gateway: Gateway, prefix: str = "staging/") -> list[dict[str, Any]]:
    ended = desk.run("backups", "--prefix", prefix, **gateway.variables())
    assert ended.status == 0, ended.events
    return ended.events[:-1]


def test_backup_goes_to_the_store_and_comes_back(desk: Desk, gateway: Gateway) -> None:
    """What is put into the store is fetched, restored and proven; nothing is left on the way."""
    ended = _save(desk, gateway)
    assert ended.status == 0, (ended.events, ended.said)
    assert gateway.files() == [f"{KEY}/dump.age", f"{KEY}/manifest.json"]
    assert not desk.dump.exists()
    done = ended.last
    assert (done["key"], done["rows"], done["tables"]) == (KEY, 300, 2)
    assert done["facts"] == {"service": "api"}
    sizes = {name: size["rows"] for name, size in done["largest"].items()}
    assert sizes == {"customer": 200, "shop.Order": 100}
    assert all(size["bytes"] > 0 for size in done["largest"].values())
    assert _fetch(desk, gateway).status == 0
    restored = desk.run("restore", *desk.files(), url=desk.other)
    assert restored.status == 0, restored.events


def test_backup_that_is_whole_is_not_taken_again(desk: Desk, gateway: Gateway) -> None:
    """Whoever resumes finds what an earlier run put there, as it was."""
    first = _save(desk, gateway)
    desk.sql("INSERT INTO customer VALUES (900, 'late', '')")
    again = _save(desk, gateway)
    assert again.events[0] == {"event": "already", "key": KEY}
    assert again.last == first.last


def test_backup_that_is_half_there_is_taken_again(desk: Desk, gateway: Gateway) -> None:
    """A dump without its manifest is no backup: it is not listed, and is overwritten."""
    _save(desk, gateway)
    (gateway.place / "backups" / KEY / "manifest.json").unlink()
    (gateway.place / "backups" / KEY / "dump.age").write_bytes(b"half")
    assert _list(desk, gateway) == []
    assert _fetch(desk, gateway).status == 15
    assert _save(desk, gateway).events[0]["event"] == "dumped"
    assert _fetch(desk, gateway).status == 0


def test_old_backups_go_after_the_new_one(desk: Desk, gateway: Gateway) -> None:
    """The newest stay, and beside them what is spared and the newest that was proven."""
    keys = [f"staging/api/{number}-x" for number in range(1, 7)]
    for number, key in enumerate(keys):
        assert _save(desk, gateway, key).status == 0
        if number in (0, 1):
            marked = desk.run("mark", "--key", key, **gateway.variables())
            assert marked.status == 0
        _age(gateway, key, number)
    assert _save(desk, gateway, "staging/worker/1-x").status == 0
    ended = _save(desk, gateway, KEY, "--keep", "2", "--spare", keys[2])
    assert ended.status == 0
    assert [item["key"] for item in ended.events if item["event"] == "removed"] == [
        keys[0], keys[3], keys[4],
    ]  # fmt: skip
    left = {item["key"]: bool(item["proven_at"]) for item in _list(desk, gateway)}
    assert left == {
        KEY: False, keys[5]: False, keys[2]: False, keys[1]: True, "staging/worker/1-x": False,
    }  # fmt: skip


def _age(gateway: Gateway, key: str, day: int) -> None:
    """Have a backup be one of long ago."""
    path = gateway.place / "backups" / key / "manifest.json"
    text = path.read_text("utf-8")
    at = text.index('"taken_at": "') + len('"taken_at": "')
    path.write_text(f"{text[:at]}2020-01-0{day + 1}{text[at + 10 :]}", "utf-8")


def test_failing_backup_removes_nothing(desk: Desk, gateway: Gateway) -> None:
    """Where the new one cannot be taken, every older one stays."""
    for number in (1, 2):
        _save(desk, gateway, f"staging/api/{number}-x")
    before = gateway.files()
    ended = desk.run(
        "save", "--key", KEY, "--directory", f"{desk.place}/no", "--keep", "1", *desk.recipients(),
        **gateway.variables(),
    )  # fmt: skip
    assert ended.status == 6
    assert gateway.files() == before


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"MONOYARD_STORE": "http://127.0.0.1:1"}, 11, "http://127.0.0.1:1 does not answer"),
        ({"MONOYARD_BUCKET": "other"}, 12, "NoSuchBucket"),
        ({"MONOYARD_BUCKET": "B"}, 12, "InvalidBucketName"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, 13, "SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, 13, "No user"),
        ({"MONOYARD_STORE": "nonsense"}, 16, "nonsense is no address of a store"),
        ({"MONOYARD_STORE": ""}, 16, "MONOYARD_STORE and MONOYARD_BUCKET name the store"),
    ],
)
def test_store_that_does_not_take_it(
    desk: Desk, gateway: Gateway, said: dict[str, str], status: int, words: str
) -> None:
    """Nobody there, no bucket, wrong keys: each ends before a dump is begun, and says which."""
    ended = _save(desk, gateway, **said)
    assert (ended.status, len(ended.events)) == (status, 1), ended.events
    assert words in ended.last["message"]
    assert "something" not in str(ended.events) + ended.said


def test_store_that_is_full(desk: Desk, gateway: Gateway) -> None:
    """A store without room is told as that, and has no half of a backup that counts."""
    small = gateway.place / "small"
    small.mkdir()
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=16k", "none", str(small)),
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("a small disk can be mounted only as root")
    try:
        desk.sql("INSERT INTO customer SELECT n, md5(n::text), md5('x' || n)"
                 " FROM generate_series(1000, 3000) n")  # fmt: skip
        ended = _save(desk, gateway, MONOYARD_BUCKET="small")
        assert ended.status == 14, ended.events
        assert "No space left" in ended.last["message"]
        listed = desk.run("backups", "--prefix", "staging/", **gateway.variables("small"))
        assert listed.events == [{"event": "done", "backups": 0}]
    finally:
        subprocess.run(("umount", str(small)), check=True)


def test_database_that_does_not_answer(desk: Desk, gateway: Gateway) -> None:
    """Without a database there is no backup, and the address with its password is not repeated."""
    ended = _save(desk, gateway, url="postgresql://me:hunter2@127.0.0.1:1/none")
    assert ended.status == 8
    assert "hunter2" not in str(ended.events) + ended.said


def test_damaged_object_is_not_restored(desk: Desk, gateway: Gateway) -> None:
    """What the store gives back is compared with what was put there."""
    _save(desk, gateway)
    path = gateway.place / "backups" / KEY / "dump.age"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    ended = _fetch(desk, gateway)
    assert (ended.status, "is not what was backed up" in ended.last["message"]) == (3, True)


def test_room_and_version_are_seen_first(desk: Desk, gateway: Gateway) -> None:
    """A copy that cannot fit, or of another major version, is told before anything is fetched."""
    _save(desk, gateway)
    path = gateway.place / "backups" / KEY / "manifest.json"
    whole = path.read_text("utf-8")
    at = whole.index('"bytes"', whole.index('"database"'))
    path.write_text(whole[:at] + '"bytes": 1e18, "was"' + whole[at + 7 :], "utf-8")
    ended = _fetch(desk, gateway, "--space", str(desk.place))
    assert (ended.status, "are free" in ended.last["message"]) == (9, True)
    at = whole.index('"major": ') + 9
    path.write_text(f'{whole[:at]}9, "was": {whole[at:]}', "utf-8")
    ended = _fetch(desk, gateway)
    assert (ended.status, ended.last["message"][:26]) == (10, "the backup is of PostgreSQ")
    assert not desk.dump.exists()
    assert _fetch(desk, gateway, "--only-manifest").status == 0


@contextmanager
def _served(desk: Desk) -> Iterator[str]:
    """Run the throwaway server, as a user that it accepts; yield its superuser's address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    place = Path(tempfile.mkdtemp())
    try:
        shutil.copy(desk.place / "manifest.json", place)
        shutil.copytree(SCRIPTS, place / "program", ignore=shutil.ignore_patterns("__pycache__"))
        if nobody is not None:
            for path in (place, *place.rglob("*")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        # The interpreter of a test may lie where nobody else may look; this program needs any.
        python = sys.executable if nobody is None else "/usr/bin/python3"
        argv = (python, str(place / "program"), "serve", f"--data={place}",
                f"--manifest={place}/manifest.json", "--name=copy-7", f"--port={port}")  # fmt: skip
        user = nobody.pw_uid if nobody else None
        group = nobody.pw_gid if nobody else None
        server = subprocess.Popen(
            argv, env=desk.environment, cwd=place, stdout=subprocess.DEVNULL,
            user=user, group=group,
        )  # fmt: skip
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
            _await(url, server)
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(60)
    finally:
        shutil.rmtree(place)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_copy_is_served_proven_and_lets_the_service_in(desk: Desk, gateway: Gateway) -> None:
    """On the throwaway server a migration is who took the backup, and meets what it owns."""
    desk.sql("CREATE ROLE shopkeeper_x NOLOGIN", "ALTER TABLE customer OWNER TO shopkeeper_x")
    try:
        _save(desk, gateway)
        assert _fetch(desk, gateway).status == 0
        with _served(desk) as url:
            ended = desk.run("prove", *desk.files(), url=url)
            assert (ended.status, ended.last["event"]) == (0, "proven"), (ended.events, ended.said)
            own = url.replace("postgres@", "monoyard@")
            assert desk.sql("SHOW cluster_name", url=own) == [("copy-7",)]
            ((user, rows),) = desk.sql("SELECT current_user, count(*) FROM customer", url=own)
            assert (user, rows) == (desk.sql("SELECT current_user")[0][0], 200)
            assert desk.sql("SHOW listen_addresses", url=own) == [("127.0.0.1",)]
            again = desk.run("prove", *desk.files(), url=url)
            assert (again.status, again.last["message"]) == (4, "the database is not empty")
    finally:
        desk.sql("ALTER TABLE customer OWNER TO current_user", "DROP ROLE shopkeeper_x")


def test_stranger_proves_nothing(desk: Desk, gateway: Gateway) -> None:
    """With the key of none of the recipients a backup is not proven, and it is said so."""
    _save(desk, gateway)
    assert _fetch(desk, gateway).status == 0
    (desk.place / "key0").write_text(str(pyrage.x25519.Identity.generate()), "utf-8")
    ended = desk.run("prove", *desk.files(), url=desk.other)
    assert (ended.status, "no identity can decrypt it" in ended.last["message"]) == (5, True)


def test_mark_of_what_is_not_there(desk: Desk, gateway: Gateway) -> None:
    """Only a whole backup is marked as proven."""
    ended = desk.run("mark", "--key", KEY, **gateway.variables())
    assert (ended.status, gateway.files()) == (15, [])
