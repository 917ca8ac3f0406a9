"""kubeconform: the call, and the faults in its report."""

import json
from pathlib import Path

import pytest

from monoyard.tools import kubeconform


def test_nothing_but_our_schemas_is_asked() -> None:
    """Schemas come from one directory, keys that stand twice are refused, all objects are told."""
    assert kubeconform.check(Path("/bin/kubeconform"), Path("/s")) == (
        "/bin/kubeconform", "-output=json", "-strict", "-verbose",
        "-schema-location=/s/{{ .ResourceKind }}"
        "{{ if ne .Group .ResourceAPIVersion }}-{{ .Group }}{{ end }}"
        "-{{ .ResourceAPIVersion }}.json",
    )  # fmt: skip


def test_each_fault_names_its_field() -> None:
    """A fault is the object, the field in it and what is wrong; a kind without schema is one."""
    said = {
        "resources": [
            {"kind": "Service", "name": "api", "status": "statusValid", "msg": ""},
            {
                "kind": "Rollout", "name": "api", "status": "statusInvalid", "msg": "two problems",
                "validationErrors": [
                    {"path": "/spec", "msg": "additional properties 'replicsa' not allowed"},
                    {"path": "/spec/template/spec/containers/0", "msg": "missing 'name'"},
                ],
            },
            {
                "kind": "Gadget", "name": "x", "status": "statusError",
                "msg": "could not find schema for Gadget",
            },
        ]
    }  # fmt: skip

    count, faults = kubeconform.parse(json.dumps(said).encode())

    assert count == 3
    assert [(fault.kind, fault.field, fault.message) for fault in faults] == [
        ("Rollout", "spec", "additional properties 'replicsa' not allowed"),
        ("Rollout", "spec.template.spec.containers.0", "missing 'name'"),
        ("Gadget", "", "could not find schema for Gadget"),
    ]


@pytest.mark.parametrize("said", [b"", b"{}", b"panic: nothing"])
def test_what_is_no_report_is_an_error(said: bytes) -> None:
    """A kubeconform that did not come to its end has not found everything right."""
    with pytest.raises(ValueError, match=r"report|Expecting"):
        kubeconform.parse(said)
