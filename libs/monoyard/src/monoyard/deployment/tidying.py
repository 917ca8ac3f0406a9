"""Removes what earlier Jobs left in the cluster."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from monoyard.delivery import Namespace, Object
from monoyard.delivery.objects import (
    DEPLOYMENT_LABEL,
    ENVIRONMENT_LABEL,
    JOB,
    SERVICE_LABEL,
    labels_of,
    name_of,
)
from monoyard.deployment.job_log import ending_of
from monoyard.deployment.jobs import AHEAD, ROLE_LABEL, RUN_LABEL, Wanted
from monoyard.errors import ClusterError

_KEPT: Final = 3


def tidy(namespace: Namespace, wanted: Wanted) -> None:
    """Remove what earlier Jobs of a service and role left, but for the last few.

    What cannot be removed stays: that stops no deployment.
    """
    kept_apart = (ENVIRONMENT_LABEL, SERVICE_LABEL, ROLE_LABEL)
    whose = {name: wanted.labels[name] for name in kept_apart}
    with suppress(ClusterError):
        jobs = namespace.list(JOB, whose)
        numbers = sorted({_number(job) for job in jobs}, reverse=True)
        kept = {*numbers[:_KEPT], wanted.deployment}
        for job in jobs:
            # One that still runs has whoever it belongs to; only its end makes it a thing to tidy.
            if ending_of(job) is None:
                kept.add(_number(job))
            elif _number(job) not in kept:
                namespace.delete(JOB, name_of(job))
        for kind in AHEAD:
            for thing in namespace.list(kind, whose):
                if _number(thing) not in kept:
                    namespace.delete(kind, name_of(thing))


def sweep(namespace: Namespace, wanted: Wanted) -> None:
    """Remove what Jobs of a role left that belong to no deployment and have ended, and this one.

    What cannot be removed stays.
    """
    whose = {ROLE_LABEL: wanted.role.name}
    with suppress(ClusterError):
        running = {
            labels_of(job).get(RUN_LABEL)
            for job in namespace.list(JOB, whose)
            if ending_of(job) is None
        } - {wanted.run}
        for kind in (JOB, *AHEAD):
            for thing in namespace.list(kind, whose):
                run = labels_of(thing).get(RUN_LABEL)
                if run and run not in running:
                    namespace.delete(kind, name_of(thing))


def _number(thing: Object) -> int:
    said = labels_of(thing).get(DEPLOYMENT_LABEL, "")
    return int(said) if said.isdigit() else 0
