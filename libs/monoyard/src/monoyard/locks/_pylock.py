"""`pylock.toml` (PEP 751): what to install, and only sometimes why."""

from __future__ import annotations

from typing import Any

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


def parse_pylock(path: str, text: str) -> Lock:
    """Return the lock that `text` is; raises LockShapeError when it is no `pylock.toml`."""
    document = load_toml(text)
    version = text_or_none(document, "lock-version") or ""
    if not version.startswith("1."):
        raise LockShapeError(f"its lock-version is {version!r}, known is 1")
    packages = tables(document, "packages")
    grouped: dict[str, list[LockedDistribution]] = {}
    for package in packages:
        distribution = _distribution(package)
        grouped.setdefault(distribution.name, []).append(distribution)
    return Lock(
        path=path,
        kind="pylock",
        distributions={name: merge(name, grouped[name]) for name in sorted(grouped)},
        python=text_or_none(document, "requires-python"),
        platform=" | ".join(texts(document, "environments")) or None,
        problem=_problem(packages),
    )


def _problem(packages: list[dict[str, Any]]) -> str | None:
    # An entry without the key may have no dependencies or not say; only the writer knows.
    silent = [package["name"] for package in packages if "dependencies" not in package]
    if not silent:
        return None
    return f"it does not record what {silent[0]} depends on, so no closure can be told apart"


def _distribution(package: dict[str, Any]) -> LockedDistribution:
    name = normalise(required_text(package, "name"))
    marker = text_or_none(package, "marker")
    hashes = tuple(sorted(_hashes(package)))
    return LockedDistribution(
        name=name,
        version=" ".join(filter(None, (text_or_none(package, "version"), _origin(package)))),
        hashes=hashes,
        dependencies=tuple(
            Dependency(normalise(required_text(edge, "name")))
            for edge in tables(package, "dependencies")
        ),
        marker=marker,
        is_local="directory" in package,
        proof=seal(hashes, marker),
    )


def _origin(package: dict[str, Any]) -> str:
    """Return the source of what comes from no index, down to the commit."""
    vcs, archive = table(package, "vcs"), table(package, "archive")
    parts = [
        text_or_none(vcs, "url") or text_or_none(vcs, "path"),
        text_or_none(vcs, "commit-id"),
        text_or_none(archive, "url") or text_or_none(archive, "path"),
        text_or_none(table(package, "directory"), "path"),
    ]
    return without_credentials(" ".join(part for part in parts if part))


def _hashes(package: dict[str, Any]) -> set[str]:
    files = [*tables(package, "wheels"), table(package, "sdist"), table(package, "archive")]
    return {
        f"{algorithm}:{value}"
        for file in files
        for algorithm, value in table(file, "hashes").items()
    }
