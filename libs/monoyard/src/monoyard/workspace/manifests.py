"""Manifests: `pyproject.toml` and `package.json` as one small value, whatever tool wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from monoyard.config import Faults, parse_json, parse_toml, table_at
from monoyard.workspace.requirements import normalize, split_requirement

MANIFEST_NAMES = ("pyproject.toml", "package.json")

_PROJECT_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE)  # PEP 508


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says of its package.

    Attributes:
        kind: `python` or `typescript`.
        name: Normalised project name; empty where the file names no project.
        refused_name: What stands in the place of the name but cannot be one, as in the manifest of
            a template (`$name`, `{{ name }}`); empty elsewhere.
        version: As written; `0` where the build backend computes it.
        requires_python: Version specifier, or empty.
        requirements: Run-time requirements, as written (npm: `name@range`).
        extras: Optional run-time requirements by extra.
        groups: Development requirements by group; includes are already resolved.
        sources: Requirement name to a local directory relative to the manifest, or to `workspace`.
        entry_points: Entry point group to name to object reference.
        members: Globs of member directories, where this manifest declares a workspace.
        excluded: Globs of directories that are no members.
        settings: The raw `monoyard` table.
        build_requires: Requirements of the build backend.
        scripts: npm scripts.
        beside: The `package.json` beside a `pyproject.toml`, where both name a project. Its name
            and its dependencies count, its scripts make no suites.

    """

    kind: str
    name: str
    version: str = "0"
    requires_python: str = ""
    requirements: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    build_requires: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    refused_name: str = ""
    beside: Manifest | None = None

    def to_data(self) -> dict[str, Any]:
        """Return the manifest as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Manifest:
        """Rebuild a manifest from `to_data`."""
        for name in ("requirements", "members", "excluded", "build_requires", "tools"):
            data[name] = tuple(data[name])
        for name in ("extras", "groups"):
            data[name] = {group: tuple(items) for group, items in data[name].items()}
        return cls(**data)


def parse_manifest(data: bytes, path: str, faults: Faults) -> Manifest | None:
    """Parse a manifest by its file name; None (with a fault added) where it cannot be read."""
    before = len(faults)
    if path.endswith(".json"):
        document = parse_json(data, path, faults)
        read = _package_json
    else:
        document = parse_toml(data, path, faults)
        read = _pyproject
    return None if len(faults) > before else read(document)


def _pyproject(document: dict[str, Any]) -> Manifest:
    project = table_at(document, "project")
    poetry = table_at(document, "tool", "poetry")
    uv = table_at(document, "tool", "uv")
    written = project.get("name") or poetry.get("name") or ""
    name = written if isinstance(written, str) else ""
    is_name = _PROJECT_NAME.fullmatch(name) is not None
    workspace = table_at(uv, "workspace")
    requirements = _texts(project.get("dependencies"))
    return Manifest(
        kind="python",
        name=normalize(name) if is_name else "",
        refused_name="" if is_name else name,
        version=str(project.get("version") or poetry.get("version") or "0"),
        requires_python=str(project.get("requires-python") or ""),
        requirements=requirements + _poetry_requirements(poetry.get("dependencies")),
        extras={
            normalize(extra): _texts(items)
            for extra, items in table_at(project, "optional-dependencies").items()
        },
        groups=_groups(document, uv, poetry),
        sources={**_uv_sources(uv), **_poetry_sources(poetry), **_direct_sources(requirements)},
        entry_points=_entry_points(project),
        members=_texts(workspace.get("members")),
        excluded=_texts(workspace.get("exclude")),
        settings=table_at(document, "tool", "monoyard"),
        build_requires=_texts(table_at(document, "build-system").get("requires")),
        tools=tuple(table_at(document, "tool")),
    )


def dependency_groups(document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the groups of PEP 735 by normalised name, with what they include."""
    raw = table_at(document, "dependency-groups")
    return {normalize(name): _expand_group(name, raw, ()) for name in raw}


