"""Backups of real databases come back whole, or it is said why not."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped]  # a compiled module
import pytest

from monoyard.migrations import compare_manifests

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
OWN = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
PRIMARY = "constraint public.customer.customer_pkey"
WRITES = """
    DO $$ BEGIN FOR i IN 1..100000 LOOP
        INSERT INTO customer SELECT max(id) + 1, 'x', 'y' FROM customer; COMMIT;
    END LOOP; END $$
"""

if TYPE_CHECKING:
    from .conftest import Desk


@pytest.mark.parametrize("key", [0, 1])
def test_either_key_restores_all_of_it(desk: Desk, key: int) -> None:
    """With one of the two keys lost the other gives back every row, constraint and index."""
    made = desk.back_up()
    assert made["data"]["tables"]["shop.Order"]["rows"] == 100
    ended = desk.run("restore", *desk.files(key), url=desk.other)
    assert ended.status == 0, ended.events
    assert ended.last == {"event": "proven", "tables": 2, "not_compared": []}
    query = 'SELECT o.*, c.* FROM shop."Order" o JOIN customer c ON c.id = o.customer ORDER BY 1'
    assert desk.sql(query, url=desk.other) == desk.sql(query)


def test_nothing_can_be_read_without_a_key(desk: Desk) -> None:
    """The file holds no word of the database, and a stranger's key opens nothing."""
    desk.sql("INSERT INTO customer VALUES (1000, 'Gwendolyn Very-Secret', '')")
    desk.back_up()
    assert b"Gwendolyn" not in desk.dump.read_bytes()
    assert b"customer" not in desk.dump.read_bytes()
    (desk.place / "key0").write_text(str(pyrage.x25519.Identity.generate()), "utf-8")
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert ended.status == 5
    assert desk.sql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url=desk.other
    ) == [(0,)]


def test_dump_and_manifest_are_of_one_moment(desk: Desk) -> None:
    """While somebody writes all the time the restored copy still is what the manifest says."""
    writer = desk.begin(WRITES)
    try:
        desk.wait_until("SELECT count(*) > 250 FROM customer")
        made = desk.back_up()
        assert desk.sql("SELECT count(*) FROM customer") > [
            (made["data"]["tables"]["customer"]["rows"],)
        ]
    finally:
        writer.kill()
        writer.wait()
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert ended.status == 0, ended.events


def test_damage_is_found_before_anything_is_done(desk: Desk) -> None:
    """A changed or missing byte is told, and the database stays empty."""
    desk.back_up()
    whole = desk.dump.read_bytes()
    for bytes_ in (whole[:-1], whole[:900] + bytes([whole[900] ^ 1]) + whole[901:], b""):
        desk.dump.write_bytes(bytes_)
        ended = desk.run("restore", *desk.files(), url=desk.other)
        assert (ended.status, ended.last["event"]) == (3, "failed")
        assert "not what was backed up" in ended.last["message"]
    assert desk.sql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url=desk.other
    ) == [(0,)]


def test_a_database_in_use_is_not_restored_over(desk: Desk) -> None:
    """Where there is a table nothing is done."""
    desk.back_up()
    ended = desk.run("restore", *desk.files())
    assert (ended.status, ended.last["message"]) == (4, "the database is not empty")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("customer: 201 rows in the backup, 200 now", ("data", "tables", "customer", "rows")),
        ("customer: as many", ("data", "tables", "customer", "checksum")),
        ("index shop.order_cents", ("database", "definitions", "index shop.order_cents", "text")),
        (
            "constraint public.customer.customer_pkey",
            ("database", "definitions", "constraint public.customer.customer_pkey", "text"),
        ),
    ],
)
def test_a_copy_that_differs_is_no_proof(desk: Desk, told: str, field: tuple[str, ...]) -> None:
    """Rows, content, an index or a constraint that is not as it was fails the proof, by name."""
    made = desk.back_up()
    inner = made
    for name in field[:-1]:
        inner = inner[name]
    inner[field[-1]] = 201 if field[-1] == "rows" else "17"
    (desk.place / "manifest.json").write_text(json.dumps(made), "utf-8")
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert ended.status == 7
    first = next(event for event in ended.events if event["event"] == "differs")
    assert first["message"].startswith(told)


