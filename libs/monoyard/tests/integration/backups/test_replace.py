"""A backup takes the place of a whole database, or the database is as it was."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from monoyard.migrations import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Desk, Ended, Gateway

KEY = "staging/api/restore-20261122T101112Z"
VERSION = {"heads": ["2"], "version_table": "alembic_version"}
HISTORY = (
    "CREATE TABLE alembic_version (version_num text PRIMARY KEY)",
    """CREATE TABLE monoyard_schema (revision text PRIMARY KEY, parents text[] NOT NULL,
        breaks text, deployment text, applied_at timestamptz NOT NULL DEFAULT now())""",
    "INSERT INTO alembic_version VALUES ('2')",
    "INSERT INTO monoyard_schema VALUES ('1', '{}'), ('2', '{1}')",
)
CUSTOMERS = "SELECT * FROM customer ORDER BY id"


@pytest.fixture
def backed_up(desk: Desk) -> Desk:
    """A desk whose database has a history, whose backup is restored in the other database."""
    desk.sql(*HISTORY, "CREATE TABLE plain (word text)", "INSERT INTO plain VALUES ('a'), ('a')")
    _prove(desk)
    return desk


def _prove(desk: Desk) -> None:
    desk.back_up()
    (desk.place / "version.json").write_text(json.dumps(VERSION), "utf-8")
    ended = desk.run("restore", *desk.files(), url=desk.other)
    assert ended.status == 0, ended.events


def _words(desk: Desk, *words: str) -> list[str]:
    place = desk.place
    files = [f"--manifest={place}/manifest.json", f"--version={place}/version.json"]
    return ["replace", *files, *words]


def plan(desk: Desk, url: str = "") -> Ended:
    """Ask what would be lost."""
    ended = desk.run(*_words(desk, "--plan"), SCRATCH_URL=desk.other, url=url)
    assert ended.status == 0, (ended.events, ended.said)
    return ended


def _saving(desk: Desk, lose: int) -> list[str]:
    into = ["--key", KEY, "--directory", str(desk.place), *desk.recipients()]
    return _words(desk, f"--lose={lose}", *into)


def replace(desk: Desk, gateway: Gateway, lose: int, url: str = "", **variables: str) -> Ended:
    """Put the backup in the place of the database."""
    said = {**gateway.variables(), "SCRATCH_URL": desk.other, **variables}
    return desk.run(*_saving(desk, lose), url=url, **said)


def events(ended: Ended, name: str) -> list[dict[str, Any]]:
    """Return the events of a name, without it."""
    return [
        {key: value for key, value in event.items() if key != "event"}
        for event in ended.events if event["event"] == name
    ]  # fmt: skip


def write(desk: Desk) -> None:
    """Write what a backup from before does not have: seven rows that are new or changed."""
    desk.sql(
        "INSERT INTO customer VALUES (900, 'late', ''), (901, 'later', '')",
        "UPDATE customer SET name = 'other' WHERE id = 7",
        "DELETE FROM customer WHERE id = 150",
        "INSERT INTO plain VALUES ('a'), ('b')",
        "CREATE TABLE since (id int)",
        "INSERT INTO since VALUES (1), (2)",
        "CREATE VIEW many AS SELECT * FROM since",
        """SELECT nextval('shop."Order_id_seq"')""",
    )


def test_plan_counts_what_would_be_lost(backed_up: Desk) -> None:
    """New, changed and gone rows of each table, by key or by content; nothing is changed."""
    write(backed_up)
    before = backed_up.sql(CUSTOMERS)
    ended = plan(backed_up)
    plain: dict[str, Any] = {"columns": [], "by": "content", "changed": 0}
    assert events(ended, "table") == [
        {"name": "customer", "now": 201, "backup": 200, "new": 2, "changed": 1, "gone": 1,
         "columns": [], "by": "key"},
        {"name": "plain", "now": 4, "backup": 2, "new": 2, "gone": 0, **plain},
        {"name": "since", "now": 2, "backup": None, "new": 2, "gone": 0, **plain},
    ]  # fmt: skip
    assert events(ended, "sequence") == [
        {"name": "shop.Order_id_seq", "now": "101", "backup": "100"}
    ]
    assert events(ended, "only-now") == [{"objects": ["view public.many"]}]
    assert ended.last == {"event": "losses", "rows": 7, "same": 3, "tables": 6}
    assert backed_up.sql(CUSTOMERS) == before


def test_values_of_newer_columns_count_as_lost(backed_up: Desk) -> None:
    """A row with a value where the backup has no column is changed; one without is not."""
    backed_up.sql(
        "ALTER TABLE customer ADD later text, DROP note",
        "UPDATE customer SET later = 'x' WHERE id < 4",
    )
    (table,) = events(plan(backed_up), "table")
    assert (table["new"], table["changed"], table["columns"]) == (0, 3, ["later"])


def test_whole_database_is_what_the_backup_has(backed_up: Desk, gateway: Gateway) -> None:
    """Rows, definitions, owners and sequences come back; what it had is in a backup of its own."""
    desk = backed_up
    before = desk.run("manifest").last
    write(desk)
    had = desk.sql(CUSTOMERS)
    ended = replace(desk, gateway, 7)
    assert ended.status == 0, (ended.events, ended.said)
    assert [event["event"] for event in ended.events] == ["dumped", "saved", "replaced"]
    assert ended.last["lost"] == 7
    now = desk.run("manifest").last
    assert (now["tables"].keys(), now["sequences"]) == (
        before["tables"].keys(), before["sequences"],
    )  # fmt: skip
    assert {n: t["checksum"] for n, t in now["tables"].items()} == {
        n: t["checksum"] for n, t in before["tables"].items()
    }
    assert desk.sql(
        """INSERT INTO shop."Order" (customer, cents) VALUES (1, 1) RETURNING id"""
    ) == [(101,)]
    fetched = desk.run("fetch", "--key", KEY, "--to", str(desk.place), **gateway.variables())
    assert fetched.status == 0, fetched.events
    empty = desk.other
    desk.sql("DROP SCHEMA public, shop CASCADE", "CREATE SCHEMA public", url=empty)
    assert desk.run("restore", *desk.files(), url=empty).status == 0
    assert desk.sql(CUSTOMERS, url=empty) == had
    assert desk.sql("SELECT count(*) FROM many", url=empty) == [(2,)]


def test_again_finds_nothing_to_do(backed_up: Desk, gateway: Gateway) -> None:
    """What is in its place already is left alone, and no backup is taken."""
    write(backed_up)
    assert replace(backed_up, gateway, 7).status == 0
    files = gateway.files()
    for lose in (7, 0):
        ended = replace(backed_up, gateway, lose)
        assert (ended.status, ended.events) == (0, [{"event": "already"}])
    assert gateway.files() == files


def test_another_number_is_refused(backed_up: Desk, gateway: Gateway) -> None:
    """Where somebody wrote since the plan nothing is changed, and the new number is named."""
    desk = backed_up
    write(desk)
    desk.sql("INSERT INTO customer VALUES (902, 'last', '')")
    had = desk.run("manifest").last
    ended = replace(desk, gateway, 7)
    assert (ended.status, ended.last["status"]) == (17, 17)
    assert ended.last["message"] == (
        "nothing was changed: 8 rows are new or changed since the backup by now, not 7"
    )
    assert events(ended, "table")[0]["new"] == 3
    assert desk.run("manifest").last == had
    assert gateway.files() == []
    assert replace(desk, gateway, 8).status == 0


EVERYTHING = (
    "CREATE EXTENSION vector",
    "CREATE TYPE shop.mood AS ENUM ('fine', 'bad')",
    "CREATE DOMAIN shop.word AS text CHECK (value <> '')",
    "CREATE TYPE shop.pair AS (a int, b text)",
    "CREATE FUNCTION shop.twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 2'",
    """CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.note := upper(NEW.note); RETURN NEW; END $$""",
    "CREATE AGGREGATE shop.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
    """CREATE TABLE shop.wide (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE,
        at vector(2), mood shop.mood DEFAULT 'fine', word shop.word, pair shop.pair,
        twice int GENERATED ALWAYS AS (shop.twice(7)) STORED)""",
    "INSERT INTO shop.wide (name, word, pair) VALUES ('A', 'w', '(1,x)'), ('B', 'v', NULL)",
    "CREATE TABLE part (at date NOT NULL, n int) PARTITION BY RANGE (at)",
    "CREATE TABLE part_old PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    "INSERT INTO part VALUES ('2020-05-05', 1)",
    "CREATE MATERIALIZED VIEW shop.names AS SELECT name FROM shop.wide",
    "CREATE UNIQUE INDEX ON shop.names (name)",
    "CREATE VIEW public.upper_names AS SELECT upper(name) AS name FROM shop.names",
    "CREATE TRIGGER shouting BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE SEQUENCE fresh",
    "SELECT setval('fresh', 5, false)",
    "COMMENT ON TABLE shop.wide IS 'of all kinds'",
    "GRANT SELECT ON shop.wide TO PUBLIC",
    "CREATE STATISTICS shop.both ON id, twice FROM shop.wide",
    "CREATE TABLE nothing ()",
)


def test_database_of_all_kinds(desk: Desk, gateway: Gateway) -> None:
    """Types, functions, triggers, views, partitions and an extension's columns are as they were."""
    desk.sql(*HISTORY, *EVERYTHING)
    _prove(desk)
    asked = (
        "SELECT * FROM shop.wide ORDER BY id", "SELECT * FROM upper_names ORDER BY 1",
        "SELECT tableoid::regclass::text, * FROM part", "SELECT last_value, is_called FROM fresh",
        "SELECT relacl::text, obj_description(oid) FROM pg_class WHERE relname = 'wide'",
        "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT shop.total(id) FROM customer",
        "SELECT statistics_name FROM pg_stats_ext",
        """SELECT identity FROM pg_depend d, pg_identify_object(d.classid, d.objid, 0)
            WHERE refclassid = 'pg_namespace'::regclass AND identity !~ '^(pg_|information_)'
            ORDER BY 1""",
    )  # fmt: skip
    before = [desk.sql(question) for question in asked]
    desk.sql(
        "DROP MATERIALIZED VIEW shop.names CASCADE", "INSERT INTO shop.wide (name) VALUES ('C')",
        "DROP TRIGGER shouting ON customer", "ALTER TYPE shop.mood ADD VALUE 'worse'",
        "CREATE SCHEMA more", "CREATE TABLE more.rows (m shop.mood)", "SELECT nextval('fresh')",
    )  # fmt: skip
    ended = replace(desk, gateway, 1)
    assert ended.status == 0, (ended.events, ended.said)
    assert [desk.sql(question) for question in asked] == before
    assert desk.sql("SELECT to_regnamespace('more')") == [(None,)]
    inserted = "INSERT INTO shop.wide (name) VALUES ('C') RETURNING id"
    assert desk.sql(inserted) == [(3,)]


