"""What Python files of a tree import, and what anything read of a file is remembered by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from monoyard.recall import blob_id
from monoyard.workspace.imports import scan_imports
from monoyard.workspace.memo import Memo
from monoyard.workspace.package import Package, zone_of
from monoyard.workspace.tree import Tree

READER_VERSION = "3"
"""Part of every memo key: raise it when a reader of this room changes its answer."""


def with_imports(
    tree: Tree,
    memo: Memo,
    packages: Mapping[str, Package],
    files: Mapping[str, tuple[str, ...]],
) -> dict[str, Package]:
    """Add to each package what its Python files import; known packages cost one look-up."""
    sources = {
        name: [path for path in files[name] if path.endswith((".py", ".pyi"))]
        for name, package in packages.items()
        if package.kind == "python"
    }
    keys = {name: _split_key(tree, packages[name], paths) for name, paths in sources.items()}
    known = memo.get_many("package-imports", list(keys.values()))
    missing = [name for name, key in keys.items() if key not in known]
    scanned, doubtful = _scan(tree, memo, [path for name in missing for path in sources[name]])
    fresh = {}
    result = dict(packages)
    for name, key in keys.items():
        if key in known:
            runtime, tests = json.loads(known[key])
        else:
            runtime, tests = _split(packages[name], sources[name], scanned)
            if doubtful.isdisjoint(sources[name]):
                fresh[key] = json.dumps([runtime, tests], separators=(",", ":")).encode()
        result[name] = _replace_imports(packages[name], runtime, tests)
    if fresh:
        memo.put_many("package-imports", fresh)
    return result


def _replace_imports(package: Package, runtime: dict[str, str], tests: dict[str, str]) -> Package:
    return Package(
        package.name, package.directory, package.manifest, package.manifest_path, package.role,
        package.settings, package.modules, package.source_roots, runtime, tests,
    )  # fmt: skip


def _split(
    package: Package, paths: Iterable[str], scanned: Mapping[str, Iterable[str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Sort imports into those of sources and all others; of two files a test counts, no example."""
    runtime: dict[str, str] = {}
    tests: dict[str, str] = {}
    zones = {path: zone_of(package.inside(path)) for path in paths}
    for path in sorted(zones, key=lambda path: zones[path] == "document"):
        is_source = zones[path] == "source" and not package.is_root
        target = runtime if is_source else tests
        for dotted in scanned.get(path, ()):
            target.setdefault(dotted, path)
    return runtime, tests


def scan_files(tree: Tree, memo: Memo, paths: Iterable[str]) -> dict[str, list[str]]:
    """Return what each Python file of a tree imports; one that cannot be read is missing."""
    return _scan(tree, memo, paths)[0]


def _scan(
    tree: Tree, memo: Memo, paths: Iterable[str]
) -> tuple[dict[str, list[str]], frozenset[str]]:
    """Return the imports by path, and the paths for which they must not be remembered."""
    keys = {path: f"{READER_VERSION} {content_id(tree, path)[7:]}" for path in paths}
    known = memo.get_many("imports", list(set(keys.values())))
    missing = [path for path, key in keys.items() if key not in known]
    contents = tree.read_many(missing)
    found = {path: json.loads(known[key]) for path, key in keys.items() if key in known}
    found |= {path: list(scan_imports(data)) for path, data in contents.items()}
    true = {path for path, data in contents.items() if is_true(tree, path, data)}
    if true:
        memo.put_many("imports", {keys[path]: json.dumps(found[path]).encode() for path in true})
    return found, frozenset(missing) - true


def content_id(tree: Tree, path: str) -> str:
    """Return `MODE DIGEST` of a file; of a link, with a digest of all that it leads to."""
    entry = tree.entries[path]
    if path not in tree.links:
        return entry
    behind = json.dumps(tree.behind_link(path)).encode()
    return f"{entry} {hashlib.sha256(behind).hexdigest()}"


def is_true(tree: Tree, path: str, data: bytes) -> bool:
    """Say whether bytes are those of the entry: a file may be written while the tree is read."""
    return path in tree.links or tree.entries[path].endswith(f" {blob_id(data, tree.algorithm)}")


def _split_key(tree: Tree, package: Package, paths: Iterable[str]) -> str:
    """Digest what a split is made from: the files, and what makes them sources or tests."""
    entries, links = tree.entries, tree.links
    listing = "\n".join(
        f"{content_id(tree, path) if path in links else entries[path]}\t{path}" for path in paths
    )
    place = json.dumps(package.directory)  # of no directory is the root alone
    text = f"{READER_VERSION}\n{place}\n{listing}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()
