"""A package of the workspace, and where its files stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monoyard.config import PackageSettings
from monoyard.workspace.manifests import Manifest

_TEST_DIRECTORIES = frozenset({"tests", "test"})
_DOCUMENT_DIRECTORIES = frozenset({"docs", "doc", "example", "examples"})
_DOCUMENT_SUFFIXES = (".md", ".rst")
_DOCUMENT_NAMES = ("readme", "changelog", "changes", "license", "contributing", "authors", "notice")

ROOT_PACKAGE_PATHS = ("noxfile.py", "tasks.py", "tests", "infra", "deploy")
"""What the root owns when it is declared a package; everything else at the root has no owner."""


@dataclass(frozen=True, slots=True)
class Package:
    """A directory with a manifest.

    Attributes:
        name: How people and tasks call it: the directory's name where that is unique.
        directory: Path from the top; empty for the root.
        manifest: What its manifest says.
        manifest_path: Path of that manifest from the top.
        role: `lib` or `service`.
        settings: Its `monoyard` table, merged with the workspace's.
        modules: Dotted names of the modules it provides to others.
        source_roots: Directories (from the top) that go on `sys.path`.
        imports: Imported dotted name to one file that does so, from its sources.
        test_imports: The same, from its tests.

    """

    name: str
    directory: str
    manifest: Manifest
    manifest_path: str
    role: str
    settings: PackageSettings
    modules: tuple[str, ...] = ()
    source_roots: tuple[str, ...] = ()
    imports: dict[str, str] = field(default_factory=dict)
    test_imports: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`python` or `typescript`."""
        return self.manifest.kind

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Its manifest, and the one of the other kind beside it."""
        beside = self.manifest.beside
        return (self.manifest,) if beside is None else (self.manifest, beside)

    @property
    def is_root(self) -> bool:
        """Whether this is the root declared as a package."""
        return not self.directory

    def path(self, inner: str) -> str:
        """Return a path of its table from the top; a leading slash already means that."""
        if inner.startswith("/"):
            return inner[1:]
        return f"{self.directory}/{inner}" if self.directory else inner

    def inside(self, path: str) -> str:
        """Return a path of this package relative to its directory."""
        return path[len(self.directory) + 1 :] if self.directory else path


def zone_of(inner: str) -> str:
    """Say what a package's file is to other packages: `source`, `test` or `document`.

    Args:
        inner: Path relative to the package. Only its first part decides: tests or a README inside
            the import package count as source, because dependents can import or read them.

    """
    first, slash, _ = inner.partition("/")
    if slash:
        if first in _TEST_DIRECTORIES:
            return "test"
        return "document" if first in _DOCUMENT_DIRECTORIES else "source"
    lower = first.lower()
    is_named_so = lower.startswith(_DOCUMENT_NAMES) and not lower.endswith((".py", ".pyi"))
    if is_named_so or lower.endswith(_DOCUMENT_SUFFIXES):
        return "document"
    return "test" if lower == "conftest.py" else "source"


def layout(directory: str, paths: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the source roots and the modules of a Python package.

    Args:
        directory: The package's directory from the top.
        paths: Its files from the top.

    Returns:
        Source roots (from the top) and dotted module names. With a `src` directory that holds
        Python files it is the root; otherwise the package's directory is.

    """
    prefix = f"{directory}/" if directory else ""
    files = [path for path in paths if path.endswith((".py", ".pyi"))]
    nested = [path for path in files if path.startswith(f"{prefix}src/")]
    root = f"{prefix}src" if nested else directory
    chosen = nested or [path for path in files if _is_module(path[len(prefix) :])]
    start = len(root) + 1 if root else 0
    names = {name for path in chosen if (name := _dotted(path[start:]))}
    return (root,), tuple(sorted(names))


def _is_module(inner: str) -> bool:
    if "/" in inner:
        return zone_of(inner) == "source"
    return inner not in {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"}


def _dotted(inner: str) -> str:
    parts = inner.rsplit(".", 1)[0].split("/")
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if all(map(str.isidentifier, parts)) else ""
