"""Schemas of kinds: what is made of published descriptions, and what they then refuse."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monoyard.charts import read_sources
from monoyard.charts.schemas import built_in, custom, file_name
from monoyard.errors import ConfigurationError

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
DEFINITIONS: dict[str, Any] = {
    META: {"type": "object", "properties": {"name": {"type": "string"}}},
    QUANTITY: {"type": "string", "description": "an amount"},
    "Spec": {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"$ref": f"#/definitions/{QUANTITY}"},
            "port": {"type": "string", "format": "int-or-string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "description": {"type": "string", "description": "a field of that name"},
        },
    },
    "Thing": {
        "type": "object",
        "description": "A thing",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": f"#/definitions/{META}"},
            "spec": {"$ref": "#/definitions/Spec"},
            "status": {"type": "object"},
        },
        "x-kubernetes-group-version-kind": [{"group": "shop", "version": "v1", "kind": "Thing"}],
    },
}  # fmt: skip
CUSTOM: dict[str, Any] = {
    "spec": {
        "group": "argo",
        "names": {"kind": "Run"},
        "versions": [
            {
                "name": "v1",
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "metadata": {"type": "object"},
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "jobs": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "properties": {
                                                "spec": {
                                                    "type": "object",
                                                    "x-kubernetes-preserve-unknown-fields": True,
                                                }
                                            },
                                        },
                                    },
                                    "limit": {"x-kubernetes-int-or-string": True},
                                    "free": {
                                        "type": "object",
                                        "properties": {"a": {"type": "string"}},
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                },
                            },
                        },
                    }
                },
            }
        ],
    }
}


def thing(**spec: object) -> dict[str, object]:
    """Return a thing with a size, and what else is said."""
    return {
        "apiVersion": "shop/v1", "kind": "Thing", "metadata": {"name": "x"},
        "spec": {"size": "1Gi", **spec},
    }  # fmt: skip


def run(**spec: object) -> dict[str, object]:
    """Return a run."""
    return {"apiVersion": "argo/v1", "kind": "Run", "metadata": {"name": "x"}, "spec": spec}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("v1/Service", "service-v1.json"),
        ("apps/v1/Deployment", "deployment-apps-v1.json"),
        ("rbac.authorization.k8s.io/v1/Role", "role-rbac.authorization.k8s.io-v1.json"),
    ],
)
def test_files_are_named_as_kubeconform_looks_for_them(kind: str, name: str) -> None:
    """Kind, group and version in small letters; the core group has no name."""
    assert file_name(kind) == name


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        (thing(), True),
        (thing(size=2), True),
        (thing(port=80, labels={"a": "b"}, description="fine"), True),
        (thing(port="http"), True),
        (thing(port=[]), False),
        (thing(prot=80), False),
        (thing(labels={"a": 1}), False),
        ({**thing(), "spec": {}}, False),
        ({**thing(), "status": {}}, False),
        ({**thing(), "kind": "Thong"}, False),
        ({**thing(), "apiVersion": "shop/v2"}, False),
        ({**thing(), "metadata": {"nmae": "x"}}, False),
    ],
)
def test_a_kind_of_kubernetes_knows_its_own_fields_alone(value: object, is_right: bool) -> None:
    """A misspelled field, another version, or a state that no chart knows is refused."""
    schema = built_in("shop/v1/Thing", DEFINITIONS)

    assert Draft202012Validator(schema).is_valid(value) is is_right


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        (run(jobs=[{"spec": {"size": "1"}}]), True),
        (run(jobs=[{"spec": {"sise": "1"}}]), False),
        (run(limit=1, free={"a": "b", "other": 1}), True),
        (run(limit="x"), True),
        (run(limit={}), False),
        (run(limti=1), False),
    ],
)
def test_what_a_controller_leaves_open_is_closed(value: object, is_right: bool) -> None:
    """A graft holds pods inside of foreign kinds to Kubernetes' own definition."""
    schema = custom("argo/v1/Run", [CUSTOM], {"spec.jobs[].spec": "Spec"}, DEFINITIONS)

    assert Draft202012Validator(schema).is_valid(value) is is_right


def test_a_schema_stands_alone() -> None:
    """A file needs no other file, and holds no definition that nothing in it names."""
    schema = built_in("shop/v1/Thing", DEFINITIONS)

    assert set(schema["definitions"]) == {META, QUANTITY, "Spec"}
    assert "description" not in schema["definitions"][QUANTITY]


@pytest.mark.parametrize("kind", ["shop/v2/Thing", "v1/Thing"])
def test_a_kind_that_is_not_described_is_an_error(kind: str) -> None:
    """Another version or group is another kind."""
    with pytest.raises(KeyError):
        built_in(kind, DEFINITIONS)


@pytest.mark.parametrize(
    ("kind", "grafts"), [("argo/v2/Run", {}), ("argo/v1/Run", {"spec.gone": "Spec"})]
)
def test_a_graft_without_a_place_is_an_error(kind: str, grafts: dict[str, str]) -> None:
    """A definition that moved is found when schemas are made, not when a pod slips through."""
    with pytest.raises(KeyError):
        custom(kind, [CUSTOM], grafts, DEFINITIONS)


def test_every_source_is_pinned_whole() -> None:
    """A source without a hash, or a list without Kubernetes itself, is refused with all faults."""
    text = b'[[sources]]\nmodule = "example.org/x"\nversion = "v1"\nfile = "crd.yaml"\n'

    with pytest.raises(ConfigurationError) as caught:
        read_sources(text, "sources.toml")

    assert caught.value.context == (
        "sources.toml.sources[0]: sum, kinds missing",
        "sources.toml: no source is `k8s.io/kubernetes`, whose definitions all others need",
    )
