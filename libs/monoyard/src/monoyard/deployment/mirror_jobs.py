"""The Job that puts records of deployments into the store of the backups."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from monoyard.delivery import Namespace, Record
from monoyard.delivery.ledger import record_name
from monoyard.delivery.objects import CONFIG_MAP, JOB, new
from monoyard.delivery.workloads import WATCHED, list_known
from monoyard.deployment.backups import name_of_record
from monoyard.deployment.job_copies import Copies
from monoyard.deployment.job_pods import PROGRAM, RESOURCES, SCRIPTS_NAME, JobObjects, scripts_of
from monoyard.deployment.job_runs import JobRun, Runs
from monoyard.deployment.jobs import MIRROR, Wanted
from monoyard.deployment.mirror_settings import DIRECTORY, MirrorSettings
from monoyard.deployment.store_ways import store_variables
from monoyard.deployment.tidying import sweep
from monoyard.errors import DeliveryError

_RECORDS: Final = "/var/monoyard/ledger"
_SECONDS: Final = 120.0
_USER: Final = 65532
# Of what other pods here say, what any pod needs to be let in.
_OF_POD: Final = (
    "imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName", "runtimeClassName",
)  # fmt: skip


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
