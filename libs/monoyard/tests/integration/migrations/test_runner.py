"""The runner on a real PostgreSQL, with the `env.py` of a foreign team."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from monoyard.migrations import SCRIPTS, Applied, fits

from .projects import ENV, Project
from .runner import Runner

TABLE = "CREATE TABLE orders (id bigint PRIMARY KEY, total int)"
FILL = "INSERT INTO orders SELECT n, n FROM generate_series(1, 100) n"


@pytest.fixture
def runner(project: Project, postgres_empty_url: str) -> Runner:
    """A runner for the project, on an empty database."""
    return Runner(project.place, postgres_empty_url)


def test_each_revision_is_applied_and_recorded(project: Project, runner: Runner) -> None:
    """Revisions are applied in order, each with a row that names its deployment and its floor."""
    project.sql("one", TABLE)
    project.sql("two", "ALTER TABLE orders ADD COLUMN memo text")
    ended = runner.run("--expect", "--floor=two=older versions leave it empty")
    assert ended.status == 0, ended
    assert [item["revision"] for item in ended.of("applied")] == ["one", "two"]
    rows = runner.ask(
        "SELECT revision, parents, breaks, deployment FROM monoyard_schema ORDER BY 1"
    )
    assert rows == [
        ("one", [], None, "d-1"), ("two", ["one"], "older versions leave it empty", "d-1"),
    ]  # fmt: skip
    again = runner.run()
    assert (again.status, len(again.of("already")), again.of("applied")) == (0, 1, [])


def test_failing_revision_stops_and_takes_itself_back(project: Project, runner: Runner) -> None:
    """A revision that fails leaves nothing of itself; those before it stay, those after wait."""
    project.sql("one", TABLE)
    project.sql("two", "ALTER TABLE orders ADD COLUMN memo text", "SELECT 1 / 0")
    project.sql("three", "CREATE TABLE never (id int)")
    ended = runner.run()
    assert ended.status == 6, ended
    assert ended.of("failed")[0]["sqlstate"] == "22012"
    assert runner.ask("SELECT version_num FROM alembic_version") == [("one",)]
    assert runner.ask("SELECT revision FROM monoyard_schema") == [("one",)]
    columns = runner.ask("SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass")
    assert ("memo",) not in columns


def test_table_in_use_is_given_up_and_tried_again(
    project: Project, runner: Runner, until: Callable[..., bool]
) -> None:
    """A revision that cannot have its lock gives up, so that others go on, and comes back."""
    project.sql("one", TABLE)
    assert runner.run().status == 0
    project.sql("two", "ALTER TABLE orders ADD COLUMN memo text")
    with psycopg.connect(runner.url) as reader:
        reader.execute("SELECT count(*) FROM orders")
        child = runner.start("--lock-timeout=0.2", "--attempts=1000")
        try:
            assert until(runner.waits)
            # Who comes behind the waiting revision is served once that has given up.
            assert runner.ask("SELECT count(*) FROM orders") == [(0,)]
            line = ""
            while '"retry"' not in line:
                assert child.stdout is not None
                line = child.stdout.readline()
                assert line, "it ended without a second attempt"
        finally:
            reader.rollback()
        ended = runner.end(child)
    assert json.loads(line)["sqlstate"] == "55P03"
    assert ended.status == 0, ended


def test_lock_that_is_never_free_ends_with_its_own_status(project: Project, runner: Runner) -> None:
    """After the last attempt the exit status says that a lock was missing, and nothing changed."""
    project.sql("one", TABLE)
    assert runner.run().status == 0
    project.sql("two", "ALTER TABLE orders ADD COLUMN memo text")
    with psycopg.connect(runner.url) as reader:
        reader.execute("SELECT count(*) FROM orders")
        ended = runner.run("--lock-timeout=0.05", "--attempts=3")
        reader.rollback()
    assert ended.status == 5, ended
    assert len(ended.of("retry")) == 2
    assert runner.ask("SELECT version_num FROM alembic_version") == [("one",)]


def test_two_at_once_apply_everything_once(project: Project, runner: Runner) -> None:
    """Of two runs at the same time one applies a revision, and the other sees that it is there."""
    project.sql("one", TABLE)
    project.sql("two", FILL, "SELECT pg_sleep(1)")
    children = [runner.start(deployment=name) for name in ("d-1", "d-2")]
    ended = [runner.end(child) for child in children]
    assert [item.status for item in ended] == [0, 0], ended
    assert runner.ask("SELECT count(*) FROM orders") == [(100,)]


def test_held_lock_is_waited_for_and_then_told(project: Project, runner: Runner) -> None:
    """A run that cannot have the migrations' lock waits for a bounded time, and says so."""
    project.sql("one", TABLE)
    key = "SELECT pg_advisory_lock(hashtextextended('monoyard migrations None.alembic_version', 0))"
    with runner.connection() as holder:
        holder.execute(key)
        ended = runner.run("--wait=0.5")
    assert ended.status == 3, ended
    assert ended.of("waiting")
    assert runner.run().status == 0


