"""Migrations of a real database: backed up, proven, applied, refused, and what was lost back."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from .clone import ENVIRONMENT, NAMESPACE, Clone, Deployed, await_words
from .machine import main_process, tiny_disk
from .site import Site

FAILED = 40
ROWS = 500
KEPT = "identity.keepsakes"
REVISIONS = "services/identity/migrations/versions"
REVISION = '''\
"""{words}"""

from alembic import op

revision = "{number}"
down_revision = "{before}"
branch_labels = None
depends_on = None
monoyard = {{{said}}}


def upgrade() -> None:
    """Do it."""
    op.execute("{sql}")


def downgrade() -> None:
    """Nobody goes back here."""
    raise NotImplementedError
'''
UNUSED = '"breaks": "no version ever used it"'


def prepare(clone: Clone, sql: str, said: str = "") -> None:
    """Commit the next revision of identity, and publish it."""
    number = newest_revision(clone) + 1
    text = REVISION.format(
        words="A revision of a test.", number=f"{number:04}", before=f"{number - 1:04}", sql=sql,
        said=said,
    )  # fmt: skip
    (clone.top / REVISIONS / f"{number:04}_test.py").write_text(text, "utf-8")
    clone.commit(f"Revision {number:04}")
    clone.nox("publish", "identity", "postgres")


def newest_revision(clone: Clone) -> int:
    """Return the number of identity's newest revision."""
    return max(int(path.name[:4]) for path in (clone.top / REVISIONS).glob("[0-9]*.py"))


def migrate(clone: Clone, sql: str, said: str = "") -> Deployed:
    """Commit the next revision of identity, publish and deploy it."""
    prepare(clone, sql, said)
    return clone.deploy("--", "identity")


@pytest.fixture(scope="module")
def kept(clone: Clone, site: Site, first: Deployed) -> Clone:
    """The environment with a table that no version uses, and rows in it."""
    assert first.outcome == "completed", first.text
    done = migrate(clone, f"CREATE TABLE {KEPT} (id bigint PRIMARY KEY, word text NOT NULL)")
    assert done.outcome == "completed", done.text
    said = f"INSERT INTO {KEPT} SELECT n, md5(n::text) FROM generate_series(1, {ROWS}) AS n"
    site.sql("identity", said)
    return clone


def contents(site: Site) -> str:
    """Return what the table holds, as one sum."""
    asked = f"SELECT count(*) || ' ' || sum(hashtext(k::text)) FROM {KEPT} AS k"
    return site.sql("identity", asked).strip()


def test_losing_migration(kept: Clone, site: Site) -> None:
    """The backup is proven first, the copy migrated, and what was lost comes back, every row."""
    before = contents(site)
    said = f'"accept": {{"loses": "nobody wants it"}}, "deny": {{{UNUSED}}}'
    done = migrate(kept, f"DROP TABLE {KEPT}", said)
    assert done.outcome == "completed", done.text
    steps = [step for step in done.steps if step.endswith(":identity")]
    assert steps[:3] == ["backup:identity", "prove:identity", "migrate:identity"]
    for version in ("the running version", "the new version"):
        assert f"identity: tried version {version}" in done.text
    assert not site.sql("identity", f"SELECT to_regclass('{KEPT}')").strip()
    assert "proven" in kept.invoke("backup.list", f"--env={ENVIRONMENT}").splitlines()[0]
    restore = ("backup.restore", f"--env={ENVIRONMENT}")
    assert KEPT in kept.invoke(*restore, "--plan", "--", "identity")
    assert f"{ROWS} rows" in kept.invoke(*restore, "--", "identity")
    assert contents(site) == before


@pytest.mark.full
def test_migration_waits_for_its_lock(kept: Clone, site: Site) -> None:
    """While somebody uses the table it gives up, tries again, and is applied in the end."""
    prepare(kept, f"ALTER TABLE {KEPT} ADD COLUMN note text")
    holding = site.psql_argv(
        "identity", f"BEGIN; LOCK TABLE {KEPT} IN ACCESS SHARE MODE; SELECT pg_sleep(60); COMMIT"
    )
    with subprocess.Popen(holding, stdout=subprocess.DEVNULL) as process:
        done = kept.deploy("--", "identity")
        assert process.wait() == 0
    assert done.outcome == "completed", done.text
    assert "identity: retry" in done.text
    assert site.sql("identity", f"SELECT count(note) FROM {KEPT}").strip() == "0"


