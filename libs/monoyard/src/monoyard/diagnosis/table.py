"""All checks, in the order in which they are told."""

from __future__ import annotations

from functools import partial

from monoyard.diagnosis.cluster_checks import (
    check_account,
    check_argo,
    check_cluster,
    check_kinds,
    check_namespace,
    check_rights,
    check_traefik,
)
from monoyard.diagnosis.delivery_checks import (
    check_backups,
    check_charts,
    check_lease,
    check_ledger,
    check_releases,
    check_secrets,
)
from monoyard.diagnosis.examining import Check
from monoyard.diagnosis.gate_checks import check_gates, check_prometheus
from monoyard.diagnosis.machine_checks import check_program, check_registry
from monoyard.diagnosis.subject import Subject


def checks_of(subject: Subject) -> tuple[Check, ...]:
    """Return all checks of an environment."""
    programs = (
        Check("programs", "machine", partial(check_program, name, version))
        for name, version in subject.programs.items()
    )
    others = (
        ("charts", "configuration", check_charts),
        ("cluster", "cluster", check_cluster),
        ("namespace", "cluster", check_namespace),
        ("account", "cluster", check_account),
        ("rights", "cluster", check_rights),
        ("kinds", "cluster", check_kinds),
        ("argo-rollouts", "cluster", check_argo),
        ("traefik", "cluster", check_traefik),
        ("registry", "registry", check_registry),
        ("secrets", "delivery", check_secrets),
        ("backups", "delivery", check_backups),
        ("prometheus", "delivery", check_prometheus),
        ("gates", "delivery", check_gates),
        ("releases", "delivery", check_releases),
        ("ledger", "delivery", check_ledger),
        ("lock", "delivery", check_lease),
    )
    return (*programs, *(Check(name, field, partial(ask, subject)) for name, field, ask in others))
