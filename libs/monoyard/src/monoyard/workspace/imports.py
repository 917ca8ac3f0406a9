"""Which modules a Python file imports, and which package of the workspace they belong to."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping

_STATEMENT = re.compile(rb"^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w., \t]+))", re.MULTILINE)
_LOADERS = frozenset({"import_module", "__import__", "importorskip", "load_module"})


def scan_imports(source: bytes) -> tuple[str, ...]:
    """Return the dotted names that a Python source imports, absolute ones only, sorted.

    `from a import b` yields `a.b`: whether `b` is a module is decided when the name is resolved.
    Literal names given to `import_module` and its like count. A source that does not parse is read
    line by line, so that an edge is rather kept than lost.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the file's own linter complains, not its reader
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _scan_lines(source)
    return tuple(sorted({name for node in ast.walk(tree) for name in _names(node)}))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        for alias in node.names:
            yield node.module if alias.name == "*" else f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Call) and node.args:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        first = node.args[0]
        literal = first.value if isinstance(first, ast.Constant) else None
        if name in _LOADERS and isinstance(literal, str) and not literal.startswith("."):
            yield literal


def _scan_lines(source: bytes) -> tuple[str, ...]:
    names = set()
    for origin, listed in _STATEMENT.findall(source):
        for item in (origin or listed).decode("utf-8", "replace").split(","):
            if words := item.split():
                names.add(words[0])
    return tuple(sorted(names))


class ModuleIndex:
    """Answers which package provides a module.

    A namespace that several packages share is resolved by its longest part that is a file.

    Args:
        modules: Package to the dotted names of its modules (files and `__init__` packages only).

    """

    def __init__(self, modules: Mapping[str, Iterable[str]]) -> None:
        self._owners: dict[str, list[str]] = {}
        for package, names in modules.items():
            for name in names:
                self._owners.setdefault(name, []).append(package)

    def owners(self, dotted: str) -> tuple[str, ...]:
        """Return the packages that provide `dotted` or its longest known prefix."""
        while dotted:
            if packages := self._owners.get(dotted):
                return tuple(packages)
            dotted = dotted.rpartition(".")[0]
        return ()
