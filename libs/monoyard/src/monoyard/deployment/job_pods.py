"""Pods of Jobs, made of the pod that the chart of a service renders.

A Job goes first, so that what the service's chart renders is not there yet, or is that of the
version before. What the pod of the new version needs of it (settings, account, ways through the
network) is made ahead as copies that bear the Job's name, and that nothing else uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monoyard.delivery.objects import CONFIG_MAP, JOB, Kind, Object, new
from monoyard.deployment.job_copies import Copies
from monoyard.deployment.job_templates import check_apart, find_template
from monoyard.deployment.jobs import Wanted
from monoyard.errors import DeliveryError
from monoyard.migrations import SCRIPTS

PROGRAM: Final = ("python3", "-B", "/opt/monoyard/monoyard_database")
"""First words of what runs in a Job."""
SCRIPTS_NAME: Final = "monoyard-database"
"""Name of the volume with the programs."""
# Of what the service's own pods say, what a run-to-end pod can use.
_OF_POD: Final = (
    "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "securityContext",
    "imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName", "hostAliases",
    "dnsPolicy", "dnsConfig", "runtimeClassName",
)  # fmt: skip
_OF_CONTAINER: Final = ("image", "imagePullPolicy", "env", "envFrom", "resources")
_OF_USER: Final = ("runAsUser", "runAsGroup")
# A claim may be bound to another pod, and no migration needs one.
_VOLUMES: Final = ("configMap", "secret", "emptyDir", "projected", "downwardAPI")
_TEMPORARY: Final = "/tmp"  # noqa: S108 - in a pod of its own
_REFERENCE: Final = re.compile(r"\$\(([^)]+)\)")
# A dump is streamed and a store is sent parts of 32 MiB, whatever the size of the database.
RESOURCES: Final = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
_LOCKED: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, slots=True)
class JobObjects:
    """What is made in the cluster for a Job.

    Attributes:
        ahead: What the Job needs, with the kind of each.
        job: The Job.
    """

    ahead: tuple[tuple[Kind, Object], ...]
    job: Object


class Pattern:
    """The pod of a service's new version, as the pattern of what runs for it in a Job.

    Args:
        wanted: The Job.
        rendered: What the chart of the service comes to, with the new image.
        own_user: Every container of the pod is of the service's image. Other images have users of
            their own, and directories that are theirs.

    Raises:
        DeliveryError: No pod that is rendered runs the image; or what a chart selects its own pods
            by would select the Job's as well.
    """

    def __init__(
        self, wanted: Wanted, rendered: Iterable[Object], *, own_user: bool = False
    ) -> None:
        objects = list(rendered)
        self._wanted = wanted
        self._template, self._container = find_template(wanted, objects)
        check_apart(wanted, objects)
        self.copies = Copies(wanted, objects)
        self._own_user = own_user
        spec = self._template["spec"]
        self._volumes = [
            item for item in spec.get("volumes") or () if any(kind in item for kind in _VOLUMES)
        ]
        names = {item["name"] for item in self._volumes}
        mounts = self._container.get("volumeMounts") or ()
        self._mounts = [item for item in mounts if item["name"] in names]
        if not any(item["mountPath"] == _TEMPORARY for item in self._mounts):
            self._volumes.append({"name": "monoyard-temporary", "emptyDir": {}})
            self._mounts.append({"name": "monoyard-temporary", "mountPath": _TEMPORARY})

    def own(
        self,
        name: str,
        command: Sequence[str],
        *,
        mounts: Sequence[Mapping[str, Any]] = (),
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return a container of the service's image, as its pods run it.

        Args:
            name: Its name.
            command: What it runs.
            mounts: What it mounts beside what the service does.
            env: Variables that are otherwise than the service has them.
        """
        container = {key: self._container[key] for key in _OF_CONTAINER if key in self._container}
        if env:
            kept = [item for item in container.get("env") or () if item["name"] not in env]
            container["env"] = [*kept, *_variables(env)]
        user = {} if self._own_user else self._user()
        security = {**user, **(self._container.get("securityContext") or {}), **_LOCKED}
        scripts = {"name": SCRIPTS_NAME, "mountPath": PROGRAM[-1], "readOnly": True}
        return {
            **container,
            "name": name,
            "command": list(command),
            "securityContext": security,
            "volumeMounts": [*self._mounts, scripts, *mounts],
        }

    def tools(
        self,
        name: str,
        image: str,
        command: Sequence[str],
        *,
        mounts: Sequence[Mapping[str, Any]] = (),
        env: Sequence[Mapping[str, Any]] = (),
        env_from: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """Return a container of another image, with nothing of the service's but its mounts."""
        scripts = {"name": SCRIPTS_NAME, "mountPath": PROGRAM[-1], "readOnly": True}
        return {
            "name": name,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": list(command),
            "env": list(env),
            **({"envFrom": list(env_from)} if env_from else {}),
            "resources": RESOURCES,
            "securityContext": dict(_LOCKED),
            "volumeMounts": [*self._mounts, scripts, *mounts],
        }

    def address(self, variable: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """Return `env` and `envFrom` that have a database's address as DATABASE_URL, and no more.

        Args:
            variable: What the service calls it.

        Raises:
            DeliveryError: The service's pods have no such variable.
        """
        env = list(self._container.get("env") or ())
        others = list(self._container.get("envFrom") or ())
        entry = next((item for item in env if item["name"] == variable), None)
        if entry is None:
            if not others:
                raise DeliveryError(
                    f"the pods of {self._wanted.service} have no variable {variable}, which would "
                    "hold the address of its database",
                    code="no-database-address",
                    hint="`data.variable` of the environment is its name",
                )
            return _variables({"DATABASE_URL": f"$({variable})"}), others
        names = set(_REFERENCE.findall(str(entry.get("value") or "")))
        needed = [item for item in env if item["name"] in names]
        left = names - {item["name"] for item in needed}
        return [*needed, {**entry, "name": "DATABASE_URL"}], others if left else []

    def job(
        self,
        containers: Sequence[Mapping[str, Any]],
        has_account: Callable[[str], bool],
        *,
        first: Sequence[Mapping[str, Any]] = (),
        volumes: Sequence[Mapping[str, Any]] = (),
        is_isolated: bool = False,
    ) -> JobObjects:
        """Return the Job, and what it needs.

        Args:
            containers: Its containers.
            has_account: Says whether there is a ServiceAccount of a name. One that is there is
                used: whoever gives access may go by its name.
            first: Its init containers.
            volumes: Volumes beside those of the service.
            is_isolated: It has none of the service's ways through the network.
        """
        wanted = self._wanted
        spec = self._template["spec"]
        pod: dict[str, Any] = {
            **{name: spec[name] for name in _OF_POD if name in spec},
            "restartPolicy": "Never",
            **({"initContainers": list(first)} if first else {}),
            "containers": list(containers),
            "volumes": [
                *self._volumes, *volumes,
                {"name": SCRIPTS_NAME, "configMap": {"name": wanted.name}},
            ],
        }  # fmt: skip
        if not self._own_user and "securityContext" in pod:
            security = pod["securityContext"]
            pod["securityContext"] = {
                key: item for key, item in security.items() if key not in _OF_USER
            }
        pod = self.copies.of_settings(pod)
        account = pod.get("serviceAccountName")
        if account and not has_account(account):
            pod["serviceAccountName"] = self.copies.of_account(account)
        if not is_isolated:
            labels = (self._template.get("metadata") or {}).get("labels") or {}
            self.copies.of_policies(labels)
        template = {"metadata": {"labels": wanted.labels}, "spec": pod}
        said = {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(1, int(wanted.seconds)),
            "template": template,
        }
        scripts = new(CONFIG_MAP, wanted.name, labels=wanted.labels, data=scripts_of())
        job = new(JOB, wanted.name, labels=wanted.labels, spec=said)
        return JobObjects(((CONFIG_MAP, scripts), *self.copies.made), job)

    def _user(self) -> dict[str, Any]:
        said = self._template["spec"].get("securityContext") or {}
        return {key: said[key] for key in _OF_USER if key in said}


def _variables(said: Mapping[str, str]) -> list[Mapping[str, Any]]:
    return [{"name": name, "value": value} for name, value in said.items()]


def scripts_of() -> dict[str, str]:
    """Return the programs that run in Jobs, file by file."""
    return {path.name: path.read_text("utf-8") for path in sorted(SCRIPTS.glob("*.py"))}
