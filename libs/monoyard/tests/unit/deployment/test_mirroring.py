"""The ledger's mirror: every entry beside the backups, and no deployment stopped by it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from monoyard.config.environment_values import DataPolicy, StoreSettings
from monoyard.delivery import Record
from monoyard.delivery.objects import CONFIG_MAP, DEPLOYMENT, JOB, Object, new
from monoyard.deployment.jobs import POLICY, ROLE_LABEL
from monoyard.deployment.mirror_settings import HEADER, decide_mirror, record_of
from monoyard.deployment.mirroring import in_background
from monoyard.errors import ClusterError, DeliveryError, LeaseLostError

from .yard import NEW, OLD, Yard, at_once, digest

STORE = StoreSettings("http://store.example:9000", "shop")


@pytest.fixture
def yard() -> Yard:
    """An environment with a store, whose ledger is mirrored after each entry."""
    yard = Yard()
    yard.back_up()
    yard.mirroring = at_once
    return yard


def mirrored(yard: Yard) -> list[Record]:
    """Return the records of the store."""
    return [record_of(item) for item in yard.jobs.mirrored.values()]


def left(yard: Yard) -> list[Object]:
    """Return what is left in the cluster of the mirror."""
    role = {ROLE_LABEL: "mirror"}
    return [item for kind in (JOB, CONFIG_MAP, POLICY) for item in yard.cluster.list(kind, role)]


def test_every_entry_is_in_the_store(yard: Yard) -> None:
    """Header, entries and outcome are there, under the environment, the number and the time."""
    record = yard.deploy()
    [key] = yard.jobs.mirrored
    at = "".join(letter for letter in record.header["at"] if letter.isalnum())
    assert key == f"dev/ledger/1-{at}.json"
    [found] = mirrored(yard)
    assert (found.number, found.header, found.entries) == (1, record.header, record.entries)
    assert found.outcome == "completed"
    assert left(yard) == []


def test_entry_is_there_before_the_next_is_written(yard: Yard) -> None:
    """What a kill leaves is in the store but for the entry that it came upon."""

    def kill() -> None:
        if "api" in yard.phases():
            yard.clock.happenings.remove(kill)
            raise KeyboardInterrupt

    yard.clock.happenings.append(kill)
    with pytest.raises(KeyboardInterrupt):
        yard.deploy()
    [open_record] = yard.ledger.history()
    [found] = mirrored(yard)
    assert found.outcome == "open"
    assert found.entries == open_record.entries[: len(found.entries)]
    assert len(open_record.entries) - len(found.entries) <= 1


def test_job_holds_no_credentials_and_reaches_the_store_alone(yard: Yard) -> None:
    """Its pod is told names of Secrets, has no account of the cluster, and one way out."""
    seen: list[Object] = []
    policies: list[Object] = []

    def look() -> None:
        seen.extend(yard.cluster.list(JOB, {ROLE_LABEL: "mirror"}))
        policies.extend(yard.cluster.list(POLICY, {ROLE_LABEL: "mirror"}))

    yard.clock.happenings.insert(0, look)
    yard.deploy()
    pod = seen[0]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["image"] == f"registry.example/postgres@{digest('tools-1')}"
    secrets = [item["valueFrom"] for item in container["env"] if "valueFrom" in item]
    assert {item["secretKeyRef"]["name"] for item in secrets} == {"backup-store"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsNonRoot"] is True
    spec = policies[0]["spec"]
    assert spec["podSelector"]["matchLabels"] == seen[0]["spec"]["template"]["metadata"]["labels"]
    assert [rule["ports"][0]["port"] for rule in spec["egress"]] == [9000, 53]


def test_store_that_fails_stops_nothing_and_is_told_once(yard: Yard) -> None:
    """The deployment ends as it would; why is told, and the next entry tries again."""
    yard.jobs.bad_mirror = (11, "the store does not answer")
    assert yard.deploy().outcome == "completed"
    told = [line for line in yard.told if "ledger" in line]
    assert told == [
        "the ledger is not mirrored: mirroring the ledger failed (status 11): the store does not "
        "answer; tried again with the next step"
    ]
    assert yard.jobs.mirrored == {}
    assert left(yard) == []


def test_what_is_left_is_mirrored_with_the_next_entry(yard: Yard) -> None:
    """A store that answers again gets all that it lacks, of earlier deployments as well."""
    yard.jobs.bad_mirror = (11, "the store does not answer")
    yard.deploy()

    def mend() -> None:
        if "upgrade:api done" in yard.told[-20:] and len(yard.ledger.history()) == 2:
            yard.jobs.bad_mirror = (0, "")

    yard.clock.happenings.append(mend)
    yard.deploy(NEW)
    assert sorted(item.number for item in mirrored(yard)) == [1, 2]
    assert {item.outcome for item in mirrored(yard)} == {"completed"}
    assert "the ledger is mirrored again" in yard.told


def test_rollback_and_failure_are_mirrored(yard: Yard) -> None:
    """Going back asks no registry: what mirrored last does it; a failure has its reason there."""
    yard.deploy()
    yard.argo.bad.add(digest("api-2"))
    with pytest.raises(DeliveryError):
        yard.deploy(NEW)
    yard.images.published.clear()
    by_number = {item.number: item for item in mirrored(yard)}
    assert by_number[2].outcome == "went-back"
    assert (by_number[2].failure or "").startswith("rollout:api: ")
    yard.argo.bad.clear()
    yard.go_back(1)
    assert yard.ledger.history()[0].number in {item.number for item in mirrored(yard)} | {2}


def test_pod_that_sees_an_older_record_is_tried_again(yard: Yard) -> None:
    """A mounted record may be behind the one that was written; that is not taken for mirrored."""
    put = yard.jobs._put_records  # noqa: SLF001  the fake's own
    behind = ["once"]

    def stale(job: Object) -> dict[str, int]:
        counts = put(job)
        if not any(counts.values()) or not behind:
            return counts
        behind.clear()
        return dict.fromkeys(counts, 0)

    yard.jobs._put_records = stale  # type: ignore[method-assign]  # noqa: SLF001
    yard.deploy()
    assert any("the pod saw an older record of deployment 1" in line for line in yard.told)
    assert "the ledger is mirrored again" in yard.told


@pytest.mark.parametrize(
    ("data", "image"),
    [
        (DataPolicy(backup="never"), None),
        (DataPolicy(backup="never", store=STORE), None),
        (DataPolicy(backup="never", store=STORE, image="postgres"), "postgres"),
        (DataPolicy(backup="never", store=STORE, image="x@sha256:" + "a" * 64), "x"),
        (DataPolicy(backup="never", store=STORE, image="nobody"), None),
    ],
)
def test_mirror_is_where_a_store_and_an_image_are(data: DataPolicy, image: str | None) -> None:
    """Backups may be never; without a store or an image nothing is mirrored, nor refused."""
    yard = Yard()
    yard.images.publish(OLD, postgres="tools-1")
    yard.data = data
    found = decide_mirror(yard.world, yard.plan())
    named = None if found is None else found.image.partition("@")[0].rpartition("/")[2]
    assert named == image


def test_image_that_is_refused_leaves_it_to_the_last_one(yard: Yard) -> None:
    """An image that the policy does not accept is not run for this either."""
    first = yard.deploy()
    yard.images.publish(NEW, postgres="tools-2")
    yard.images.refused.add(digest("tools-2"))
    found = decide_mirror(yard.world, yard.plan(NEW))
    assert found is not None
    assert found.image == first.header[HEADER]["image"]


def test_pod_is_let_in_as_others_are(yard: Yard) -> None:
    """What every pod of the namespace needs, such as a Secret for pulling, it has as well."""
    spec = {"imagePullSecrets": [{"name": "registry"}], "containers": []}
    yard.cluster.create(DEPLOYMENT, new(DEPLOYMENT, "old", spec={"template": {"spec": spec}}))
    seen: list[Object] = []
    yard.clock.happenings.insert(
        0, lambda: seen.extend(yard.cluster.list(JOB, {ROLE_LABEL: "mirror"}))
    )
    yard.deploy()
    assert seen[0]["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]


class Slow:
    """What puts records, and waits in between for a test."""

    def __init__(self) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()
        self.put: list[list[int]] = []

    def __call__(self, records: Collection[Record]) -> None:
        """Put records, as their numbers of entries."""
        self.began.set()
        assert self.may_end.wait(30)
        self.put.append([len(item.entries) for item in records])


def record(entries: int, number: int = 1) -> Record:
    """Return a record with some entries."""
    said: Mapping[str, Any] = {"step": "x", "state": "done", "at": "", "token": 1, "facts": {}}
    return record_of({"number": number, "header": {"at": "now"}, "entries": [said] * entries})


def test_nothing_waits_for_the_mirror() -> None:
    """While one Job is under way entries gather, and the next one has all of them."""
    slow = Slow()
    told: list[str] = []
    with in_background(slow, told.append) as note:
        note(record(1))
        assert slow.began.wait(30)
        for count in (2, 3, 4):
            note(record(count))
        slow.may_end.set()
    assert slow.put[0] == [1]
    assert slow.put[-1] == [4]
    assert len(slow.put) <= 3
    assert told == []


def test_end_does_not_wait_for_ever() -> None:
    """A mirror that hangs is told at the end; who interrupts waits for nothing."""
    slow = Slow()
    told: list[str] = []
    with in_background(slow, told.append, last_seconds=0.01) as note:
        note(record(1))
    assert told == ["the ledger is not mirrored to its end: the next deployment sees to that"]

    def interrupt() -> None:
        with in_background(slow, told.append) as note:
            note(record(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    slow.may_end.set()


def test_runner_that_lost_the_environment_leaves_the_mirror_to_the_other() -> None:
    """What it has not mirrored yet is nothing that it may write any more."""
    slow = Slow()
    told: list[str] = []

    def lose() -> None:
        with in_background(slow, told.append) as note:
            note(record(1))
            assert slow.began.wait(30)
            note(record(2))
            raise LeaseLostError("somebody else has it")

    with pytest.raises(LeaseLostError):
        lose()
    slow.may_end.set()
    for thread in threading.enumerate():
        if thread.name == "mirror":
            thread.join(30)
    assert (slow.put, told) == ([[1]], [])


def test_fault_of_the_mirror_is_told_and_kept_to_itself() -> None:
    """Whatever goes wrong there, whoever writes the ledger never meets it."""
    faults: list[Exception] = [ValueError("ours"), ClusterError("no turn")]

    def put(records: Collection[Record]) -> None:
        del records
        if faults:
            raise faults.pop()

    told: list[str] = []
    with at_once(put, told.append) as note:
        for count in (1, 2, 3):
            note(record(count))
    assert [line.partition(";")[0] for line in told] == [
        "the ledger is not mirrored: no turn", "the ledger is not mirrored: ValueError: ours",
        "the ledger is mirrored again",
    ]  # fmt: skip


@pytest.mark.parametrize("said", [{}, {"number": "x"}, {"number": 1, "header": {}, "entries": [1]}])
def test_what_is_no_record_is_refused(said: dict[str, Any]) -> None:
    """A document of something else is told from a record."""
    with pytest.raises(ValueError, match=r"record|invalid"):
        record_of(said)