@pytest.fixture
def plain_role(backed_up: Desk) -> Iterator[str]:
    """Yield the address of the database for a role that owns it, and may do nothing else."""
    name = f"plain_{uuid.uuid4().hex}"
    desk = backed_up
    with psycopg.connect(desk.url) as connection:
        own = connection.info.dbname
    desk.sql(
        f"CREATE ROLE {name} LOGIN PASSWORD 'word'",
        f'ALTER DATABASE "{own}" OWNER TO {name}',
        f'REVOKE ALL ON DATABASE "{own}" FROM PUBLIC',
        *(f"ALTER TABLE {table} OWNER TO {name}"
          for table in ("customer", 'shop."Order"', "plain", "alembic_version", "monoyard_schema")),
        f"ALTER SCHEMA shop OWNER TO {name}",
    )  # fmt: skip
    try:
        yield psycopg.conninfo.make_conninfo(desk.url, user=name, password="word")
    finally:
        for url in (desk.url, desk.other):
            desk.sql(f"REASSIGN OWNED BY {name} TO CURRENT_USER", f"DROP OWNED BY {name}", url=url)
        desk.sql(f"DROP ROLE {name}")


def _as_url(conninfo: str) -> str:
    """Return an address of key words as a URL, which the programs take."""
    said = psycopg.conninfo.conninfo_to_dict(conninfo)
    pairs = "&".join(f"{key}={value}" for key, value in said.items() if key != "dbname")
    return f"postgresql:///{said['dbname']}?{pairs}"


