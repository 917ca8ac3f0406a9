"""The controller of Jobs as far as deployments see it, and databases and store behind them."""

from __future__ import annotations

import json
from typing import Any

from monoyard.delivery import Object
from monoyard.delivery.objects import (
    CONFIG_MAP,
    DEPLOYMENT_LABEL,
    JOB,
    POD,
    SERVICE_LABEL,
    labels_of,
    new,
)
from monoyard.deployment.jobs import ROLE_LABEL, RUN_LABEL
from monoyard.testing import FakeNamespace


class Jobs:
    """Plays the controller of Jobs, and what runs in their pods: one step a second.

    Attributes:
        wanted: Service to the revisions that its new image has.
        applied: Service to the revisions that its database has, in the order they were applied.
        failing: Service to exit status and message of its next migrations; they apply the first
            of the pending revisions.
        stuck: Services whose pods cannot start.
        slow: Services whose migrations never end by themselves.
        vanishing: Services whose Jobs somebody removes while they run.
        bad_backups: Service to exit status and message of its next backups.
        bad_proofs: Service to exit status and message of its next proofs.
        largest: Table to its rows and bytes, as a backup tells of them.
        kept: Keys of the backups in the store, in the order in which they were taken.
        proven: Those that were proven.
        listed: What the store tells of each backup.
        recovered: What a recovery tells.
        losses: What replacing a database tells of what it would lose; the last one has the rows.
        refused: Exit status and message of what forbids replacing one; 0 where nothing does.
        bad_mirror: Exit status and message of the next times that the ledger is mirrored.
        mirrored: Key of each record that was mirrored, to what the store has of it.
        asked: Jobs of no deployment, as they were made.
        made: Names of the Jobs whose pods were started.
    """

    def __init__(self, cluster: FakeNamespace) -> None:
        self.wanted: dict[str, list[str]] = {}
        self.applied: dict[str, list[str]] = {}
        self.failing: dict[str, tuple[int, str]] = {}
        self.stuck: set[str] = set()
        self.slow: set[str] = set()
        self.vanishing: set[str] = set()
        self.bad_backups: dict[str, tuple[int, str]] = {}
        self.bad_proofs: dict[str, tuple[int, str]] = {}
        self.largest: dict[str, dict[str, int]] = {}
        self.kept: list[str] = []
        self.proven: list[str] = []
        self.listed: list[dict[str, Any]] = []
        self.recovered: list[dict[str, Any]] = []
        self.losses: list[dict[str, Any]] = [{"event": "losses", "rows": 0, "same": 1, "tables": 1}]
        self.refused: tuple[int, str] = (0, "")
        self.bad_mirror: tuple[int, str] = (0, "")
        self.mirrored: dict[str, dict[str, Any]] = {}
        self.asked: list[Object] = []
        self.made: list[str] = []
        self._cluster = cluster
        self._age: dict[str, int] = {}

    def step(self) -> None:
        """Take every Job one step further."""
        for job in self._cluster.list(JOB, {}):
            if not (job.get("status") or {}).get("conditions"):
                self._next(job)

    def _next(self, job: Object) -> None:
        name, service = job["metadata"]["name"], labels_of(job).get(SERVICE_LABEL, "")
        age = self._age[name] = self._age.get(name, 0) + 1
        if age == 1:
            self._start(job)
        elif age > job["spec"]["activeDeadlineSeconds"]:
            self._cluster.delete(POD, f"{name}-pod")
            self._end(name, "Failed", "DeadlineExceeded")
        elif service in self.vanishing:
            self._cluster.delete(JOB, name)
        elif service not in self.stuck | self.slow:
            self._run(job)

    def _start(self, job: Object) -> None:
        name, service = job["metadata"]["name"], labels_of(job).get(SERVICE_LABEL, "")
        self.made.append(name)
        state: dict[str, Any] = {"running": {}}
        if service in self.stuck:
            state = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
        labels = job["spec"]["template"]["metadata"]["labels"]
        role = labels_of(job)[ROLE_LABEL]
        statuses = [{"name": role, "state": state}]
        status = {"phase": "Pending", "containerStatuses": statuses}
        self._cluster.create(POD, new(POD, f"{name}-pod", labels=labels, status=status))
        if service not in self.stuck and role == "migrate":
            self._say(job, "heads", heads=self.applied.get(service, [])[-1:])

    def _run(self, job: Object) -> None:
        role = labels_of(job)[ROLE_LABEL]
        if RUN_LABEL in labels_of(job):
            self.asked.append(job)
        {
            "migrate": self._migrate, "backup": self._back_up, "prove": self._prove,
            "verify": self._prove, "list": self._list, "recover": self._recover,
            "replace": self._replace, "mirror": self._mirror,
        }[role](job)  # fmt: skip

    def _list(self, job: Object) -> None:
        for item in self.listed:
            self._say(job, "backup", **item)
        self._finish(job, 0)

    def _recover(self, job: Object) -> None:
        for item in self.recovered:
            self._say(job, **item)
        self._finish(job, 0)

    def _replace(self, job: Object) -> None:
        """Do what `monoyard_database replace` does, with rows that are counted beforehand."""
        self._say(job, "fetched", **self.told_of(job))
        self._say(job, "version", heads=["r-zero"], version_table="alembic_version")
        status, message = self.refused
        words = job["spec"]["template"]["spec"]["containers"][0]["command"]
        if "--plan" in words:
            for item in self.losses:
                self._say(job, **item)
            if status:
                self._say(job, "refused", status=status, message=message)
            status = 0
        elif not status:
            rows = self.losses[-1]["rows"]
            [lose] = [int(word.partition("=")[2]) for word in words if word.startswith("--lose=")]
            if lose == rows:
                self.kept.append(_word(job, "--key"))
                self._say(job, "saved", key=_word(job, "--key"))
                self._say(job, "replaced", tables=2, lost=rows, revisions=["r-zero"],
                          not_compared=[])  # fmt: skip
            else:
                status, message = 17, f"nothing was changed: {rows} rows, not {lose}"
        if status:
            self._say(job, "failed", status=status, message=message)
        self._finish(job, status)

    def told_of(self, job: Object) -> dict[str, Any]:
        """Return what is told of the backup that a Job fetches."""
        [fetch] = [
            item for item in job["spec"]["template"]["spec"]["initContainers"]
            if item["name"] == "fetch"
        ]  # fmt: skip
        key = fetch["command"][fetch["command"].index("--key") + 1]
        return {"key": key, "taken_at": "2026-11-22T10:11:12Z", "revisions": ["r-zero"]}

    def _mirror(self, job: Object) -> None:
        status, message = self.bad_mirror
        if status:
            self._say(job, "failed", status=status, message=message)
        else:
            self._say(job, "done", entries=self._put_records(job))
        self._finish(job, status)

    def _put_records(self, job: Object) -> dict[str, int]:
        """Do what `monoyard_database mirror` does with what the Job mounts."""
        counts = {}
        [volume] = (
            item for item in job["spec"]["template"]["spec"]["volumes"] if "projected" in item
        )
        for source in volume["projected"]["sources"]:
            there = self._cluster.get(CONFIG_MAP, source["configMap"]["name"])
            if there is None:
                continue
            name = source["configMap"]["items"][0]["path"].partition("/")[0]
            entries = [json.loads(line) for line in there["data"]["entries"].splitlines()]
            record = {"number": int(name.partition("-")[0]), "entries": entries,
                      "header": json.loads(there["data"]["header"])}  # fmt: skip
            counts[name] = len(entries)
            self.mirrored[f"{_word(job, '--prefix')}{name}.json"] = record
        return counts

    def _back_up(self, job: Object) -> None:
        status, message = self.bad_backups.get(labels_of(job)[SERVICE_LABEL], (0, ""))
        key = _word(job, "--key")
        if status:
            self._say(job, "failed", status=status, message=message)
        else:
            if key not in self.kept:
                self.kept.append(key)
            said = {"bytes": 100, "rows": 3, "tables": 1, "revisions": ["r-zero"]}
            at = "2026-11-22T10:11:12Z"
            self._say(job, "done", key=key, taken_at=at, sha256="ab", database_bytes=8000,
                      largest=self.largest, **said)  # fmt: skip
        self._finish(job, status)

    def _prove(self, job: Object) -> None:
        status, message = self.bad_proofs.get(labels_of(job)[SERVICE_LABEL], (0, ""))
        if status:
            self._say(job, "failed", status=status, message=message)
        else:
            assert _word(job, "--key") in self.kept
            self.proven.append(_word(job, "--key"))
            self._say(job, "proven", tables=1, not_compared=[])
            pending = self.wanted.get(labels_of(job)[SERVICE_LABEL], [])
            for revision in pending:
                self._say(job, "applied", revision=revision, attempt=1)
        self._finish(job, status)

    def _migrate(self, job: Object) -> None:
        service = labels_of(job)[SERVICE_LABEL]
        there = self.applied.setdefault(service, [])
        pending = [item for item in self.wanted.get(service, []) if item not in there]
        status, message = self.failing.get(service, (0, ""))
        for revision in pending[:1] if status else pending:
            there.append(revision)
            self._say(job, "applied", revision=revision, attempt=1)
        if message:
            self._say(job, "failed", status=status, sqlstate="", message=message)
        elif not status:
            self._say(job, "done", revision=there[-1] if there else "", applied=pending)
        self._finish(job, status)

    def _finish(self, job: Object, status: int) -> None:
        name = job["metadata"]["name"]
        state = {"terminated": {"exitCode": status}}
        statuses = [{"name": labels_of(job)[ROLE_LABEL], "state": state}]
        change = {"containerStatuses": statuses}
        self._cluster.merge(POD, f"{name}-pod", {"status": change}, status=True)
        self._end(name, "Failed" if status else "Complete", "BackoffLimitExceeded")

    def _say(self, job: Object, event: str, **fields: Any) -> None:
        text = json.dumps({"event": event, **fields})
        pod = f"{job['metadata']['name']}-pod"
        role = labels_of(job)[ROLE_LABEL]
        self._cluster.print_log(pod, "prove" if role == "verify" else role, f"{text}\n")

    def _end(self, name: str, kind: str, reason: str) -> None:
        said = {"type": kind, "status": "True", "reason": reason, "message": "it has failed"}
        conditions = [{"type": "Suspended", "status": "False"}, said]
        self._cluster.merge(JOB, name, {"status": {"conditions": conditions}}, status=True)


def _word(job: Object, option: str) -> str:
    """Return what stands after an option of the container that ends a Job."""
    words = job["spec"]["template"]["spec"]["containers"][0]["command"]
    return str(words[words.index(option) + 1])


def finished(service: str, deployment: int) -> Object:
    """Return a Job of an earlier deployment, which ended well."""
    labels = {
        "monoyard.dev/environment": "dev",
        DEPLOYMENT_LABEL: str(deployment),
        SERVICE_LABEL: service,
        "monoyard.dev/role": "migrate",
    }
    status = {"conditions": [{"type": "Complete", "status": "True"}]}
    return new(JOB, f"migrate-{deployment}-{service}", labels=labels, status=status)