def test_no_name_of_a_table_hides_a_difference(desk: Desk) -> None:
    """A table whose name has the words of a message in it is compared like any other."""
    desk.sql('CREATE TABLE "not compared" (a int)', 'INSERT INTO "not compared" VALUES (1)')
    made = desk.back_up()
    made["data"]["tables"]["not compared"]["rows"] = 2
    (desk.place / "manifest.json").write_text(json.dumps(made), "utf-8")
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert ended.status == 7
    (told,) = [event["message"] for event in ended.events if event["event"] == "differs"]
    assert told == "not compared: 2 rows in the backup, 1 now"


def test_a_sequence_that_moves_meanwhile_is_within_what_it_went_through(desk: Desk) -> None:
    """Numbers drawn while the dump is made spoil no proof; any that nobody drew then differ."""
    desk.sql("CREATE SEQUENCE countdown INCREMENT -1", "CREATE SEQUENCE unused")
    draws = """SELECT nextval('shop."Order_id_seq"'), nextval('countdown'), nextval('unused');"""
    made = desk.back_up(PATH=desk.path_with_dump_and(draws * 2))
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert (ended.status, ended.last["event"]) == (0, "proven"), ended.events
    for name, value, differs in (
        ('shop."Order_id_seq"', 99, True), ('shop."Order_id_seq"', 102, False),
        ('shop."Order_id_seq"', 103, True), ("countdown", -2, False), ("countdown", -3, True),
        ("unused", 2, False), ("unused", 3, True),
    ):  # fmt: skip
        desk.sql(f"SELECT setval('{name}', {value})", url=desk.other)
        now = desk.run("manifest", url=desk.other).last
        plain = name.replace('"', "")
        found = compare_manifests(made["data"], now)
        assert any(line.startswith(f"sequence {plain}: ") for line in found) is differs, found
        desk.sql("""SELECT setval('shop."Order_id_seq"', 100)""", url=desk.other)


def test_a_sequence_that_stands_still_has_to_be_as_it_was(desk: Desk) -> None:
    """One number more than when it was backed up fails the proof."""
    desk.sql("CREATE SEQUENCE still", "SELECT nextval('still')")
    made = desk.back_up()
    assert "moving" not in made["data"]
    made["data"]["sequences"]["still"] = "2"
    (desk.place / "manifest.json").write_text(json.dumps(made), "utf-8")
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert (ended.status, ended.last["event"]) == (7, "differs")
    assert ended.last["message"] == "sequence still: 2 in the backup, 1 now"


def test_what_was_too_large_is_named_and_has_to_be_there(desk: Desk) -> None:
    """Tables that the backup did not look through are told with the proof; a missing one fails."""
    made = desk.back_up("--limit-bytes=1")
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert ended.status == 0, ended.events
    assert ended.last["not_compared"] == ["customer", "shop.Order"]
    made["data"]["tables"]["gone"] = {"bytes": 2, "skipped": "more than 1 bytes"}
    (desk.place / "manifest.json").write_text(json.dumps(made), "utf-8")
    desk.sql('DROP TABLE shop."Order", customer', "DROP SCHEMA shop", url=desk.other)
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert (ended.status, ended.last["message"]) == (7, "gone: not in the database")