def test_owner_without_other_rights_is_enough(
    backed_up: Desk, gateway: Gateway, plain_role: str
) -> None:
    """Neither CREATEDB nor more is needed than owning what is replaced; owners stay."""
    desk, url = backed_up, _as_url(plain_role)
    desk.sql("DROP SCHEMA public, shop CASCADE", "CREATE SCHEMA public", url=desk.other)
    _prove(desk)
    write(desk)
    name = url.partition("user=")[2].partition("&")[0]
    (refused,) = events(plan(desk, url), "refused")
    assert refused["status"] == 19
    assert "public.since" in refused["message"]
    assert replace(desk, gateway, 7, url).last["status"] == 19
    desk.sql(f"ALTER TABLE since OWNER TO {name}", f"ALTER VIEW many OWNER TO {name}")
    assert events(plan(desk, url), "refused") == []
    ended = replace(desk, gateway, 7, url)
    assert ended.status == 0, (ended.events, ended.said)
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'shop')"
    assert desk.sql(owners) == [(name,)]


def test_damaged_copy_changes_nothing(backed_up: Desk, gateway: Gateway) -> None:
    """What is put there is held against the manifest before it counts, and taken back."""
    desk = backed_up
    write(desk)
    had = desk.run("manifest").last
    desk.sql("UPDATE customer SET note = 'rot' WHERE id = 9", url=desk.other)
    rows = plan(desk).last["rows"]
    ended = replace(desk, gateway, rows)
    assert (ended.status, ended.last["event"]) == (7, "failed")
    assert ended.last["message"] == (
        "nothing was changed: it would differ from the backup: customer: as many as in the backup, "
        "with other content"
    )
    assert desk.run("manifest").last == had


