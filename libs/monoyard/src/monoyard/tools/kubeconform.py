"""kubeconform: holds objects of Kubernetes against JSON schemas. Tested with 0.8."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# It takes the version of the core group, which has no name, for the group as well.
_NAMES: Final = (
    "{{ .ResourceKind }}{{ if ne .Group .ResourceAPIVersion }}-{{ .Group }}{{ end }}"
    "-{{ .ResourceAPIVersion }}.json"
)
_FINE: Final = frozenset({"statusValid", "statusSkipped"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an object is not what the API server takes.

    Attributes:
        kind: Of the object.
        name: Of the object.
        field: Path in it, such as `spec.ports.0`; empty for the object as a whole.
        message: What is wrong.
    """

    kind: str
    name: str
    field: str
    message: str


def check(program: Path, schemas: Path) -> tuple[str, ...]:
    """Return the call that checks the documents on standard input; nothing is fetched.

    Args:
        program: kubeconform.
        schemas: Directory of schemas: `KIND-GROUP-VERSION.json`, `KIND-VERSION.json` for the core.
    """
    return (
        str(program), "-output=json", "-strict", "-verbose", f"-schema-location={schemas}/{_NAMES}",
    )  # fmt: skip


def parse(said: bytes) -> tuple[int, tuple[Fault, ...]]:
    """Return how many objects were looked at, and the faults.

    Raises:
        ValueError: It is no report.
    """
    try:
        resources = json.loads(said)["resources"]
    except KeyError as error:
        raise ValueError("kubeconform printed no report") from error
    faults: list[Fault] = []
    for item in resources:
        if item["status"] in _FINE:
            continue
        details = item.get("validationErrors") or ({"path": "", "msg": item["msg"]},)
        faults.extend(
            Fault(item["kind"], item["name"], _field(detail["path"]), detail["msg"])
            for detail in details
        )
    return len(resources), tuple(faults)


def _field(path: str) -> str:
    return path.strip("/").replace("/", ".")