@pytest.mark.full
def test_failing_migration_stops_before_anything_is_sent(kept: Clone, site: Site) -> None:
    """What runs goes on, and the message says what PostgreSQL said."""
    good, before = kept.git("rev-parse", "HEAD"), site.versions()
    said = '"deny": {"opaque": "it fails"}'
    failed = migrate(kept, "SELECT 1 / (SELECT count(*) - count(*) FROM pg_class)", said)
    kept.git("reset", "--quiet", "--hard", good)
    assert (failed.code, failed.outcome) == (FAILED, "went-back"), failed.text
    assert "division by zero" in failed.text
    assert site.versions() == before
    assert "upgrade:identity" not in failed.steps


def test_migration_that_nobody_accepted(kept: Clone, site: Site) -> None:
    """One that loses data, or that the running version cannot live with, is refused in the plan."""
    good, before = kept.git("rev-parse", "HEAD"), site.versions()
    refused = migrate(kept, "DROP TABLE identity.revoked_tokens")
    kept.git("reset", "--quiet", "--hard", good)
    assert (refused.code, refused.outcome) == (FAILED, ""), refused.text
    assert "loses data" in refused.text
    assert site.versions() == before
    assert site.sql("identity", "SELECT to_regclass('identity.revoked_tokens')").strip()


@pytest.mark.full
def test_reviewer_was_wrong(kept: Clone, site: Site) -> None:
    """What is said to break nobody is tried by who runs, on the copy, before the database."""
    good, before = kept.git("rev-parse", "HEAD"), site.versions()
    said = f'"accept": {{"loses": "nobody wants it"}}, "deny": {{{UNUSED}}}'
    failed = migrate(kept, "DROP TABLE identity.revoked_tokens", said)
    kept.git("reset", "--quiet", "--hard", good)
    assert (failed.code, failed.outcome) == (FAILED, "went-back"), failed.text
    assert "the running version does not work with the migrated copy" in failed.text
    assert site.versions() == before
    assert site.sql("identity", "SELECT to_regclass('identity.revoked_tokens')").strip()
    assert "migrate:identity" not in failed.steps


@pytest.mark.full
def test_one_lost_key_is_not_every_backup_lost(kept: Clone, site: Site) -> None:
    """Without the key in the cluster no backup can be verified; the one kept outside restores."""
    verify = ("backup.verify", f"--env={ENVIRONMENT}")
    secret = site.get("secret", "backup-identity")
    for word in ("resourceVersion", "uid", "creationTimestamp"):
        secret["metadata"].pop(word, None)
    assert secret["metadata"]["namespace"] == NAMESPACE
    outside = (site.directory / "backup-outside.key").read_text("utf-8")
    assert site.secret("backup-identity", "identity") != outside
    site.kubectl("delete", "secret", "backup-identity")
    try:
        refused = kept.try_invoke(*verify)
        assert refused.returncode != 0
        assert "backup-identity" in refused.stdout, refused.stdout
        site.apply({**secret, "data": None, "stringData": {"identity": outside}})
        assert "restores to what was backed up" in kept.invoke(*verify)
    finally:
        site.kubectl("delete", "secret", "backup-identity", "--ignore-not-found")
        site.apply(secret)
    assert "restores to what was backed up" in kept.invoke(*verify)


@pytest.mark.full
def test_full_store_stops_before_the_migration(kept: Clone, site: Site) -> None:
    """A backup for which there is no room is told, and neither database nor service changes."""
    before = site.versions()
    prepare(kept, f"ALTER TABLE {KEPT} ADD COLUMN remark text")
    with tiny_disk(main_process(site, "platform", "app=object-store"), f"/data/{NAMESPACE}"):
        failed = kept.deploy("--", "identity")
    assert (failed.code, failed.outcome) == (FAILED, "went-back"), failed.text
    assert "No space left" in failed.text
    assert "make room in the store" in failed.text
    assert site.versions() == before
    assert "remark" not in columns(site)
    done = kept.deploy("--", "identity")
    assert done.outcome == "completed", done.text
    assert "remark" in columns(site)