def test_other_heads_than_planned_are_refused(project: Project, runner: Runner) -> None:
    """A database that moved since the plan is left alone; what the same deployment did is not."""
    project.sql("one", TABLE)
    assert runner.run(deployment="d-1").status == 0
    project.sql("two", "CREATE TABLE more (id int)")
    other = runner.run("--expect", deployment="d-2")
    assert other.status == 4, other
    same = runner.run("--expect", deployment="d-1")
    assert same.status == 0, same
    assert same.of("resumed")[0]["applied"] == ["one"]


def test_no_more_is_applied_than_was_planned(project: Project, runner: Runner) -> None:
    """A database that lacks more than the plan knows of is left alone, with a status of its own."""
    project.sql("one", "CREATE TABLE a (id int)")
    project.sql("two", "CREATE TABLE b (id int)")
    refused = runner.run("--only=two")
    assert refused.status == 4, refused
    assert "it also lacks one" in refused.of("failed")[0]["message"]
    assert runner.ask("SELECT to_regclass('a')") == [(None,)]
    assert runner.run("--only=one", "--only=two", "--only=three").status == 0
    assert runner.run("--only=two").status == 0


def test_only_the_server_that_is_meant_is_touched(project: Project, runner: Runner) -> None:
    """What is to be tried on a copy never reaches another server, wherever `env.py` connects to."""
    project.sql("one", TABLE)
    refused = runner.run("--cluster=prove-7-api")
    assert refused.status == 8, refused
    assert "not to the copy `prove-7-api`" in refused.of("failed")[0]["message"]
    assert not refused.of("locked")
    assert runner.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    (name,) = runner.ask("SHOW cluster_name")[0]
    assert runner.run(f"--cluster={name}").status == 0


def test_statement_may_not_run_for_ever(project: Project, runner: Runner) -> None:
    """A statement is ended after its timeout, and the revision is taken back."""
    project.sql("one", TABLE, "SELECT pg_sleep(600)")
    ended = runner.run("--statement-timeout=0.5")
    assert (ended.status, ended.of("failed")[0]["sqlstate"]) == (6, "57014"), ended


def test_index_is_built_concurrently_without_those_limits(
    project: Project, runner: Runner, until: Callable[..., bool]
) -> None:
    """CONCURRENTLY waits for writers longer than both timeouts, while others write."""
    project.sql("one", TABLE)
    project.autocommit("two", "CREATE INDEX CONCURRENTLY i ON orders (total)")
    assert runner.run("--to=one").status == 0
    with psycopg.connect(runner.url) as writer:
        writer.execute("INSERT INTO orders VALUES (1, 1)")
        child = runner.start("--lock-timeout=0.5", "--statement-timeout=2", "--attempts=1")
        assert until(runner.waits)
        runner.ask("INSERT INTO orders VALUES (2, 2)")
        runner.ask("SELECT pg_sleep(3)")  # longer than both timeouts
        writer.commit()
        ended = runner.end(child)
    assert ended.status == 0, ended
    assert runner.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == [
        (True,)
    ]


