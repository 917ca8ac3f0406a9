"""The ledger's mirror: what was done, kept beside the backups, where it outlives the cluster.

The store is reached by pods alone, so a Job puts the records there; it mounts them from the
cluster. Whatever becomes of it, a deployment goes on: it is told, and tried again with whatever is
written next.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from monoyard.config import StoreSettings
from monoyard.delivery import Entry, Ledger, Namespace, Record
from monoyard.delivery.ledger import record_name
from monoyard.delivery.objects import CONFIG_MAP, JOB, new
from monoyard.delivery.workloads import WATCHED, list_known
from monoyard.deployment.backups import name_of_record
from monoyard.deployment.job_copies import Copies
from monoyard.deployment.job_pods import PROGRAM, RESOURCES, SCRIPTS_NAME, JobObjects, scripts_of
from monoyard.deployment.job_runs import JobRun, Runs
from monoyard.deployment.jobs import MIRROR, Wanted
from monoyard.deployment.plan import DeployPlan
from monoyard.deployment.ports import World
from monoyard.deployment.store_ways import store_variables
from monoyard.deployment.tidying import sweep
from monoyard.errors import DeliveryError, MonoyardError

HEADER: Final = "mirror"
"""Where a record's header says by what, and to where, it is mirrored."""
DIRECTORY: Final = "ledger"
"""Between the environment's name and that of a record in the store."""
_RECORDS: Final = "/var/monoyard/ledger"
_SECONDS: Final = 120.0
_LAST_SECONDS: Final = 30.0
# An earlier runner may have ended before all of its own was mirrored.
_EARLIER: Final = 20
_USER: Final = 65532
# Of what other pods here say, what any pod needs to be let in.
_OF_POD: Final = (
    "imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName", "runtimeClassName",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """By what, and to where, a ledger is mirrored.

    Attributes:
        image: Has the programs, by digest.
        store: Where backups go as well.
    """

    image: str
    store: StoreSettings

    def to_header(self) -> dict[str, Any]:
        """Return it for a record."""
        return asdict(self)

    @classmethod
    def of_header(cls, said: Mapping[str, Any]) -> MirrorSettings:
        """Read what `to_header` made."""
        return cls(str(said["image"]), StoreSettings(**said["store"]))


def last_settings(history: Collection[Record]) -> MirrorSettings | None:
    """Return how a ledger was mirrored last, or backups were taken; None where neither was."""
    for record in sorted(history, key=lambda item: item.number, reverse=True):
        services = (record.header.get("services") or {}).values()
        for said in (record.header.get(HEADER), *(item.get("backup") for item in services)):
            if said:
                return MirrorSettings.of_header(said)
    return None


def decide_mirror(world: World, plan: DeployPlan) -> MirrorSettings | None:
    """Return how a deployment's record is mirrored; None where nobody says, or nothing could do it.

    The image is held to the policy as that of a backup is, and one that is not accepted, or cannot
    be asked for now, leaves it to the one that did it last.
    """
    policy, commit = world.environment.data, plan.request.commit
    if policy.store is None:
        return None
    found = [item.backup.image for item in plan.changed if item.backup]
    if "@" in policy.image:
        found.append(policy.image)
    elif policy.image and not found:
        with suppress(MonoyardError):
            digest = world.images.digest(policy.image, commit)
            if digest and not world.images.examine(policy.image, digest, commit).problem:
                found.append(f"{world.images.repository(policy.image)}@{digest}")
    if found:
        return MirrorSettings(found[0], policy.store)
    last = last_settings(world.ledger.history())
    return replace(last, store=policy.store) if last else None


class Push:
    """Puts records into the store, by a Job.

    Args:
        environment: Name of the environment.
        settings: By what, and to where.
        runs: Under what the Job runs.
        run: Tells the Jobs of this runner from others.
    """

    def __init__(self, environment: str, settings: MirrorSettings, runs: Runs, run: str) -> None:
        self._environment = environment
        self._settings = settings
        self._runs = replace(runs, tell=lambda _: None)
        self._run = run
        self._numbers = itertools.count(1)

    def __call__(self, records: Collection[Record]) -> None:
        """Put records as they are in the cluster now.

        Raises:
            MonoyardError: They are not there, or not all of them.
        """
        # Each has a Job of its own name: one that is left from before would be taken for it.
        run = f"{self._run}-{next(self._numbers)}"
        wanted = Wanted(self._environment, "", 0, self._settings.image, _SECONDS, MIRROR, run=run)
        job = JobRun(wanted, self._settings.image, self._runs)
        try:
            log = job.do(lambda: self._objects(wanted, records))
        finally:
            sweep(self._runs.namespace, wanted)
        seen: Mapping[str, int] = log.last("done").get("entries") or {}
        for record in records:
            # One that is missing was removed from the ledger meanwhile.
            if seen.get(name_of_record(record), len(record.entries)) < len(record.entries):
                raise DeliveryError(f"the pod saw an older record of deployment {record.number}")

    def _objects(self, wanted: Wanted, records: Collection[Record]) -> JobObjects:
        """Return what is made in the cluster for it."""
        copies = Copies(wanted, ())
        copies.of_store(self._settings.store.endpoint)
        prefix = f"{self._environment}/{DIRECTORY}/"
        container = {
            "name": MIRROR.name,
            "image": self._settings.image,
            "imagePullPolicy": "IfNotPresent",
            "command": [*PROGRAM, MIRROR.name, "--from", _RECORDS, "--prefix", prefix],
            "env": store_variables(self._settings.store),
            "resources": RESOURCES,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [
                {"name": "records", "mountPath": _RECORDS, "readOnly": True},
                {"name": SCRIPTS_NAME, "mountPath": PROGRAM[-1], "readOnly": True},
                {"name": "temporary", "mountPath": "/tmp"},  # noqa: S108 - in a pod of its own
            ],
        }
        pod = {
            **_let_in(self._runs.namespace),
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "securityContext": {
                "runAsNonRoot": True, "runAsUser": _USER, "runAsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "records", "projected": {"sources": list(map(_source, records))}},
                {"name": SCRIPTS_NAME, "configMap": {"name": wanted.name}},
                {"name": "temporary", "emptyDir": {}},
            ],
        }  # fmt: skip
        template = {"metadata": {"labels": wanted.labels}, "spec": pod}
        said = {"backoffLimit": 0, "activeDeadlineSeconds": int(_SECONDS), "template": template}
        programs = new(CONFIG_MAP, wanted.name, labels=wanted.labels, data=scripts_of())
        job = new(JOB, wanted.name, labels=wanted.labels, spec=said)
        return JobObjects(((CONFIG_MAP, programs), *copies.made), job)


Put = Callable[[Collection[Record]], None]
Mirroring = Callable[[Put, Callable[[str], None]], AbstractContextManager[Callable[[Record], None]]]
"""Takes what puts records, and who is told; gives what is to be told of each record written."""


class Pending:
    """Records that are not mirrored yet; safe for threads.

    Args:
        put: Puts records.
        say: Is told what becomes of it, once for each change.
    """

    def __init__(self, put: Put, say: Callable[[str], None]) -> None:
        self._put = put
        self._say = say
        self._records: dict[int, Record] = {}
        self._lock = threading.Lock()
        self._problem = ""

    def add(self, record: Record) -> None:
        """Take note of a record as it was written last."""
        with self._lock:
            self._records[record.number] = record

    @property
    def count(self) -> int:
        """How many records are not mirrored as they were written last."""
        with self._lock:
            return len(self._records)

    def silence(self) -> None:
        """Say nothing from now on: whoever would hear it is gone."""
        self._say = lambda _: None

    def send(self) -> None:
        """Try once to put all of them; what is written meanwhile stays for the next time."""
        with self._lock:
            taken = dict(self._records)
        if not taken:
            return
        try:
            self._put(tuple(taken.values()))
        except MonoyardError as error:
            self._tell(f"{error.message}")
            return
        except Exception as error:  # noqa: BLE001  it must not harm what is mirrored
            self._tell(f"{type(error).__name__}: {error}")
            return
        if self._problem:
            self._problem = ""
            self._say("the ledger is mirrored again")
        with self._lock:
            self._records = {
                number: record
                for number, record in self._records.items()
                if record is not taken.get(number)
            }

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._say(f"the ledger is not mirrored: {problem}; tried again with the next step")


@contextmanager
def at_once(put: Put, say: Callable[[str], None]) -> Iterator[Callable[[Record], None]]:
    """Mirror each record as it is written, before anything else goes on."""
    pending = Pending(put, say)

    def note(record: Record) -> None:
        pending.add(record)
        pending.send()

    yield note


@contextmanager
def in_background(
    put: Put, say: Callable[[str], None], last_seconds: float = _LAST_SECONDS
) -> Iterator[Callable[[Record], None]]:
    """Mirror beside what goes on: one Job after the other, each with all that was written by then.

    Args:
        put: Puts records.
        say: Is told what becomes of it.
        last_seconds: How long the end waits for the last of them. The Job goes on without us.
    """
    pending = Pending(put, say)
    written, ended = threading.Event(), threading.Event()

    def work() -> None:
        while True:
            written.wait()
            written.clear()
            # Seen before it is sent: what is written until the end was noted by then.
            is_last = ended.is_set()
            pending.send()
            if is_last:
                return

    def note(record: Record) -> None:
        pending.add(record)
        written.set()

    worker = threading.Thread(target=work, name="mirror", daemon=True)
    worker.start()
    try:
        yield note
    except (KeyboardInterrupt, SystemExit):
        last_seconds = 0.0  # somebody wants to get away
        raise
    finally:
        ended.set()
        written.set()
        worker.join(last_seconds)
        pending.silence()
        if pending.count:
            say("the ledger is not mirrored to its end: the next deployment sees to that")


@contextmanager
def mirrored(
    mirroring: Mirroring | None,
    settings: MirrorSettings | None,
    ledger: Ledger,
    runs: Runs,
    where: tuple[str, str],
) -> Iterator[Ledger]:
    """Give a ledger whose records are mirrored as they are written, and the newest of before.

    Args:
        mirroring: When that is done; None for never.
        settings: By what, and to where; None where nobody says.
        ledger: The ledger.
        runs: Under what Jobs run.
        where: Name of the environment, and what tells the Jobs of this runner from others.
    """
    if mirroring is None or settings is None:
        yield ledger
        return
    environment, run = where
    push = Push(environment, settings, runs, run)
    with mirroring(push, runs.tell) as note:
        for record in ledger.history()[:_EARLIER]:
            note(record)
        yield Ledger(runs.namespace, environment, runs.clock, note)


def _source(record: Record) -> dict[str, Any]:
    place = name_of_record(record)
    items = [{"key": key, "path": f"{place}/{key}"} for key in ("header", "entries")]
    return {"configMap": {"name": record_name(record.number), "items": items, "optional": True}}


def _let_in(namespace: Namespace) -> dict[str, Any]:
    """Return what pods here need to be started, as those that run say it."""
    for kind in WATCHED:
        for thing in list_known(namespace, kind):
            spec: Mapping[str, Any] = ((thing.get("spec") or {}).get("template") or {}).get(
                "spec"
            ) or {}
            return {name: spec[name] for name in _OF_POD if name in spec}
    return {}


def record_of(said: Mapping[str, Any]) -> Record:
    """Read a record as the mirror keeps it.

    Raises:
        ValueError: It is none.
    """
    try:
        entries = tuple(Entry(**item) for item in said["entries"])
        number, header = int(said["number"]), dict(said["header"])
        token = max((entry.token for entry in entries), default=0)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no record of a deployment: {error}") from error
    return Record(number, header, entries, "", token)