@pytest.mark.full
def test_database_is_restarted_under_a_migration(kept: Clone, site: Site) -> None:
    """The migration is told as failed and left no trace; the next deployment applies it."""
    before = site.versions()
    column = f"ALTER TABLE {KEPT} ADD COLUMN late text; SELECT pg_sleep(5)"
    prepare(kept, column, '"deny": {"opaque": "it only takes its time"}')
    with kept.deploying("--", "identity") as process:
        await_words(process, "migrate:identity begun")
        site.await_query("identity", "pg_sleep")
        os.kill(main_process(site, "platform", "app=postgres"), signal.SIGINT)
        failed = kept.finish(process)
    assert (failed.code, failed.outcome) == (FAILED, "went-back"), failed.text
    assert site.versions() == before
    assert "late" not in columns(site)
    done = kept.deploy("--", "identity")
    assert done.outcome == "completed", done.text
    assert "late" in columns(site)


@pytest.mark.full
def test_killed_at_every_step_of_the_data(kept: Clone, site: Site) -> None:
    """`kill -9` around backup, proof and migration in turn: each is adopted, none is done twice."""
    said = f'"accept": {{"loses": "nobody wants it"}}, "deny": {{{UNUSED}}}'
    prepare(kept, f"ALTER TABLE {KEPT} DROP COLUMN late", said)
    listed = ("backup.list", f"--env={ENVIRONMENT}")
    before = kept.invoke(*listed).splitlines()
    words: tuple[str, ...] = ("--", "identity")
    for step in ("backup", "prove", "migrate"):
        for state in ("begun", "done"):
            with kept.deploying(*words) as process:
                await_words(process, f"{step}:identity {state}")
                os.killpg(process.pid, signal.SIGKILL)
            words = ("--resume",)
    done = kept.deploy(*words)
    assert (done.code, done.outcome) == (0, "completed"), done.text
    assert len(done.steps) == len(set(done.steps))
    assert {"backup:identity", "prove:identity", "migrate:identity"} <= set(done.steps)
    assert "late" not in columns(site)
    after = kept.invoke(*listed).splitlines()
    assert len([line for line in after if line not in before]) == 1, (before, after)
    assert not site.holder()


@pytest.mark.full
def test_whole_database_is_restored(kept: Clone, site: Site) -> None:
    """By who names the rows that are lost, to the version that the backup is of; it goes on."""
    restore = ("backup.restore", f"--env={ENVIRONMENT}", "--whole")
    place = kept.top.parent / "losses.json"
    refused = kept.try_invoke(*restore, "--plan", "--", "identity")
    assert refused.returncode == FAILED, refused.stdout
    assert "invoke rollback" in refused.stdout
    kept.invoke("rollback", f"--env={ENVIRONMENT}")
    site.sql("identity", f"INSERT INTO {KEPT} (id, word) VALUES (-1, 'since')")
    kept.invoke(*restore, "--plan", f"--json={place}", "--", "identity")
    planned = json.loads(place.read_bytes())
    (lost,) = (event for event in planned["events"] if event.get("name") == KEPT)
    assert (lost["new"], lost["gone"]) == (1, 0)
    wrong = kept.try_invoke(*restore, "--lose=0", "--", "identity")
    assert wrong.returncode == FAILED, wrong.stdout
    assert "new or changed since the backup by now, not 0" in wrong.stdout
    assert "late" not in columns(site)
    done = kept.invoke(*restore, f"--lose={planned['rows']}", "--", "identity")
    assert f"revision {newest_revision(kept) - 1:04}" in done
    assert "late" in columns(site)
    assert contents(site).split()[0] == str(ROWS)
    assert site.sign_in()
    assert "/restore-" in kept.invoke("backup.list", f"--env={ENVIRONMENT}")
    told = f": the whole database, with {planned['rows']} lost row"
    assert told in kept.invoke("history", f"--env={ENVIRONMENT}")
    again = kept.deploy("--again", "--", "identity")
    assert again.outcome == "completed", again.text
    assert "late" not in columns(site)


def columns(site: Site) -> set[str]:
    """Return the names of the table's columns."""
    asked = f"SELECT attname FROM pg_attribute WHERE attrelid = '{KEPT}'::regclass AND attnum > 0"
    return set(site.sql("identity", asked).split())