def test_roles_that_own_something_are_made(desk: Desk) -> None:
    """A server that lacks an owner gets it, without a way to log in."""
    role = f"owner_{uuid.uuid4().hex}"
    desk.sql(
        f"CREATE ROLE {role}",
        f"ALTER TABLE customer OWNER TO {role}",
        f"GRANT CREATE ON SCHEMA public TO {role}",
    )
    try:
        made = desk.back_up()
        assert role in made["database"]["roles"]
        desk.sql(
            f"REASSIGN OWNED BY {role} TO CURRENT_USER",
            f"DROP OWNED BY {role}",
            f"DROP ROLE {role}",
        )
        ended = desk.run("restore", *desk.files(), url=desk.other)
        assert ended.status == 0, ended.events
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'customer'"
        assert desk.sql(owner, url=desk.other) == [(role,)]
        assert desk.sql(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{role}'") == [(False,)]
    finally:
        desk.sql(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}", url=desk.other)


def test_too_little_space_is_told_first(desk: Desk) -> None:
    """A copy that would not fit is not begun."""
    made = desk.back_up()
    made["database"]["bytes"] = 10**18
    (desk.place / "manifest.json").write_text(json.dumps(made), "utf-8")
    ended = desk.run("restore", *desk.files(), f"--space={desk.place}", url=desk.other)
    assert ended.status == 9
    assert "bytes are needed" in ended.last["message"]


def test_a_failed_dump_leaves_no_file(desk: Desk) -> None:
    """What pg_dump could not read to the end is no backup; neither is one that was stopped."""
    holder = desk.begin("BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)")
    try:
        held = "mode = 'AccessExclusiveLock' AND relation = 'customer'::regclass"
        desk.wait_until(f"SELECT count(*) > 0 FROM pg_locks WHERE {OWN} AND {held}")
        running = desk.start("backup", f"--to={desk.dump}", *desk.recipients())
        desk.wait_until(f"SELECT count(*) > 0 FROM pg_locks WHERE {OWN} AND NOT granted")
        running.terminate()
        assert running.wait(30) == 143
    finally:
        holder.kill()
        holder.wait()
    assert not [*desk.place.glob("dump*")]
    ended = desk.run("backup", f"--to={desk.place}/no/dump", *desk.recipients())
    assert (ended.status, ended.last["event"]) == (6, "failed")


def test_one_recipient_is_not_enough(desk: Desk) -> None:
    """A backup that one lost key would lose is not made; nor one for what is no key."""
    ended = desk.run("backup", f"--to={desk.dump}", desk.recipients()[0], desk.recipients()[0])
    assert ended.status == 2
    assert "2 recipients at least" in ended.said
    ended = desk.run("backup", f"--to={desk.dump}", "--recipient=age1x", "--recipient=age1y")
    assert ended.status == 2
    assert "is no age recipient" in ended.said


def test_no_database_is_an_answer_of_its_own(desk: Desk) -> None:
    """Where nothing answers the exit status says so, and no password is told."""
    url = "postgresql://me:sesame@127.0.0.1:1/none"
    ended = desk.run("backup", f"--to={desk.dump}", *desk.recipients(), url=url)
    assert (ended.status, ended.last["event"]) == (8, "failed")
    assert "sesame" not in str(ended.events) + ended.said


@pytest.mark.parametrize(
    ("address", "told"),
    [("", "is not set"), ("postgresql//me:sesame@host/name", "is no address, such as")],
)
def test_an_address_that_is_none_is_told_without_its_password(
    desk: Desk, address: str, told: str
) -> None:
    """Which variable is wrong, and what belongs there; what stands there is not repeated."""
    desk.back_up()
    ended = desk.run("restore", *desk.files(), DATABASE_URL=address)
    assert ended.status == 8
    assert f"DATABASE_URL {told}" in ended.last["message"]
    assert "sesame" not in str(ended.events) + ended.said


def test_passwords_stand_in_no_command(desk: Desk) -> None:
    """pg_dump finds the address in its environment."""
    shim = desk.place / "bin" / "pg_dump"
    shim.parent.mkdir()
    shim.write_text('#!/bin/sh\necho "$@" > "$0.words"\nexit 3\n', "utf-8")
    shim.chmod(0o755)
    url = (
        desk.url.replace("?", "?password=sesame&", 1)
        if "?" in desk.url
        else f"{desk.url}?password=sesame"
    )
    ended = desk.run(
        "backup",
        f"--to={desk.dump}",
        *desk.recipients(),
        url=url,
        PATH=f"{shim.parent}:/usr/bin:/bin",
    )
    assert ended.status == 6
    assert "ended with 3" in ended.last["message"]
    assert "sesame" not in (desk.place / "bin" / "pg_dump.words").read_text("utf-8")
