"""Checks of the cluster: is it the one, who are we there, and has it what charts ask for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from monoyard.charts import Object, routed_names
from monoyard.delivery import ABSENT, Kind
from monoyard.delivery.capabilities import Capabilities, Right
from monoyard.delivery.objects import CONFIG_MAP, NAMESPACE, WEIGHTS, kind_of
from monoyard.delivery.rollouts import ROLLOUT, is_observed
from monoyard.delivery.workloads import list_known
from monoyard.diagnosis.finding import Finding
from monoyard.diagnosis.rights import needed_rights
from monoyard.diagnosis.subject import Subject
from monoyard.errors import ClusterError

_AT_ONCE: Final = 4
_SHOWN: Final = 8
_ROOT: Final = "kube-root-ca.crt"
"""A ConfigMap that a controller keeps in every namespace."""
_PREPARE: Final = "`invoke deploy.prepare` makes what an environment has once"


def check_cluster(subject: Subject) -> Iterator[Finding]:
    """See that the cluster answers and is the pinned one, and of which version it is."""
    try:
        seen = subject.enter()
    except ClusterError as error:
        said = error.message if not error.context else f"{error.message}: {error.context[0]}"
        hint = f"`deployers` names who may; {_PREPARE}" if error.code == "refused" else error.hint
        yield Finding("cluster", "problem", said, hint or "")
        return
    yield Finding("cluster", "ok", f"context `{seen.context}` leads to the pinned one")
    version = seen.capabilities.version().removeprefix("v")
    wanted = subject.kubernetes()
    if _minor(version) == _minor(wanted):
        yield Finding("version", "ok", f"Kubernetes {version}, for which charts are checked")
        return
    yield Finding(
        "version",
        "warning",
        f"Kubernetes {version}, and charts are checked for {wanted}",
        "`invoke deploy.schemas` makes the schemas of another version",
    )


def check_namespace(subject: Subject) -> Iterator[Finding]:
    """See that the namespace is there; deployers may often not look at it itself."""
    namespace, name = subject.namespace, subject.environment.namespace
    try:
        is_there = namespace.get(NAMESPACE, name) is not None
    except ClusterError as error:
        if error.code != "refused":
            raise
        is_there = namespace.get(CONFIG_MAP, _ROOT) is not None
    if is_there:
        yield Finding("namespace", "ok", f"`{name}` is there")
    else:
        yield Finding(
            "namespace",
            "problem",
            f"there is no namespace `{name}`",
            "somebody who may makes it; `invoke cluster.up` on a local cluster",
        )


def check_account(subject: Subject) -> Iterator[Finding]:
    """See who we are to the API server."""
    try:
        name = subject.seen.capabilities.account()
    except ClusterError as error:
        if error.code != ABSENT:  # before Kubernetes 1.28 nobody says
            raise
        yield Finding("account", "unknown", "the API server does not say who we are")
        return
    yield Finding("account", "ok", f"we are `{name}`")


def check_rights(subject: Subject) -> Iterator[Finding]:
    """See that we may do all that a deployment does."""
    capabilities = subject.seen.capabilities
    rights = needed_rights(_all(subject))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        allowed = list(pool.map(capabilities.may, rights))
    lacking = [right for right, may in zip(rights, allowed, strict=True) if not may]
    if not lacking:
        yield Finding("rights", "ok", f"we may do all {len(rights)} things that a deployment does")
        return
    yield Finding(
        "rights",
        "problem",
        f"we may not {_words(lacking)}",
        f"`deployers` in environment.toml names who may; {_PREPARE}",
    )


def check_kinds(subject: Subject) -> Iterator[Finding]:
    """See that the cluster knows every kind that charts render, in that version."""
    capabilities = subject.seen.capabilities
    kinds = sorted({kind_of(thing) for thing in _all(subject)}, key=lambda item: item.name)
    served = {item: capabilities.kinds(item) for item in {kind.api_version for kind in kinds}}
    lacking = [kind for kind in kinds if kind.plural not in served[kind.api_version]]
    for kind in lacking:
        yield _lacking(capabilities, kind)
    if not lacking:
        words = ", ".join(kind.name for kind in kinds)
        yield Finding("kinds", "ok", f"the cluster knows {words}")


def check_argo(subject: Subject) -> Iterator[Finding]:
    """See that Argo Rollouts looks at its Rollouts; without it there are no weights or gates."""
    rendered = [name for name, things in subject.objects.items() if _has(things, ROLLOUT)]
    if not rendered:
        yield Finding(
            "argo-rollouts",
            "ok",
            "nothing is a Rollout: rolling updates alone, without "
            "weights and gates, and no service waits for the others",
        )
        return
    capabilities = subject.seen.capabilities
    if ROLLOUT.plural not in capabilities.kinds(ROLLOUT.api_version):
        yield Finding(
            "argo-rollouts",
            "problem",
            f"it is not installed, and {_few(rendered)} want it",
            "install it, or set `rollouts: false` in their values",
        )
        return
    things = list_known(subject.namespace, ROLLOUT)
    asleep = [str(thing["metadata"]["name"]) for thing in things if not is_observed(thing)]
    if asleep:
        yield Finding(
            "argo-rollouts",
            "problem",
            f"its controller has not looked at the last change of {_few(asleep)}",
            "is its controller running? `kubectl get pods -A` shows it",
        )
        return
    seen = "keeps up" if things else "is seen at work with the first Rollout"
    said = f"{ROLLOUT.api_version} is served; its controller {seen}"
    yield Finding("argo-rollouts", "ok", said)


def check_traefik(subject: Subject) -> Iterator[Finding]:
    """See that the weights are there that canaries move."""
    routed = sorted({name for things in subject.objects.values() for name in routed_names(things)})
    if not routed:
        yield Finding("traefik", "ok", "no canary moves weights of requests: shares of pods alone")
        return
    capabilities = subject.seen.capabilities
    if WEIGHTS.plural not in capabilities.kinds(WEIGHTS.api_version):
        yield Finding(
            "traefik",
            "problem",
            f"its kinds are not known, and {_few(routed)} want them",
            "install Traefik with its CustomResourceDefinitions, or set "
            "`strategy.kind: rolling` in their values",
        )
        return
    missing = [name for name in routed if subject.namespace.get(WEIGHTS, name) is None]
    for name in missing:
        yield Finding(
            "traefik",
            "problem",
            f"there is no TraefikService `{name}`, whose weights its canary moves",
            _PREPARE,
            name,
        )
    if not missing:
        yield Finding("traefik", "ok", f"the weights of {_few(routed)} are there")


def _all(subject: Subject) -> list[Object]:
    return [thing for things in subject.objects.values() for thing in things]


def _has(things: tuple[Object, ...], kind: Kind) -> bool:
    return any(thing["kind"] == kind.name for thing in things)


def _lacking(capabilities: Capabilities, kind: Kind) -> Finding:
    versions = capabilities.versions(kind.group)
    known = f"it has {', '.join(versions)} of that group" if versions else "nor any of its group"
    return Finding(
        "kinds",
        "problem",
        f"the cluster does not know {kind.name} of {kind.api_version}; {known}",
        "is its CustomResourceDefinition installed?",
    )


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _words(rights: list[Right]) -> str:
    by_resource: dict[str, list[str]] = {}
    for right in rights:
        by_resource.setdefault(right.resource, []).append(right.verb)
    said = [f"{'/'.join(verbs)} {resource}" for resource, verbs in by_resource.items()]
    more = f" and {len(said) - _SHOWN} more kinds" if len(said) > _SHOWN else ""
    return ", ".join(said[:_SHOWN]) + more


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
