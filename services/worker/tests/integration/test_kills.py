"""Four workers, two thousand events, and kills at random moments."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from eventflow_worker.settings import WorkerSettings
from eventflow_worker.testing.event_tables import EventTables
from eventflow_worker.testing.notifications_server import NotificationsServer
from eventflow_worker.testing.nursery import Nursery

EVENTS = 2_000
TOLD_EVERY = 20
WORKERS = 4
KILLS = 8
LIMIT_SECONDS = 240.0
START = datetime(2026, 3, 1, tzinfo=UTC)


def documents() -> Iterator[dict[str, Any]]:
    """Yield the events: most are counted only, some are told to someone, over three hours."""
    for number in range(EVENTS):
        is_told = number % TOLD_EVERY == 0
        yield {
            "type": "user.registered" if is_told else "page.viewed",
            "version": 1,
            "source": "shop",
            "occurred_at": (START + timedelta(hours=number % 3)).isoformat(),
            "data": {
                "user_id": f"u-{number}",
                "email": f"u{number}@example.org",
                "path": "/",
                "visitor_id": "v-1",
            },
        }


def expected_counts() -> Counter[tuple[str, datetime]]:
    """Return what the counts must be when each event is counted exactly once."""
    return Counter(
        (document["type"], datetime.fromisoformat(document["occurred_at"]))
        for document in documents()
    )


class Fleet:
    """Workers that are replaced when they are killed."""

    def __init__(self, nursery: Nursery, variables: dict[str, str], luck: random.Random) -> None:
        self._nursery = nursery
        self._variables = variables
        self._luck = luck
        self._workers = [nursery.start(variables) for _ in range(WORKERS)]
        self.seen_working: set[int] = set()

    def holders(self, tables: EventTables) -> set[int]:
        """Return the process ids of the workers that hold events now."""
        held = tables.rows("SELECT DISTINCT locked_by FROM events.queue WHERE locked_by <> ''")
        found = {int(name.split(":")[1]) for (name,) in held} & set(self._workers)
        self.seen_working |= found
        return found

    def kill_one(self, holders: set[int]) -> None:
        """Kill one of these workers, and start another."""
        victim = self._luck.choice(sorted(holders))
        os.kill(victim, signal.SIGKILL)
        self._workers.remove(victim)
        self._workers.append(self._nursery.start(self._variables))


def test_each_effect_happens_exactly_once(settings: WorkerSettings, tables: EventTables) -> None:
    """Whoever is killed when: at the end every event is counted once and every notice noted."""
    luck = random.Random(20260301)  # noqa: S311 - a fixed seed, not a secret
    ids = tables.add(*documents())
    marks = sorted(luck.sample(range(EVENTS // 10, EVENTS), KILLS))
    end = time.monotonic() + LIMIT_SECONDS
    with NotificationsServer() as server, Nursery() as nursery:
        fleet = Fleet(nursery, variables_for(settings, server), luck)
        while (left := tables.queued()) > 0:
            assert time.monotonic() < end, f"{left} events are left"
            holders = fleet.holders(tables)
            if holders and marks and left <= marks[-1]:
                fleet.kill_one(holders)
                marks.pop()
            time.sleep(0.01)
    assert not marks, "the work was over before the last kill"
    assert len(fleet.seen_working) > WORKERS, "no replacement took part"
    told = [i for number, i in enumerate(ids) if number % TOLD_EVERY == 0]
    assert tables.dead_letters() == {}
    assert tables.counts() == expected_counts()
    assert tables.rows("SELECT effect, count(*) FROM events.effects GROUP BY 1 ORDER BY 1") == [
        ("counted", EVENTS),
        ("notified:user-registered", len(told)),
    ]
    assert {received.key for received in server.received} == {
        f"{event_id}.user-registered" for event_id in told
    }


def variables_for(settings: WorkerSettings, server: NotificationsServer) -> dict[str, str]:
    """Return the variables of a worker whose leases are short and whose attempts are many."""
    return {
        "PORT": "0",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "NOTIFICATIONS_TOKEN": settings.notifications_token.get_secret_value(),
        "NOTIFICATIONS_URL": server.url,
        "NOTIFICATIONS_TIMEOUT_SECONDS": "0.5",
        "LEASE_SECONDS": "1",
        "IDLE_PAUSE_SECONDS": "0.02",
        "FIRST_RETRY_SECONDS": "0.1",
        "MAX_ATTEMPTS": "100",
        "BATCH_SIZE": "20",
    }
