"""Finds the packages of a tree, with or without configuration."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monoyard.config import (
    UNSAID,
    Faults,
    PackageSettings,
    WorkspaceSettings,
    parse_toml,
    read_package_settings,
    read_workspace_settings,
    suggest,
)
from monoyard.workspace.file_imports import (
    READER_VERSION,
    content_id,
    is_true,
    with_imports,
)
from monoyard.workspace.globs import matches
from monoyard.workspace.manifests import MANIFEST_NAMES, Manifest, parse_manifest
from monoyard.workspace.memo import Memo
from monoyard.workspace.package import ROOT_PACKAGE_PATHS, Package, layout
from monoyard.workspace.tree import Tree

_NEVER_MEMBERS = ("**/node_modules", "**/.venv", "**/site-packages", "**/testdata", "**/fixtures")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    Attributes:
        settings: The root table.
        documents: The parsed root `pyproject.toml`.
        packages: By display name, sorted.
        files: Package name to the paths it owns.
        notes: What a person should know about how packages were found.
    """

    settings: WorkspaceSettings
    document: Mapping[str, Any]
    packages: Mapping[str, Package]
    files: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def discover(tree: Tree, memo: Memo, faults: Faults) -> Discovery:
    """Find the packages of a tree; everything wrong is added to `faults`."""
    document, settings = _read_root(tree, faults)
    notes: list[str] = []
    manifests = _read_manifests(tree, memo, settings, faults, notes)
    names = _display_names(manifests, settings)
    for name in settings.packages:
        if name not in names.values():
            faults.append(
                f"{settings.source}: packages.{name}: no such package"
                f"{suggest(name, names.values())}"
            )
    files = _owned_files(tree, manifests, settings)
    packages = {}
    for directory in sorted(manifests, key=names.__getitem__):
        packages[names[directory]] = _package(
            names[directory], directory, manifests[directory], files[directory], settings, faults
        )
    owned = {names[directory]: tuple(paths) for directory, paths in files.items()}
    packages = with_imports(tree, memo, packages, owned)
    return Discovery(settings, document, packages, owned, tuple(notes))


def _read_root(tree: Tree, faults: Faults) -> tuple[dict[str, Any], WorkspaceSettings]:
    data = tree.read("pyproject.toml")
    document = parse_toml(data, "pyproject.toml", faults) if data is not None else {}
    own = tree.read("monoyard.toml")
    own_table = parse_toml(own, "monoyard.toml", faults) if own is not None else None
    found: Faults = []
    settings = read_workspace_settings(document, own_table, found)
    prefix = "" if settings.source == "monoyard.toml" else "pyproject.toml: "
    faults.extend(prefix + fault for fault in found)
    return document, settings


def _read_manifests(
    tree: Tree, memo: Memo, settings: WorkspaceSettings, faults: Faults, notes: list[str]
) -> dict[str, Manifest]:
    """Return directory to manifest for every package; what was passed over is noted."""
    candidates: dict[str, list[str]] = defaultdict(list)
    for path in tree.paths:
        directory, _, name = path.rpartition("/")
        if name in MANIFEST_NAMES and not matches(directory, _NEVER_MEMBERS):
            candidates[directory].append(path)
    root = _parse_all(tree, memo, candidates.get("", []), faults)
    is_member = _membership(tree, settings, root, faults)
    chosen = [
        path
        for directory, paths in candidates.items()
        if directory and not matches(directory, settings.exclude)
        for path in paths
        if is_member(path)
    ]
    parsed = _parse_all(tree, memo, chosen, faults)
    manifests: dict[str, Manifest] = {}
    for path, manifest in sorted(parsed.items()):  # package.json before pyproject.toml
        directory = path.rpartition("/")[0]
        if manifest.refused_name:
            notes.append(
                f"{path}: `{manifest.refused_name}` is no project name, so {directory} is no "
                "package; name it in `exclude` to hide this note"
            )
        if manifest.name:
            manifests[directory] = replace(manifest, beside=manifests.get(directory))
    if settings.root_package is not None:
        manifests[""] = root.get("pyproject.toml") or Manifest("python", settings.root_package)
    elif settings.members is None and (own := root.get("pyproject.toml")) and own.name:
        manifests[""] = own
    return {
        directory: manifest for directory, manifest in manifests.items()
        if manifest.name or directory == ""
    }  # fmt: skip


def _membership(
    tree: Tree, settings: WorkspaceSettings, root: Mapping[str, Manifest], faults: Faults
) -> Callable[[str], bool]:
    """Return a test for paths of manifests: a workspace of uv or npm says nothing of the others."""
    if settings.members is not None:
        members = settings.members
        for pattern in members:
            if pattern.startswith(("/", "..")):
                faults.append(f"{settings.source}: members: `{pattern}` leaves the repository")
        return lambda path: _is_exactly(path.rpartition("/")[0], members)
    python, npm = (root.get(name, Manifest("", "")) for name in MANIFEST_NAMES)
    tests = {
        "pyproject.toml": _member_test(python.members, python.excluded),
        "package.json": _member_test((*npm.members, *_pnpm_members(tree)), npm.excluded),
    }

    def is_member(path: str) -> bool:
        directory, _, name = path.rpartition("/")
        return tests[name](directory)

    return is_member