def _groups(
    document: dict[str, Any], uv: dict[str, Any], poetry: dict[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Gather PEP 735 groups, and the development requirements of uv, poetry and hatch."""
    groups = dependency_groups(document)
    groups.update(_hatch_groups(table_at(document, "tool", "hatch", "envs")))
    if "dev-dependencies" in uv:
        groups["dev"] = groups.get("dev", ()) + _texts(uv["dev-dependencies"])
    for name in table_at(poetry, "group"):
        found = _poetry_requirements(table_at(poetry, "group", name, "dependencies"))
        groups[normalize(name)] = groups.get(normalize(name), ()) + found
    return groups


def _hatch_groups(tables: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the dependencies of each of hatch's tables that has some, inherited ones included."""
    groups = {}
    for name in tables:
        table = _hatch_table(name, tables, ())
        wanted = _texts(table.get("dependencies")) + _texts(table.get("extra-dependencies"))
        if wanted:
            groups[f"hatch.{normalize(name)}"] = wanted
    return groups


def _hatch_table(name: str, tables: dict[str, Any], seen: tuple[str, ...]) -> dict[str, Any]:
    """Return a table over the one it takes what it lacks from: `default`, if it names no other."""
    own = table_at(tables, name)
    template = str(own.get("template", "default"))
    if own.get("detached") is True or template in {name, *seen}:
        return own
    return {**_hatch_table(template, tables, (*seen, name)), **own}


def _expand_group(name: str, raw: dict[str, Any], seen: tuple[str, ...]) -> tuple[str, ...]:
    if name in seen or not isinstance(raw.get(name), list):
        return ()
    found: list[str] = []
    for item in raw[name]:
        if isinstance(item, str):
            found.append(item)
        elif included := table_at(item).get("include-group"):
            by_normal = {normalize(key): key for key in raw}
            target = by_normal.get(normalize(str(included)), str(included))
            found.extend(_expand_group(target, raw, (*seen, name)))
    return tuple(found)


def _uv_sources(uv: dict[str, Any]) -> dict[str, str]:
    sources = {}
    for name, source in table_at(uv, "sources").items():
        for table in source if isinstance(source, list) else [source]:
            if table_at(table).get("workspace"):
                sources[normalize(name)] = "workspace"
            elif isinstance(path := table_at(table).get("path"), str):
                sources[normalize(name)] = path
    return sources


def _direct_sources(requirements: Iterable[str]) -> dict[str, str]:
    """Read `name @ file:../path`, the PEP 508 way to name a directory."""
    sources = {}
    for requirement in requirements:
        head, at, url = requirement.partition("@")
        found = split_requirement(head)
        if at and found and (target := url.strip().split(";")[0].strip()).startswith("file:"):
            path = target.removeprefix("file:").removeprefix("//").removeprefix("{root:uri}/")
            sources[found[0]] = path.removeprefix("${PROJECT_ROOT}/")
    return sources


def _poetry_requirements(table: Any) -> tuple[str, ...]:
    return tuple(
        name if not isinstance(constraint, str) or constraint == "*" else f"{name} ({constraint})"
        for name, constraint in table_at(table).items()
        if name != "python"
    )


def _poetry_sources(poetry: dict[str, Any]) -> dict[str, str]:
    tables = [table_at(poetry, "dependencies")]
    tables += [
        table_at(poetry, "group", name, "dependencies") for name in table_at(poetry, "group")
    ]
    return {
        normalize(name): constraint["path"]
        for table in tables
        for name, constraint in table.items()
        if isinstance(constraint, dict) and isinstance(constraint.get("path"), str)
    }


def _entry_points(project: dict[str, Any]) -> dict[str, dict[str, str]]:
    groups = {
        "console_scripts": table_at(project, "scripts"),
        "gui_scripts": table_at(project, "gui-scripts"),
        **{name: table_at(items) for name, items in table_at(project, "entry-points").items()},
    }
    return {
        group: {k: str(v) for k, v in items.items()} for group, items in groups.items() if items
    }


def _package_json(document: dict[str, Any]) -> Manifest:
    workspaces = document.get("workspaces")
    members = workspaces.get("packages") if isinstance(workspaces, dict) else workspaces
    runtime = _npm_requirements(
        document, "dependencies", "peerDependencies", "optionalDependencies"
    )
    name = document.get("name")
    scripts = table_at(document, "scripts")
    return Manifest(
        kind="typescript",
        name=name.lower() if isinstance(name, str) else "",
        version=str(document.get("version") or "0"),
        requirements=runtime,
        groups={"dev": _npm_requirements(document, "devDependencies")},
        members=_texts(members),
        settings=table_at(document, "monoyard"),
        scripts={key: value for key, value in scripts.items() if isinstance(value, str)},
    )


def _npm_requirements(document: dict[str, Any], *tables: str) -> tuple[str, ...]:
    return tuple(
        f"{name}@{wanted}" for table in tables for name, wanted in table_at(document, table).items()
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
