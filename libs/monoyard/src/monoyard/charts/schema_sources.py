"""Makes the schemas of a repository from pinned Go modules.

Go's checksum database vouches for them, and the list of sources holds their hashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from monoyard.charts.objects import LOADER
from monoyard.charts.schemas import Schema, built_in, custom, file_name
from monoyard.config import parse_toml
from monoyard.config.kinds import Kind, list_of, mapping_of, table, text
from monoyard.errors import ConfigurationError, ToolError
from monoyard.process import PROXIES, Command, capture, clean

KUBERNETES: Final = "k8s.io/kubernetes"

_SECONDS: Final = 600.0
_DECLARED: Final = ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOMODCACHE",
                    "NETRC", *PROXIES)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """A file that describes kinds.

    Attributes:
        module: Go module that has it.
        version: Of the module.
        sum: Hash of the module, as in `go.sum`.
        file: Path in the module.
        kinds: Kinds that are wanted of it, such as `apps/v1/Deployment`.
        grafts: Path of a field to the definition of Kubernetes that stands there.
    """

    module: str = ""
    version: str = ""
    sum: str = ""
    file: str = ""
    kinds: tuple[str, ...] = ()
    grafts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sources:
    sources: tuple[SchemaSource, ...] = ()


def read_sources(data: bytes, path: str) -> tuple[SchemaSource, ...]:
    """Read the list of sources.

    Raises:
        ConfigurationError: It has faults.
    """
    faults: list[str] = []
    found: _Sources = _SOURCES.read(parse_toml(data, path, faults), path, faults)
    for number, source in enumerate(found.sources):
        said = {"module": source.module, "version": source.version, "sum": source.sum,
                "file": source.file, "kinds": source.kinds}  # fmt: skip
        missing = [name for name, value in said.items() if not value]
        if missing:
            faults.append(f"{path}.sources[{number}]: {', '.join(missing)} missing")
    if not any(source.module == KUBERNETES for source in found.sources):
        faults.append(f"{path}: no source is `{KUBERNETES}`, whose definitions all others need")
    if faults:
        raise ConfigurationError(f"{path} has faults", context=tuple(faults))
    return found.sources


def make_schemas(sources: Sequence[SchemaSource], go: Path) -> dict[str, str]:
    """Return the schemas: name of the file to its text, and `VERSION`, that of Kubernetes.

    Args:
        sources: Where kinds are described.
        go: The Go program, which fetches modules and checks them.

    Raises:
        ConfigurationError: A module is not what its sum says, or lacks a file or a kind.
        ToolError: A module cannot be fetched.
    """
    modules = {(source.module, source.version): source for source in sources}
    places = {key: _fetched(source, go) for key, source in modules.items()}
    kubernetes = next(source for source in sources if source.module == KUBERNETES)
    document = json.loads(_bytes(kubernetes, places))
    files = {"VERSION": kubernetes.version.removeprefix("v") + "\n"}
    for source in sources:
        documents = () if source is kubernetes else tuple(_yaml(_bytes(source, places)))
        for kind in source.kinds:
            schema = _schema(source, kind, documents, document["definitions"])
            files[file_name(kind)] = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    return files


def _schema(
    source: SchemaSource,
    kind: str,
    documents: Sequence[Mapping[str, Any]],
    definitions: Mapping[str, Schema],
) -> Schema:
    try:
        if documents:
            return custom(kind, documents, source.grafts, definitions)
        return built_in(kind, definitions)
    except KeyError as error:
        raise ConfigurationError(
            f"{source.module} {source.version} has no {error.args[0]} for {kind}"
        ) from error


def _fetched(source: SchemaSource, go: Path) -> Path:
    """Return where a module is, fetched now if it is not there."""
    argv = (str(go), "mod", "download", "-json", f"{source.module}@{source.version}")
    environment = {**clean(_DECLARED), "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local"}
    done = capture(Command(argv, Path("/"), environment, timeout=_SECONDS))
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise ToolError(f"cannot fetch {source.module}", context=done.last_lines) from error
    if done.status != 0 or "Dir" not in answer:
        raise ToolError(
            f"cannot fetch {source.module}", context=(str(answer.get("Error", "")),),
            hint="set GOPROXY to a proxy that can be reached",
        )  # fmt: skip
    if answer["Sum"] != source.sum:
        raise ConfigurationError(
            f"{source.module} {source.version} is not what was pinned",
            context=(f"pinned {source.sum}", f"is     {answer['Sum']}"),
        )
    return Path(answer["Dir"])


def _bytes(source: SchemaSource, places: Mapping[tuple[str, str], Path]) -> bytes:
    try:
        return (places[source.module, source.version] / source.file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{source.module} has no file {source.file}") from error


def _yaml(data: bytes) -> Iterable[Mapping[str, Any]]:
    yield from (item for item in yaml.load_all(data, LOADER) if item)


_SOURCE_KINDS: Final[dict[str, tuple[Kind, str]]] = {
    "module": (text(), "Go module that has the file."),
    "version": (text(), "Version of the module."),
    "sum": (text(), "Hash of the module, as in `go.sum`."),
    "file": (text(), "Path in the module."),
    "kinds": (list_of(text()), "Kinds that are wanted of it."),
    "grafts": (
        mapping_of(text()), "Path of a field to the definition of Kubernetes that stands there.",
    ),
}  # fmt: skip

_SOURCES: Final = table(
    _Sources,
    {"sources": (list_of(table(SchemaSource, _SOURCE_KINDS)), "Files that describe kinds.")},
)