def test_no_backup_changes_nothing(backed_up: Desk, gateway: Gateway) -> None:
    """Without the store, or room for the dump, the database stays as it is."""
    desk = backed_up
    write(desk)
    had = desk.run("manifest").last
    ended = replace(desk, gateway, 7, MONOYARD_BUCKET="nowhere")
    assert (ended.status, ended.last["event"]) == (12, "failed")
    said = {**desk.environment, **gateway.variables(), "SCRATCH_URL": desk.other}
    argv = ("sh", "-c", 'ulimit -f 4; exec "$@"', "sh", sys.executable, "-B", str(SCRIPTS))
    done = subprocess.run(
        (*argv, *_saving(desk, 7)), env=said, check=False, capture_output=True, text=True
    )
    assert done.returncode == 6, done.stdout + done.stderr
    assert "failed" in done.stdout
    assert gateway.files() == []
    assert desk.run("manifest").last == had


def _path_with(place: Path, desk: Desk, program: str, script: str) -> str:
    """Return a PATH on which a program is something else; `real` is its own directory there."""
    shim = place / "shims" / program
    shim.parent.mkdir(exist_ok=True)
    path = desk.environment["PATH"]
    shim.write_text(f"#!/bin/sh\nreal={path.partition(':')[0]}\n{script}\n", "utf-8")
    shim.chmod(0o755)
    return f"{shim.parent}:{path}"


@pytest.mark.parametrize(
    ("program", "script"),
    [
        ("pg_dump", 'kill -9 $PPID'),
        ("pg_restore", 'case "$*" in *--list*) kill -9 $PPID ;; esac'),
        ("pg_restore",
         'case "$*" in *post-data*) kill -9 $PPID ;; esac; exec "$real/pg_restore" "$@"'),
    ],
)  # fmt: skip
def test_killed_in_the_middle(backed_up: Desk, gateway: Gateway, program: str, script: str) -> None:
    """Killed before the backup, before the first table is gone, or at the last index: as it was."""
    desk = backed_up
    write(desk)
    had = desk.run("manifest").last
    ended = replace(desk, gateway, 7, PATH=_path_with(desk.place, desk, program, script))
    assert ended.status == -9
    assert desk.run("manifest").last == had
    ended = replace(desk, gateway, 7)
    assert (ended.status, ended.last["event"]) == (0, "replaced"), ended.events
    assert plan(desk).last["rows"] == 0