def test_invalid_index_of_an_earlier_attempt_is_removed(project: Project, runner: Runner) -> None:
    """An attempt past its deadline leaves an invalid index; the next one builds it anew."""
    project.sql("one", TABLE)
    project.autocommit("two", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (total)")
    assert runner.run("--to=one").status == 0
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"
    with psycopg.connect(runner.url) as writer:
        writer.execute("INSERT INTO orders VALUES (1, 1)")
        ended = runner.run("--deadline=3")
        assert ended.status == 6, ended
        writer.commit()
    assert runner.ask(valid) == [(False,)]
    again = runner.run()
    assert again.status == 0, again
    assert again.of("invalid-index")[0]["index"] == "public.i"
    assert runner.ask(valid) == [(True,)]


def test_what_was_committed_on_the_way_is_not_done_twice(project: Project, runner: Runner) -> None:
    """A revision that committed something before it missed a lock is not tried again by itself."""
    project.sql("one", TABLE, FILL)
    project.autocommit(
        "two", "UPDATE orders SET total = total + 1 WHERE id = 1",
        "ALTER TABLE orders ADD COLUMN memo text",
    )  # fmt: skip
    assert runner.run("--to=one").status == 0
    with psycopg.connect(runner.url) as reader:
        reader.execute("SELECT count(*) FROM orders")
        ended = runner.run("--lock-timeout=0.2")
        reader.rollback()
    assert ended.status == 5, ended
    assert ended.of("retry") == []
    assert runner.ask("SELECT total FROM orders WHERE id = 1") == [(2,)]


def test_stop_takes_the_revision_back(
    project: Project, runner: Runner, until: Callable[..., bool]
) -> None:
    """SIGTERM cancels what runs in the database, and leaves no session and no lock."""
    project.sql("one", TABLE, "SELECT pg_sleep(600)")
    child = runner.start("--statement-timeout=1000")
    sleeping = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event = 'PgSleep'"
    )
    assert until(lambda: runner.ask(sleeping))
    child.send_signal(signal.SIGTERM)
    ended = runner.end(child)
    assert ended.status == 143, ended
    assert runner.ask("SELECT to_regclass('orders') IS NULL") == [(True,)]
    assert until(lambda: not runner.ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"))


@pytest.mark.parametrize("each", [True, False])
def test_what_is_removed_has_to_be_as_in_the_backup(
    project: Project, runner: Runner, tmp_path: Path, each: bool
) -> None:
    """A losing revision runs where what it removes equals the backup, and stops elsewhere."""
    env = ENV.replace('"target_metadata": None', f'"transaction_per_migration": {each}')
    (project.place / "migrations" / "env.py").write_text(env, encoding="utf-8")
    project.sql("one", TABLE, FILL)
    assert runner.run().status == 0
    manifest = tmp_path / "manifest.json"
    manifest.write_text(_manifest(runner.url), encoding="utf-8")
    project.sql("two", "ALTER TABLE orders DROP COLUMN total")
    words = ("--guard=two=orders.total", f"--manifest={manifest}")
    runner.ask("UPDATE orders SET total = 7 WHERE id = 9")
    ended = runner.run(*words)
    assert ended.status == 7, ended
    assert "orders.total: as many as in the backup, with other content" in str(ended.events)
    runner.ask("UPDATE orders SET total = 9 WHERE id = 9")
    runner.ask("INSERT INTO orders (id) VALUES (1000)")  # another column's new values
    ended = runner.run(*words)
    assert ended.status == 0, ended
    assert ended.of("equals-backup")[0]["objects"] == ["orders.total"]


def _manifest(url: str) -> str:
    done = subprocess.run(
        (sys.executable, str(SCRIPTS), "manifest"), env={**os.environ, "DATABASE_URL": url},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def test_models_that_differ_are_told(project: Project, runner: Runner) -> None:
    """Drift between models and database is found; the ledger's own table is none."""
    env = ENV.replace(
        '"target_metadata": None',
        '"target_metadata": sa.MetaData()',
    )
    (project.place / "migrations" / "env.py").write_text(env, encoding="utf-8")
    project.revision("one")
    assert runner.run("--check-drift").status == 0
    project.sql("two", TABLE)
    ended = runner.run("--check-drift")
    assert ended.status == 9, ended
    assert "remove_table" in ended.of("drift")[0]["difference"]


def test_no_database_and_no_project_have_a_status(project: Project, tmp_path: Path) -> None:
    """What cannot even begin ends with a status of its own, as one JSON line."""
    project.sql("one", TABLE)
    nowhere = Runner(project.place, "postgresql://nobody@127.0.0.1:1/none").run()
    assert (nowhere.status, len(nowhere.of("failed"))) == (8, 1), nowhere
    (tmp_path / "empty").mkdir()
    nothing = Runner(tmp_path / "empty", "postgresql://nobody@127.0.0.1:1/none").run()
    assert (nothing.status, len(nothing.of("failed"))) == (8, 1), nothing


def test_image_fits_by_floor_and_minimum() -> None:
    """An image fits where its minimum is there, and no revision after its head raises the floor."""
    rows = [Applied("1"), Applied("2", ("1",)), Applied("3", ("2",), "required"),
            Applied("4", ("3",))]  # fmt: skip
    assert fits(rows, ["4"], head="4").fits
    assert fits(rows, ["4"], head="3").fits  # the database is ahead
    assert not fits(rows, ["4"], head="2").fits  # below the floor
    assert fits(rows[:2], ["2"], head="1").fits
    assert fits(rows[:2], ["2"], head="3", minimum="2").fits  # behind, but enough
    assert not fits(rows[:2], ["2"], head="3").fits
    assert not fits(rows[:2], ["2"], head="4", minimum="3").fits
    assert fits([], ["3"], head="3").fits  # migrated without a record
    assert not fits([], ["2"], head="3").fits
    assert not fits(rows[:1], ["2"], head="1").fits  # the record is behind
    branches = [Applied("a"), Applied("b", ("a",), "gone"), Applied("c", ("a",))]
    assert not fits(branches, ["b", "c"], head="c").fits  # applied before, but not known to it
    assert "b is the floor: gone" in fits(branches, ["b", "c"], head="c").why
