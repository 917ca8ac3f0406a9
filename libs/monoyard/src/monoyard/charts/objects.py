"""Rendered objects, and the pods in them wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

Object = Mapping[str, Any]

# libyaml is ten times quicker, and not everywhere.
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class PodPlace:
    """A pod that an object makes.

    Attributes:
        path: Where it stands in the object, such as `spec.template.spec`.
        spec: The pod's specification.
    """

    path: str
    spec: Mapping[str, Any]

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the path and the specification of each container, those that prepare included."""
        for name in _LISTS:
            for number, container in enumerate(self.spec.get(name) or ()):
                yield f"{self.path}.{name}[{number}]", container


def parse(text: str) -> tuple[Object, ...]:
    """Return the objects of a YAML stream; documents without any content are none.

    Raises:
        ValueError: It is no YAML, or a document is no object.
    """
    try:
        documents = [item for item in yaml.load_all(text, LOADER) if item is not None]
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML: {error}") from error
    for item in documents:
        if not isinstance(item, dict) or "kind" not in item:
            raise ValueError("a document is no object of Kubernetes")
    return tuple(documents)


def label(thing: Object) -> str:
    """Return what an object is called in findings, such as `Rollout/api`."""
    return f"{thing['kind']}/{thing.get('metadata', {}).get('name', '')}"


def pods(thing: Object) -> Iterator[PodPlace]:
    """Yield every pod that an object makes, whatever its kind."""
    yield from _pods(thing, "")


def _pods(value: Any, path: str) -> Iterator[PodPlace]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _pods(item, f"{path}[{number}]")
    elif isinstance(value, dict):
        if isinstance(value.get("containers"), list):
            yield PodPlace(path, value)
            return
        for key, item in value.items():
            yield from _pods(item, f"{path}.{key}" if path else str(key))


def named_secrets(thing: Object) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield field, name and keys of each Secret that an object names."""
    spec = thing.get("spec") or {}
    tls = spec.get("tls") or ()
    for item in (tls,) if isinstance(tls, dict) else tls:
        if "secretName" in item:
            yield "spec.tls", item["secretName"], ("tls.crt", "tls.key")
    for pod in pods(thing):
        for volume in pod.spec.get("volumes") or ():
            if "secret" in volume:
                yield f"{pod.path}.volumes", volume["secret"].get("secretName", ""), ()
        for path, container in pod.containers():
            for source in container.get("envFrom") or ():
                if "secretRef" in source:
                    yield f"{path}.envFrom", source["secretRef"].get("name", ""), ()
            for variable in container.get("env") or ():
                named = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if named and not named.get("optional"):
                    yield f"{path}.env.{variable['name']}", named["name"], (named["key"],)