def test_sessions_of_a_service_do_not_stand_in_the_way(backed_up: Desk, gateway: Gateway) -> None:
    """Whoever holds a table is ended, and goes on with the restored database."""
    desk = backed_up
    write(desk)
    holding = desk.begin("BEGIN; UPDATE customer SET note = '' WHERE id = 1; SELECT pg_sleep(120)")
    try:
        desk.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE mode = 'RowExclusiveLock'"
                        " AND relation = 'customer'::regclass")  # fmt: skip
        with psycopg.connect(desk.url) as idle:
            idle.execute("SELECT count(*) FROM since")
            ended = replace(desk, gateway, 7)
            assert ended.status == 0, (ended.events, ended.said)
            with pytest.raises(psycopg.OperationalError):
                idle.execute("SELECT 1")
        assert holding.wait(30) != 0
    finally:
        holding.kill()
        holding.wait()
    assert desk.sql("SELECT note FROM customer WHERE id = 1") == [("n1",)]


def test_nobody_writes_after_the_backup(backed_up: Desk, gateway: Gateway) -> None:
    """From counting to the end writers wait: no row is lost that neither count nor backup knows."""
    desk = backed_up
    write(desk)
    psql = f'"$real/psql" --no-psqlrc --quiet "{desk.url}"'
    late = "SET lock_timeout = '200ms'; INSERT INTO customer VALUES (999, 'unseen', '')"
    tried = desk.place / "tried"
    script = f'{psql} -c "{late}" 2>>"{tried}"; exec "$real/pg_dump" "$@"'
    ended = replace(desk, gateway, 7, PATH=_path_with(desk.place, desk, "pg_dump", script))
    assert ended.status == 0, (ended.events, ended.said)
    # Before the dump of what is replaced, and before that of what takes its place.
    assert tried.read_text("utf-8").count("lock timeout") == 2


@pytest.mark.parametrize(
    ("heads", "told"),
    [
        (["3"], "the database lacks 3, which the image needs"),
        (["1"], "2 is the floor: older ones cannot read it; the image ends at 1"),
    ],
)
def test_version_that_runs_has_to_fit(
    desk: Desk, gateway: Gateway, heads: list[str], told: str
) -> None:
    """A backup from before its migration, or beyond a floor, is refused with the reason."""
    floor = "UPDATE monoyard_schema SET breaks = 'older ones cannot read it' WHERE revision = '2'"
    desk.sql(*HISTORY, floor)
    _prove(desk)
    desk.sql("INSERT INTO customer VALUES (900, 'late', '')")
    version = {**VERSION, "heads": heads}
    (desk.place / "version.json").write_text(json.dumps(version), "utf-8")
    (refused,) = events(plan(desk), "refused")
    message = f"the version that runs cannot live with this backup: {told}"
    assert (refused["status"], refused["message"]) == (18, message)
    ended = replace(desk, gateway, 1)
    assert (ended.status, ended.last["message"]) == (18, message)
    assert desk.sql("SELECT count(*) FROM customer") == [(201,)]


def test_what_no_restored_one_would_have_is_refused(backed_up: Desk, gateway: Gateway) -> None:
    """Large objects and publications are in no proof: the database is left alone, by name."""
    backed_up.sql("SELECT lo_create(0)", "CREATE PUBLICATION news FOR TABLE customer")
    ended = replace(backed_up, gateway, 0)
    assert ended.status == 19
    assert ended.last["message"] == "this cannot restore large objects, publication news"


def test_number_of_lost_rows_is_asked_for(backed_up: Desk, gateway: Gateway) -> None:
    """Without it nothing is done; neither without a second recipient."""
    words = [word for word in _saving(backed_up, 0) if not word.startswith("--lose")]
    ended = backed_up.run(*words, **gateway.variables())
    assert (ended.status, "--lose names how many rows are lost" in ended.said) == (2, True)
