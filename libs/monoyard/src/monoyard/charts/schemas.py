"""JSON schemas of Kubernetes' kinds, one self-contained file each, from what projects publish.

Kubernetes publishes an OpenAPI document, controllers publish CustomResourceDefinitions. Both leave
objects open to any key; here each is closed, so that a misspelled field is found at the desk and
not silently dropped by the API server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]

_PREFIX: Final = "#/definitions/"
_OWN_WORDS: Final = frozenset({"description", "example", "externalDocs", "format", "title"})
_INT_OR_STRING: Final[Schema] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
_NUMBER_OR_STRING: Final[Schema] = {"anyOf": [{"type": "number"}, {"type": "string"}]}
_QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_METADATA: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def file_name(kind: str) -> str:
    """Return the name of a kind's file, such as `deployment-apps-v1.json` of `apps/v1/Deployment`.

    kubeconform is told to look for the same name: kind, group and version in small letters.
    """
    *group, version, name = kind.split("/")
    return "-".join((name.lower(), *group, version)) + ".json"


def built_in(kind: str, definitions: Mapping[str, Schema]) -> Schema:
    """Return the schema of a kind that Kubernetes itself has.

    Args:
        kind: Such as `apps/v1/Deployment`.
        definitions: Those of the OpenAPI document (version 2).

    Raises:
        KeyError: The document does not have it.
    """
    *group, version, name = kind.split("/")
    wanted = {"group": group[0] if group else "", "version": version, "kind": name}
    for definition in definitions.values():
        if wanted in definition.get("x-kubernetes-group-version-kind", ()):
            return _whole(_named(_closed(definition), kind), definitions)
    raise KeyError(kind)


def custom(
    kind: str,
    documents: Iterable[Mapping[str, Any]],
    grafts: Mapping[str, str],
    definitions: Mapping[str, Schema],
) -> Schema:
    """Return the schema of a kind that a CustomResourceDefinition describes.

    Args:
        kind: Such as `argoproj.io/v1alpha1/Rollout`.
        documents: The definitions of a file.
        grafts: Path of a field (`spec.metrics[].provider.job.spec`) to the definition of
            Kubernetes that stands there: controllers leave pods open.
        definitions: Those of Kubernetes.

    Raises:
        KeyError: No document has it, or a graft has no place.
    """
    group, version, name = kind.split("/")
    for document in documents:
        spec = document["spec"]
        if (spec["group"], spec["names"]["kind"]) != (group, name):
            continue
        for item in spec["versions"]:
            if item["name"] == version:
                schema = _closed(item["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"$ref": _PREFIX + _METADATA}
                for path, definition in grafts.items():
                    _graft(schema, path, {"$ref": _PREFIX + definition})
                return _whole(_named(schema, kind), definitions)
    raise KeyError(kind)


def _named(schema: Schema, kind: str) -> Schema:
    """Hold an object to its own kind: a file that was picked by name alone proves nothing."""
    api_version, _, name = kind.rpartition("/")
    properties = schema["properties"]
    properties["apiVersion"], properties["kind"] = {"const": api_version}, {"const": name}
    required = {*schema.get("required", ()), "apiVersion", "kind", "metadata"}
    properties.pop("status", None)  # no chart says how things stand
    return {**schema, "required": sorted(required)}


def _closed(schema: Any) -> Any:
    """Return a schema without prose, in which objects have no keys but their own."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return dict(_INT_OR_STRING)
    closed = {
        key: {name: _closed(item) for name, item in value.items()}
        if key == "properties" else _closed(value)
        for key, value in schema.items()
        if key not in _OWN_WORDS and not key.startswith("x-kubernetes-")
    }  # fmt: skip
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and not is_open:
        closed["additionalProperties"] = False
    return closed


def _graft(schema: Schema, path: str, graft: Schema) -> None:
    *parents, last = path.split(".")
    for word in parents:
        schema = schema["properties"][word.removesuffix("[]")]
        if word.endswith("[]"):
            schema = schema["items"]
    if last not in schema["properties"]:
        raise KeyError(path)
    schema["properties"][last] = graft


def _whole(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return a schema with every definition that it names, and that those name."""
    found: dict[str, Schema] = {}
    waiting = sorted(_references(schema))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        known = _NUMBER_OR_STRING if name == _QUANTITY else _closed(definitions[name])
        found[name] = dict(known)
        waiting.extend(_references(known))
    return {**schema, "definitions": dict(sorted(found.items()))}


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for item in schema for name in _references(item)}
    if not isinstance(schema, dict):
        return set()
    target = schema.get("$ref")
    own = {target.removeprefix(_PREFIX)} if isinstance(target, str) else set()
    return own | {name for item in schema.values() for name in _references(item)}
