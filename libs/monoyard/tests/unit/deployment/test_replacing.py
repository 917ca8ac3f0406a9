"""A whole database restored between deployments: told first, then done by who names the loss."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from monoyard.bindings.replacing import rows_to_lose
from monoyard.delivery import Lease, Object
from monoyard.delivery.objects import CONFIG_MAP, JOB, labels_of
from monoyard.deployment import Kept, Replacement, Runs
from monoyard.deployment.jobs import AHEAD, RUN_LABEL
from monoyard.errors import DeliveryError, LockedError, UsageError
from monoyard.report.deliveries import history_lines
from monoyard.report.replacements import planned_lines, replaced_lines

from .yard import NEW, Yard, digest

if TYPE_CHECKING:
    from monoyard.delivery import Record

TOOLS = f"registry.example/postgres@{digest('tools-1')}"
LOSSES: list[dict[str, Any]] = [
    {"event": "table", "name": "shop.orders", "now": 12, "backup": 10, "new": 3, "changed": 1,
     "gone": 1, "columns": [], "by": "key"},
    {"event": "table", "name": "notes", "now": 2, "backup": 2, "new": 1, "changed": 0, "gone": 1,
     "columns": ["late"], "by": "content"},
    {"event": "table", "name": "since", "now": 7, "backup": None, "new": 7, "changed": 0, "gone": 0,
     "columns": [], "by": "content"},
    {"event": "sequence", "name": "ids", "now": "12", "backup": ""},
    {"event": "only-now", "objects": ["view public.many"]},
    {"event": "losses", "rows": 12, "same": 4, "tables": 7},
]  # fmt: skip


@pytest.fixture
def shop(yard: Yard) -> Yard:
    """An environment whose last deployment backed one service up and migrated it."""
    yard.deploy()
    yard.back_up()
    yard.commits.migrations["api"] = {NEW: {"one"}}
    yard.jobs.wanted["api"] = ["r-one"]
    yard.deploy(NEW)
    yard.jobs.losses = LOSSES
    return yard


def _kept(yard: Yard, lease: Lease | None = None) -> Kept:
    timeouts = yard.crew().timeouts
    runs = Runs(yard.cluster, yard.clock, lambda: None, yard.told.append, timeouts)
    return Kept(yard.environment, yard.ledger, yard.releases, runs, "ab12", "jane@here", lease)


def _replace(yard: Yard, key: str, lose: int) -> Replacement:
    with yard.crew().holding(yard.cluster, "dev") as lease:
        return _kept(yard, lease).replace(key, lose)


def _key(yard: Yard, number: int = 2) -> str:
    record: Record = yard.ledger.read(number)
    entry = record.last("backup:api")
    assert entry is not None
    return str(entry.facts["key"])


def _named(job: Object) -> dict[str, Any]:
    pod = job["spec"]["template"]["spec"]
    return {item["name"]: item for item in (*pod["initContainers"], *pod["containers"])}


def test_plan_says_what_is_lost_and_what_to_type(shop: Yard) -> None:
    """Each table with its rows, what else is only there now, and the words; nothing is done."""
    kept = _kept(shop)
    found = kept.replace(kept.newest_of("api"), None)
    command = f"invoke backup.restore --env dev --whole --lose=12 --key {_key(shop)} -- api"
    now = datetime(2026, 11, 22, 12, 11, 12, tzinfo=UTC)
    assert list(planned_lines(found, command, now)) == [
        f"{_key(shop)}, taken 2026-11-22T10:11:12Z (2 h 0 min ago), revision r-zero, "
        "proven just now",
        "  table        now  backup  new  changed  come back",
        "  shop.orders   12      10    3        1          1",
        "  notes          2       2    1        -          1",
        "  since          7       -    7        0          0",
        "only now: columns late of notes",
        "sequence ids: 12 now, unused in the backup",
        "only now: view public.many",
        "as in the backup: 4 of 7 tables",
        "12 rows would be lost, 11 new and 1 changed since; 2 rows would come back",
        "nothing was changed; to put the backup in the place of the whole database, type",
        f"  {command}",
    ]
    (job,) = shop.jobs.asked
    assert _named(job)["replace"]["command"][-1] == "--plan"
    assert "backup-store" not in str(_named(job)["replace"])
    assert "monoyard.dev/environment" not in labels_of(job)


def test_each_container_has_what_it_needs_alone(shop: Yard) -> None:
    """The private key is with who restores, database and store with who replaces alone."""
    _replace(shop, _key(shop), 12)
    (job,) = shop.jobs.asked
    named = _named(job)
    assert list(named) == ["fetch", "server", "restore", "heads", "replace"]
    for name, container in named.items():
        text = str(container)
        assert ("monoyard-keys" in text) == (name == "restore")
        assert ("backup-store" in text) == (name in ("fetch", "replace"))
        assert ("api-database" in text) == (name == "replace")
        own = f"registry.example/api@{digest('api-2')}"
        assert container["image"] == (own if name == "heads" else TOOLS)
    variables = {item["name"]: item.get("value") for item in named["heads"]["env"]}
    assert variables["DATABASE_URL"] == "postgresql://monoyard@127.0.0.1:5432/postgres"
    words = named["replace"]["command"]
    assert words[words.index("--version") + 1] in str(named["heads"]["command"])
    assert words.count("--recipient") == 2
    assert {"service=api", "by=jane@here", f"before=restore of {_key(shop)}"} <= {*words}


def test_whole_database_is_restored(shop: Yard) -> None:
    """What was there is a backup of the service by itself, and nothing of the Job stays."""
    found = _replace(shop, _key(shop), 12)
    saved = shop.jobs.kept[-1]
    assert saved.startswith("dev/api/restore-")
    assert list(replaced_lines(found)) == [
        f"the database is now what {_key(shop)} has: 2 tables, revision r-zero",
        f"what it was until now, with 12 lost rows, is in {saved}",
    ]
    (_, line) = history_lines([shop.ledger.history()[0]])
    assert line.startswith(f"     restore:api from {_key(shop)} by jane@here at ")
    told = f": the whole database, with 12 lost rows; what it was before is in {saved}"
    assert line.endswith(told)
    left = [
        thing for kind in (JOB, *AHEAD) for thing in shop.cluster.list(kind, {})
        if RUN_LABEL in labels_of(thing)
    ]  # fmt: skip
    assert left == []


def test_another_number_is_told(shop: Yard) -> None:
    """Where somebody wrote since, the number of now is in the error, with what helps."""
    with pytest.raises(DeliveryError, match="12 rows, not 11") as error:
        _replace(shop, _key(shop), 11)
    assert error.value.code == "replacement-failed"
    assert "`--plan` tells what is lost by then" in str(error.value.hint)


def test_open_deployment_comes_first(shop: Yard) -> None:
    """While the newest deployment has not ended no database is replaced; it may be planned."""
    record = shop.cluster.get(CONFIG_MAP, "deployment-2")
    assert record is not None
    lines = record["data"]["entries"].splitlines(keepends=True)
    data = {**record["data"], "entries": "".join(lines[:-1])}
    shop.cluster.replace(CONFIG_MAP, {**record, "data": data})
    with pytest.raises(DeliveryError, match="deployment 2 of `dev` has not ended") as error:
        _replace(shop, _key(shop), 12)
    assert error.value.code == "deployment-open"
    assert shop.jobs.asked == []
    assert _kept(shop).replace(_key(shop), None).events


def test_job_that_lost_its_runner_is_waited_for(shop: Yard) -> None:
    """While it may still replace the database nobody else changes the environment."""
    job = shop.job_left_by(lambda: _replace(shop, _key(shop), 12))
    shop.cluster.create(JOB, job)
    with pytest.raises(LockedError, match="Job replace-ab12-api still runs"):
        Lease(shop.cluster, "dev", "taker", shop.clock).acquire(0, print)


def test_version_to_go_back_to_is_known(shop: Yard) -> None:
    """It is the completed deployment before the one that took the backup."""
    kept = _kept(shop)
    assert kept.before_backup(_key(shop)) == 1
    assert kept.before_backup("dev/api/9-x") == 0
    with pytest.raises(DeliveryError, match="no deployment to `dev` took a backup of web"):
        kept.newest_of("web")


@pytest.mark.parametrize(
    ("said", "how", "told"),
    [
        ("", {"is_whole": True, "is_planned": False}, "`--whole` needs `--lose`"),
        ("3", {"is_whole": False, "is_planned": False}, "`--lose` goes with `--whole`"),
        ("3", {"is_whole": True, "is_planned": True}, "use one of them"),
        ("all", {"is_whole": True, "is_planned": False}, "`--lose all` is no number of rows"),
        ("-1", {"is_whole": True, "is_planned": False}, "`--lose -1` is no number of rows"),
    ],
)
def test_loss_has_to_be_named(said: str, how: dict[str, bool], told: str) -> None:
    """A whole database is restored by who says how many rows that loses, and by nobody else."""
    with pytest.raises(UsageError, match=told):
        rows_to_lose(said, **how)


def test_named_loss_is_read() -> None:
    """A number is taken, nothing too; a plan has none."""
    assert rows_to_lose("12", is_whole=True, is_planned=False) == 12
    assert rows_to_lose("0", is_whole=True, is_planned=False) == 0
    assert rows_to_lose("", is_whole=True, is_planned=True) is None