def _member_test(declared: Iterable[str], excluded: Iterable[str]) -> Callable[[str], bool]:
    """Return a test for directories; without a declared member every directory is one."""
    declared = tuple(declared)
    included = tuple(pattern for pattern in declared if not pattern.startswith("!"))
    left_out = (*excluded, *(pattern[1:] for pattern in declared if pattern.startswith("!")))
    return lambda directory: (
        not included or (_is_exactly(directory, included) and not matches(directory, left_out))
    )


def _is_exactly(directory: str, patterns: Iterable[str]) -> bool:
    """Match a directory itself, not what is below a match."""
    return any(
        matches(directory, (pattern,))
        and (
            "**" in pattern
            or directory.count("/") == pattern.strip("/").removeprefix("./").count("/")
        )
        for pattern in patterns
    )


def _pnpm_members(tree: Tree) -> list[str]:
    """Read the `packages:` list of `pnpm-workspace.yaml`, the one key of it that matters here."""
    data = tree.read("pnpm-workspace.yaml")
    found = []
    inside = False
    for line in (data or b"").decode("utf-8", "replace").splitlines():
        if re.match(r"packages\s*:", line):
            inside = True
        elif inside and (match := re.match(r"\s*-\s*['\"]?([^'\"#]+?)['\"]?\s*(#.*)?$", line)):
            found.append(match[1])
        elif line.strip() and not line.startswith((" ", "#")):
            inside = False
    return found


def _parse_all(tree: Tree, memo: Memo, paths: Iterable[str], faults: Faults) -> dict[str, Manifest]:
    keys = {path: f"{READER_VERSION} {path[-4:]} {content_id(tree, path)}" for path in paths}
    known = memo.get_many("manifest", list(keys.values()))
    found: dict[str, Manifest] = {}
    fresh: dict[str, bytes] = {}
    missing = [path for path, key in keys.items() if key not in known]
    contents = tree.read_many(missing)
    for path, key in keys.items():
        if key in known:
            found[path] = Manifest.from_data(json.loads(known[key]))
        elif path in contents and (manifest := parse_manifest(contents[path], path, faults)):
            found[path] = manifest
            if is_true(tree, path, contents[path]):
                fresh[key] = json.dumps(manifest.to_data(), separators=(",", ":")).encode()
    if fresh:
        memo.put_many("manifest", fresh)
    return found


def _display_names(
    manifests: Mapping[str, Manifest], settings: WorkspaceSettings
) -> dict[str, str]:
    short = Counter(directory.rpartition("/")[2] for directory in manifests)
    projects = Counter(manifest.name for manifest in manifests.values())
    names: dict[str, str] = {}
    for directory, manifest in manifests.items():
        last = directory.rpartition("/")[2]
        if not directory:
            names[directory] = settings.root_package or manifest.name
        elif short[last] == 1 and (last == manifest.name or projects[last] == 0):
            names[directory] = last
        else:
            names[directory] = manifest.name if projects[manifest.name] == 1 else directory
    return names


def _owned_files(
    tree: Tree, manifests: Mapping[str, Manifest], settings: WorkspaceSettings
) -> dict[str, list[str]]:
    directories = sorted(directory for directory in manifests if directory)
    files: dict[str, list[str]] = {}
    for directory in directories:
        # In sorted order what lies below a directory stands together; "0" follows "/".
        first = bisect_left(directories, f"{directory}/")
        inner = directories[first : bisect_left(directories, f"{directory}0")]
        paths = tree.under(directory)
        for name in inner:
            paths = [path for path in paths if not path.startswith(name + "/")]
        files[directory] = paths
    if "" in manifests:
        taken = tuple(f"{name}/" for name in directories)
        files[""] = [
            path for place in _root_places(tree, settings) for path in _at(tree, place)
            if not path.startswith(taken)
        ]  # fmt: skip
    return files


def _root_places(tree: Tree, settings: WorkspaceSettings) -> tuple[str, ...]:
    """Say which paths a root package owns; what it does not own affects everything."""
    if settings.root_package is not None:
        return ROOT_PACKAGE_PATHS
    tops = {path.partition("/")[0] for path in tree.paths if path.endswith("/__init__.py")}
    return tuple(sorted({"src", "tests", "test", "pyproject.toml"} | tops))


def _at(tree: Tree, place: str) -> list[str]:
    return [place] if place in tree.entries else tree.under(place)


def _package(
    name: str,
    directory: str,
    manifest: Manifest,
    files: Iterable[str],
    settings: WorkspaceSettings,
    faults: Faults,
) -> Package:
    manifest_name = MANIFEST_NAMES[manifest.kind == "typescript"]
    manifest_path = f"{directory}/{manifest_name}" if directory else manifest_name
    if manifest.beside is not None and manifest.beside.settings:
        faults.append(
            f"{directory}/package.json: monoyard: the table stands in pyproject.toml, beside it"
        )
    own = UNSAID
    if directory and manifest.settings:
        key = "tool.monoyard" if manifest.kind == "python" else "monoyard"
        own = read_package_settings(manifest.settings, f"{manifest_path}: {key}", faults)
    merged = own.over(settings.packages.get(name, UNSAID))
    merged = merged.over(PackageSettings(suites=settings.suites) if settings.suites else UNSAID)
    role = merged.role or ("service" if directory.startswith("services/") else "lib")
    roots, modules = layout(directory, files) if manifest.kind == "python" else ((), ())
    if directory == "" and settings.root_package is not None:
        roots, modules = (), ()
    return Package(
        name, directory, manifest, manifest_path, role, merged, merged.modules or modules, roots
    )
