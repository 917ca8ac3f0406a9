"""`uv.lock`: universal, with edges, extras, groups and workspace members."""

from __future__ import annotations

import re
from typing import Any, Final

from monoyard.locks._toml import (
    LockShapeError,
    load_toml,
    required_text,
    table,
    tables,
    text_or_none,
    texts,
)
from monoyard.locks._values import (
    Dependency,
    Lock,
    LockedDistribution,
    merge,
    normalise,
    seal,
    without_credentials,
)

_VERSION: Final = 1
_MEMBER_SOURCES: Final = frozenset({"editable", "virtual", "directory"})
# A file of a distribution as uv writes it. Only its hash is needed, and parsing the rest as TOML
# takes most of the time: a lock of 400 distributions has some 8,000 of them.
_FILE: Final = re.compile(
    r'\{ (?:url|path) = "[^"\\\n]*", hash = ("[a-z0-9]+:[0-9a-f]+")[^{}\n]*\}'
)


def parse_uv_lock(path: str, text: str) -> Lock:
    """Return the lock that `text` is; raises LockShapeError when it is no `uv.lock`."""
    document = load_toml(_FILE.sub(r"\1", text))
    if document.get("version") != _VERSION:
        raise LockShapeError(f"its format version is {document.get('version')!r}, known is 1")
    grouped: dict[str, list[LockedDistribution]] = {}
    for package in tables(document, "package"):
        distribution = _distribution(package)
        grouped.setdefault(distribution.name, []).append(distribution)
    if not grouped:
        raise LockShapeError("it locks nothing")
    environments = texts(document, "supported-markers") or texts(document, "environments")
    return Lock(
        path=path,
        kind="uv",
        distributions={name: merge(name, grouped[name]) for name in sorted(grouped)},
        python=text_or_none(document, "requires-python"),
        platform=" | ".join(environments) or None,
    )


def _distribution(package: dict[str, Any]) -> LockedDistribution:
    name = normalise(required_text(package, "name"))
    source = table(package, "source")
    markers = " | ".join(texts(package, "resolution-markers"))
    hashes = tuple(sorted(_hashes(package)))
    version = text_or_none(package, "version") or ""
    origin = _origin(source)
    return LockedDistribution(
        name=name,
        version=" ".join(filter(None, (version, origin))),
        hashes=hashes,
        dependencies=_dependencies(package),
        marker=markers or None,
        is_local=not _MEMBER_SOURCES.isdisjoint(source),
        proof=seal(hashes, markers),
    )


def _origin(source: dict[str, Any]) -> str:
    """Return where it comes from unless that is an index, whose hashes say enough."""
    for kind in ("git", "url", "path"):
        if address := text_or_none(source, kind):
            return without_credentials(address)
    return ""


def _hashes(package: dict[str, Any]) -> set[str]:
    wheels = package.get("wheels", [])
    if not isinstance(wheels, list):
        raise LockShapeError("`wheels` is not a list")
    found = set()
    for file in (*wheels, *filter(None, [package.get("sdist")])):
        hash_ = file.get("hash") if isinstance(file, dict) else file
        if isinstance(hash_, str):
            found.add(hash_)
    return found


def _dependencies(package: dict[str, Any]) -> tuple[Dependency, ...]:
    edges = [_dependency(edge) for edge in tables(package, "dependencies")]
    optional = table(package, "optional-dependencies")
    for extra in optional:
        edges += [_dependency(edge, for_extra=normalise(extra)) for edge in tables(optional, extra)]
    groups = table(package, "dev-dependencies")
    for group in groups:
        edges += [_dependency(edge, for_group=normalise(group)) for edge in tables(groups, group)]
    return tuple(dict.fromkeys(edges))


def _dependency(
    edge: dict[str, Any], *, for_extra: str | None = None, for_group: str | None = None
) -> Dependency:
    return Dependency(
        name=normalise(required_text(edge, "name")),
        extras=tuple(sorted(normalise(extra) for extra in texts(edge, "extra"))),
        marker=text_or_none(edge, "marker"),
        for_extra=for_extra,
        for_group=for_group,
    )
