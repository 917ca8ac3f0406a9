"""Kinds of rendered objects."""

from __future__ import annotations

import pytest

from monoyard.delivery.objects import Kind, kind_of


@pytest.mark.parametrize(
    ("version", "kind", "plural", "is_namespaced"),
    [
        ("v1", "Service", "services", True),
        ("v1", "Endpoints", "endpoints", True),
        ("networking.k8s.io/v1", "Ingress", "ingresses", True),
        ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", True),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
        ("traefik.io/v1alpha1", "Middleware", "middlewares", True),
    ],
)
def test_plurals_follow_the_rule(version: str, kind: str, plural: str, is_namespaced: bool) -> None:
    """The address of a kind is guessed as Kubernetes itself guesses it."""
    group, _, number = version.rpartition("/")
    expected = Kind(group, number, kind, plural, is_namespaced)
    assert kind_of({"apiVersion": version, "kind": kind}) == expected


@pytest.mark.parametrize("thing", [{}, {"kind": "A"}, {"apiVersion": "v1"}])
def test_object_without_a_kind_is_refused(thing: dict[str, str]) -> None:
    """What says no kind or no version is no object."""
    with pytest.raises(ValueError, match="without `kind`"):
        kind_of(thing)
